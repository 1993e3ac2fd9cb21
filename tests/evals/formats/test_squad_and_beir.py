from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.formats import Texts, load
from evals.formats.suite import SourceText
from store.errors import SuiteError

CONTEXT = "แพนเธอร์สเสีย 308 แต้ม และได้ 500 แต้ม ในปี 2558"


def squad(folder: Path, *questions: dict[str, object], title: str = "Super_Bowl_50") -> Path:
    path = folder / "data.json"
    paragraphs = [{"context": CONTEXT, "qas": list(questions)}, {"context": "อีกย่อหน้าหนึ่ง", "qas": []}]
    path.write_text(json.dumps({"version": "1.1", "data": [{"title": title, "paragraphs": paragraphs}]}), "utf-8")
    return path


def documents(path: Path) -> list[SourceText]:
    brought = load(path).documents
    assert isinstance(brought, Texts)
    return list(brought.read())


def test_squad_brings_its_paragraphs_as_documents(tmp_path: Path) -> None:
    path = squad(
        tmp_path,
        {
            "id": "q1",
            "question": "แพนเธอร์สเสียกี่แต้ม",
            "answers": [{"text": "308", "answer_start": CONTEXT.index("308")}, {"text": "308", "answer_start": 14}],
        },
    )
    suite = load(path)
    assert suite.kind == "squad"
    (case,) = suite.cases
    (turn,) = case.turns
    assert (case.id, case.cluster, turn.language) == ("q1", "Super_Bowl_50", "th")
    assert turn.answers == ("308",)
    assert turn.answerable is True
    assert [gold.name for gold in turn.documents] == ["Super_Bowl_50/1"]
    (span,) = turn.spans
    assert CONTEXT[span.start : span.end] == "308"
    assert [text.id for text in documents(path)] == ["Super_Bowl_50/1", "Super_Bowl_50/2"]
    assert documents(path)[0].text == CONTEXT


def test_a_wrong_offset_in_squad_is_set_right(tmp_path: Path) -> None:
    (case,) = load(squad(tmp_path, {"id": 7, "question": "q", "answers": [{"text": "แต้ม", "answer_start": 30}]})).cases
    (span,) = case.turns[0].spans
    assert span.start == CONTEXT.rindex("แต้ม")


def test_impossible_questions_of_squad_2_are_unanswerable(tmp_path: Path) -> None:
    cases = load(
        squad(
            tmp_path,
            {"id": "a", "question": "q", "answers": [], "is_impossible": True},
            {"id": "b", "question": "r", "answers": [{"text": "308", "answer_start": 0}], "is_impossible": False},
        )
    ).cases
    assert [case.turns[0].answerable for case in cases] == [False, True]
    assert cases[0].turns[0].documents == ()


def test_questions_and_answers_without_a_text_are_left_out_and_said(tmp_path: Path) -> None:
    suite = load(
        squad(
            tmp_path,
            {"id": "a", "question": " ", "answers": []},
            {"id": "b", "question": "q", "answers": [{"text": "", "answer_start": 0}, {"text": "308"}]},
        )
    )
    assert [(case.id, case.turns[0].answers) for case in suite.cases] == [("b", ("308",))]
    assert [note.split(": ", 1)[1] for note in suite.notes] == ["1 questions have no text (a) and are left out."]


