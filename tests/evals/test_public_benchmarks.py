"""Public collections are read as they are downloaded, and measured by their own protocols on the real library."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evals.benchmarks.public import (
    NON_RELEVANT,
    RELEVANT,
    Asked,
    Ranked,
    corpus,
    main,
    protocol_of,
    queries,
    ranking_rows,
    refusal_row,
)
from evals.benchmarks.questions import read_xquad

PASSAGES = {
    "7#0": ("Harbor Point", "The lighthouse of Harbor Point was finished in 1871. It is built of granite."),
    "7#1": ("Harbor Point", "Ships from the south pass the lighthouse on their way to the harbor."),
    "9#0": ("สะพานแม่น้ำเหนือ", "สะพานแม่น้ำเหนือเปิดใช้ในปี 2475 และสร้างด้วยเหล็กทั้งหมด"),
}


def write_corpus(folder: Path) -> None:
    rows = [json.dumps({"docid": name, "title": title, "text": text}) for name, (title, text) in PASSAGES.items()]
    with gzip.open(folder / "docs-0.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(rows))


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    miracl, nomiracl, xquad = (tmp_path / name for name in ("miracl-en", "nomiracl-en", "xquad-r"))
    for folder in (miracl, nomiracl, xquad):
        folder.mkdir()
    (miracl / "corpus").mkdir()
    write_corpus(miracl / "corpus")
    (miracl / "topics.miracl-v1.0-en-dev.tsv").write_text("q1\tWhen was the lighthouse finished?\nq9\tUnjudged?\n")
    (miracl / "qrels.miracl-v1.0-en-dev.tsv").write_text("q1 Q0 7#0 1\nq1 Q0 7#1 0\n")
    write_corpus(nomiracl)
    for subset, question in (
        (RELEVANT, "When was the lighthouse of Harbor Point finished?"),
        (NON_RELEVANT, "How much does a bicycle cost in Tokyo?"),
    ):
        (nomiracl / f"topics.nomiracl-v1.0-en-dev.{subset}.tsv").write_text(f"q1\t{question}\n")
        grade = int(subset == RELEVANT)
        (nomiracl / f"qrels.nomiracl-v1.0-en-dev.{subset}.tsv").write_text(f"q1 Q0 7#0 {grade}\nq1 Q0 7#1 0\n")
    texts = {
        "en": ("The bridge opened in 1932. It is made of steel.", "When did the bridge open?", 21),
        "vi": ("Cây cầu mở cửa năm 1932. Nó làm bằng thép.", "Cây cầu mở cửa khi nào?", 19),
    }
    for language, (context, question, start) in texts.items():
        asked = {"id": "a", "question": question, "answers": [{"text": "1932", "answer_start": start}]}
        whole = {"data": [{"title": "bridge", "paragraphs": [{"context": context, "qas": [asked]}]}]}
        (xquad / f"xquad.{language}.json").write_text(json.dumps(whole), encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_collections_are_told_apart_by_their_files(collections: Path) -> None:
    found = {folder.name: protocol_of(folder) for folder in collections.iterdir()}
    assert found == {"miracl-en": "miracl", "nomiracl-en": "nomiracl", "xquad-r": "xquad-r"}
    assert protocol_of(collections) is None


def test_only_judged_questions_are_asked_and_the_corpus_keeps_its_ids(collections: Path) -> None:
    (query,) = queries(collections / "miracl-en")
    assert (query.id, query.grades) == ("q1", {"7#0": 1, "7#1": 0})
    assert [source.id for source in corpus(collections / "miracl-en")] == list(PASSAGES)
    assert [query.text for query in queries(collections / "nomiracl-en", NON_RELEVANT)] == [
        "How much does a bicycle cost in Tokyo?"
    ]
    assert {each.uri for part in read_xquad(collections / "xquad-r").values() for each in part.paragraphs} == {
        "paragraph:en:0",
        "paragraph:vi:0",
    }


def test_all_three_protocols_are_measured_in_one_run(collections: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(collections)
    result = run(str(collections))
    assert result.exit_code == 0, result.output
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in result.output.splitlines()]
    rows = {line[0]: line[1:] for line in lines}
    assert rows["miracl-en"][0] == "1"
    assert rows["miracl-en"][2] == "1.000", "a hundred deep, all of three passages are found"
    assert rows["xquad-r"][0] == "2"
    assert rows["xquad-r en"][2] == rows["xquad-r vi"][2] == "1.000"
    assert rows["nomiracl-en"] == ["1", ".000", "1", ".000"]


def test_wrong_files_are_named_in_a_sentence(collections: Path, tmp_path: Path) -> None:
    (collections / "miracl-en" / "qrels.miracl-v1.0-en-dev.tsv").write_text("q1 7#0 1\n")
    result = run(str(collections))
    assert result.exit_code == 1
    assert "line 1: a judgement has TREC's four columns" in result.output
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no collection" in run(str(empty)).output


def test_measures_are_means_over_questions_and_rates_over_their_own_subset() -> None:
    found = [Ranked(("a", "b"), {"b": 1}, "en"), Ranked(("c",), {"c": 1}, "vi")]
    rows = {row[0]: row[1:] for row in ranking_rows("x", found)}
    assert rows["x"] == ("2", ".815", "1.000", ".750", ".750")
    assert rows["x en"][0] == "1"
    asked = [Asked(True, True), Asked(True, False), Asked(False, True), Asked(False, False), Asked(False, False)]
    assert refusal_row("y", asked) == ("y", "3", ".333", "2", ".500")