def test_articles_of_one_title_keep_their_paragraphs_apart(tmp_path: Path) -> None:
    path = squad(tmp_path, {"id": "x", "question": "q", "answers": [{"text": "308"}]})
    value = json.loads(path.read_text("utf-8"))
    other = {**value["data"][0], "paragraphs": [{"context": "a", "qas": []}, {"context": "b", "qas": []}]}
    path.write_text(json.dumps({"data": [*value["data"], other]}), "utf-8")
    assert len({text.id for text in documents(path)}) == 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"data": [{"title": "t"}]}, "at `data[0].paragraphs`, field required"),
        ({"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "a"}]}]}]}, "qas[0].question`, field required"),
        ({"data": {}}, "not SQuAD's shape"),
        ({"data": []}, "it has no cases."),
    ],
)
def test_a_broken_squad_file_is_refused_at_the_part_that_is_wrong(tmp_path: Path, value: object, expected: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(value), "utf-8")
    with pytest.raises(SuiteError) as error:
        load(path)
    assert expected in str(error.value)


@pytest.mark.parametrize(("language", "first"), [("th", "308"), ("vi", "308"), ("en", "308")])
def test_xquad_runs_as_it_is(shared: Path, language: str, first: str) -> None:
    path = shared / f"data/xquad-dev/xquad.{language}.json"
    suite = load(path)
    texts = {text.id: text.text for text in documents(path)}
    assert len(suite.cases) > 600
    assert len(texts) == 120
    assert suite.cases[0].turns[0].answers == (first,)
    for case in suite.cases:
        (turn,) = case.turns
        assert turn.language == language
        for span in turn.spans:
            assert texts[span.document][span.start : span.end] in turn.answers


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "Hà Nội", "text": "Thủ đô của Việt Nam."}\n'
        '{"_id": "d2", "title": "", "text": "กรุงเทพเป็นเมืองหลวง", "metadata": {"language": "th"}}\n',
        "utf-8",
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "What is the capital of Vietnam?"}\n'
        '{"_id": "q2", "text": "เมืองหลวงของไทยคืออะไร"}\n'
        '{"_id": "unjudged", "text": "?"}\n',
        "utf-8",
    )
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n", "utf-8")
    return folder


def test_a_beir_folder_is_a_suite(beir: Path) -> None:
    suite = load(beir)
    assert (suite.kind, suite.name, suite.retrieval_depth) == ("beir", "tiny", 100)
    assert [case.id for case in suite.cases] == ["q1", "q2"]
    assert [case.turns[0].language for case in suite.cases] == ["en", "th"]
    assert [(gold.name, gold.grade) for gold in suite.cases[0].turns[0].documents] == [("d1", 2), ("d2", 0)]
    assert [(text.id, text.title, text.language) for text in documents(beir)] == [
        ("d1", "Hà Nội", None),
        ("d2", "d2", "th"),
    ]
    assert documents(beir)[0].text == "Hà Nội\n\nThủ đô của Việt Nam."


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("qrels/test.tsv", "q1\td1\t1\nq1\td2\n", "test.tsv, line 2: a judgement is"),
        ("qrels/test.tsv", "q1\td1\t1\nq1\td2\t0.5\n", "test.tsv, line 2: a judgement is"),
        ("qrels/test.tsv", "q1\td1\tinf\n", "test.tsv, line 1: a judgement is"),
        ("qrels/test.tsv", "q1\td1\t0.5\n", "test.tsv, line 1: a judgement is"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "test.tsv: it holds no judgement."),
        ("qrels/test.tsv", "q9\td1\t1\n", "queries.jsonl: none of the queries that test.tsv judges stands here"),
        ("queries.jsonl", '{"_id": "q1", "text": ["x"]}\n', "queries.jsonl, line 1: `text` must be a text."),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}\n' * 2, "queries.jsonl, line 2: the id `q1` is that of line 1"),
        ("queries.jsonl", '{"_id": 1.0, "text": "x"}\n', "line 1: `_id` must be a text or a whole number, not 1.0."),
        ("queries.jsonl", '{"text": "x"}\n', "line 1: `_id` is missing."),
        ("queries.jsonl", '{"_id": "q1"\n', "line 1: this line is not JSON"),
    ],
)
def test_a_broken_beir_folder_is_refused_with_file_and_line(beir: Path, file: str, text: str, expected: str) -> None:
    (beir / file).write_text(text, "utf-8")
    with pytest.raises(SuiteError) as error:
        load(beir)
    assert expected in str(error.value)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_beir_folder_in_another_encoding_is_refused_with_the_line(beir: Path, file: str) -> None:
    content = (beir / file).read_bytes().split(b"\n")
    (beir / file).write_bytes(b"\n".join([content[0], "caf\xe9".encode("latin-1"), *content[1:]]))
    with pytest.raises(SuiteError) as error:
        documents(beir)
    assert str(error.value) == f"{beir / file}, line 2: this is not UTF-8; save the file as UTF-8."


def test_a_broken_line_of_the_corpus_is_named(beir: Path) -> None:
    (beir / "corpus.jsonl").write_text('{"_id": "d1", "text": "x"}\n{"text": "y"}\n', "utf-8")
    with pytest.raises(SuiteError, match="line 2: `_id` is missing"):
        documents(beir)


def test_judgements_of_several_splits_need_a_test_split(beir: Path) -> None:
    (beir / "qrels/test.tsv").rename(beir / "qrels/dev.tsv")
    assert len(load(beir).cases) == 2
    (beir / "qrels/train.tsv").write_text("q1\td1\t1\n", "utf-8")
    with pytest.raises(SuiteError, match=r"there are dev\.tsv, train\.tsv but no test\.tsv"):
        load(beir)


def test_questions_of_a_mixed_file_keep_their_own_languages(tmp_path: Path) -> None:
    asked = {
        "ใครเป็นประธานการประชุมครั้งนี้": "th",
        "Ai chủ trì cuộc họp này?": "vi",
        "Xi Jinping?": "en",
        **{f"Who chaired meeting number {number}?": "en" for number in range(10)},
    }
    questions: list[dict[str, object]] = [
        {"id": text, "question": text, "answers": [{"text": "308", "answer_start": 0}]} for text in asked
    ]
    cases = load(squad(tmp_path, *questions)).cases
    told = {case.id: case.turns[0].language for case in cases}
    assert {told[text] for text in list(asked)[2:]} == {"en"}
    few = load(squad(tmp_path, *questions[:1], *questions[1:2], *questions[-2:])).cases
    assert [case.turns[0].language for case in few] == ["th", "vi", "en", "en"]


@pytest.mark.parametrize(
    "judgements",
    [
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n",
        "query-id\tcorpus-id\tscore\r\nq1\td1\t2.0\r\nq1\td2\t0.0\r\nq2\td2\t1.0\r\n",
        "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 1\n",
        "\ufeffquery-id\tcorpus-id\tscore\t\nq1\td1\t2\t\nq1\td2\t0\t\nq2\td2\t1\t\n",
        "q1\tQ0\td1\t2\nq1\tQ0\td2\t-1\nq2\tQ0\td2\t1\n",
    ],
)
def test_judgements_are_read_as_they_are_found(beir: Path, judgements: str) -> None:
    (beir / "qrels/test.tsv").write_text(judgements, "utf-8")
    golds = [[(gold.name, gold.grade) for gold in case.turns[0].documents] for case in load(beir).cases]
    assert golds == [[("d1", 2), ("d2", 0)], [("d2", 1)]]


def test_judgements_of_beir_may_be_a_table_with_commas(beir: Path) -> None:
    (beir / "qrels/test.tsv").unlink()
    (beir / "qrels/test.csv").write_text('query-id,corpus-id,score\nq1,d1,2\nq1,"d2",0\nq2,d2,1\n', "utf-8")
    golds = [[(gold.name, gold.grade) for gold in case.turns[0].documents] for case in load(beir).cases]
    assert golds == [[("d1", 2), ("d2", 0)], [("d2", 1)]]


def test_empty_texts_and_missing_queries_of_beir_are_left_out_and_said(beir: Path) -> None:
    (beir / "corpus.jsonl").write_text(
        '{"_id": "d1", "text": ""}\n{"_id": 2, "title": null, "text": "x"}\n{"_id": "d3", "title": "T", "text": " "}\n',
        "utf-8",
    )
    (beir / "queries.jsonl").write_text('{"_id": "q1", "text": "x"}\n{"_id": "q2", "text": " "}\n', "utf-8")
    (beir / "qrels/test.tsv").write_text("q1\td1\t1\nq2\td2\t1\nq9\td2\t1\n", "utf-8")
    suite = load(beir)
    assert [case.id for case in suite.cases] == ["q1"]
    assert [(text.id, text.text) for text in documents(beir)] == [("2", "x"), ("d3", "T")]
    assert [note.split(": ", 1)[1] for note in suite.notes] == [
        "1 judged queries are not in queries.jsonl (q9) and are left out.",
        "1 judged queries have no text (q2) and are left out.",
    ]
