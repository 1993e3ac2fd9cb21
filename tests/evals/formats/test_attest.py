from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from evals.formats import Folder, Suite, load, load_all
from evals.formats.attest import schema_text
from store.errors import SuiteError

YAML = """\
# ten cases would look the same
suite: forum
description: What the forum's papers say.
defaults:
  language: vi
  tags: [smoke]
  expect: {quotes_verbatim: true, language: vi}
thresholds: {pass_rate: 0.9}
cases:
  - id: 01
    question: Diễn đàn họp khi nào?
    expect:
      answer_contains: 2023-06-14
      cites_document: forum-th.txt
      answer_f1_at_least: {reference: [14 tháng 6 năm 2023, 14/6/2023], value: 0.5}
  - id: no
    language: no
    tags: norsk
    question: Når?
    answers: [08.10, 8. oktober]
    documents: {a.txt: 2, b.txt: 0}
    expect: {language: no, answerable: false}
  - id: talk
    turns:
      - question: ใครจัดการประชุม
        language: th
        expect: {language: th, answer_contains_any: [สมาคม, UNA]}
      - question: Và ở đâu?
    expect:
      answer_contains: [Bắc Kinh]
"""


def written(folder: Path, text: str, name: str = "suite.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, name: str = "suite.yaml") -> str:
    with pytest.raises(SuiteError) as error:
        load(written(folder, text, name))
    return str(error.value)


def test_a_suite_in_yaml_means_what_it_says(tmp_path: Path) -> None:
    suite = load(written(tmp_path, YAML))
    first, second, third = suite.cases
    assert (suite.name, suite.kind, suite.thresholds) == ("forum", "attest", {"pass_rate": 0.9})
    assert first.id == "01"
    assert first.where == f"{tmp_path}/suite.yaml, line 10"
    assert first.turns[0].expect.answer_contains == ("2023-06-14",)
    assert first.turns[0].expect.quotes_verbatim is True
    assert first.turns[0].expect.answer_f1_at_least is not None
    assert first.turns[0].expect.answer_f1_at_least.value == 0.5
    assert first.cluster == "forum-th.txt"
    assert second.id == "no"
    assert second.turns[0].language == second.turns[0].expect.language == "no"
    assert second.turns[0].expect.answerable is False
    assert second.turns[0].answers == ("08.10", "8. oktober")
    assert [(gold.name, gold.grade) for gold in second.turns[0].documents] == [("a.txt", 2), ("b.txt", 0)]
    assert second.tags == ("smoke", "norsk")
    assert [turn.language for turn in third.turns] == ["th", "vi"]
    assert [turn.expect.language for turn in third.turns] == ["th", "vi"]
    assert third.turns[0].expect.answer_contains == ()
    assert third.turns[1].expect.answer_contains == ("Bắc Kinh",)


def same(suite: Suite) -> list[object]:
    return [case.model_dump(exclude={"suite", "path", "line"}) for case in suite.cases]


def test_the_three_notations_say_the_same(tmp_path: Path) -> None:
    as_yaml = load(
        written(
            tmp_path,
            "suite: x\ncases:\n"
            "  - {id: 1, question: 'Ở đâu, khi nào?', language: vi, tags: [a, b], answers: ['x|y', z],\n"
            "     expect: {answerable: true, answer_contains: ['1,5', ก], answer_regex: 'a|b', "
            "answer_f1_at_least: 0.5}}\n",
        )
    )
    as_lines = load(
        written(
            tmp_path,
            '{"suite": "x"}\n\n'
            '{"id": 1, "question": "Ở đâu, khi nào?", "language": "vi", "tags": ["a", "b"], '
            '"answers": ["x|y", "z"], "expect": {"answerable": true, "answer_contains": ["1,5", "ก"], '
            '"answer_regex": "a|b", "answer_f1_at_least": 0.5}}\n',
            "suite.jsonl",
        )
    )
    as_table = load(
        written(
            tmp_path,
            "\ufeffid,question,language,tags,answers,answerable,answer_contains,answer_regex,answer_f1_at_least\r\n"
            '1,"Ở đâu, khi nào?",vi,a|b,x\\|y | z,true,"1,5|ก",a|b,0.5\r\n',
            "suite.csv",
        )
    )
    assert same(as_yaml) == same(as_lines) == same(as_table)


@pytest.mark.parametrize("name", ["suite.txt", "suite", "suite.json", "suite.md"])
def test_a_suite_is_known_by_its_content_not_its_name(tmp_path: Path, name: str) -> None:
    assert load(written(tmp_path, YAML, name)).kind == "attest"
    assert len(load(written(tmp_path, '{"id": "a", "question": "q"}\n{"id": "b", "question": "q"}', name)).cases) == 2
    assert len(load(written(tmp_path, "question;id\nq;a\n", name)).cases) == 1
    whole = json.dumps({"suite": "x", "cases": [{"id": "a", "question": "q"}]})
    assert load(written(tmp_path, whole, name)).name == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("suite: x\ncases: []\n", "line 2: `cases` is empty."),
        ("suite: x\n", "line 1: `cases` is missing."),
        ("cases:\n  - {id: a, question: q}\n", "line 1: `suite` is missing."),
        (
            "suite: x\ncases:\n  - id: a\n    question: q\n    expect:\n      answer_contain: y\n",
            "line 6: unknown expectation `answer_contain`; did you mean `answer_contains`?",
        ),
        (
            "suite: x\ncases:\n  - id: a\n    questoin: q\n",
            "line 4: unknown key `questoin`; did you mean `question`?",
        ),
        ("suite: x\ncases:\n  - id: a\n", "line 3: a case needs either `question` or `turns`, and not both."),
        (
            "suite: x\ncases:\n  - {id: a, question: q}\n  - id: a\n    question: r\n",
            "line 4: the id `a` stands twice; it is that of line 3 too.",
        ),
        ("suite: x\ncases:\n  - id: a\n    question: '  '\n", "line 4: `cases.question` is empty."),
        (
            "suite: x\ncases:\n  - id: a\n    question: q\n    language: Thai language\n",
            "line 5: `Thai language` is no language tag: write one such as th, vi or en.",
        ),
        (
            "suite: x\ncases:\n  - id: a\n    question: q\n    expect: {answer_regex: '(a'}\n",
            "line 5: `(a` is no regular expression",
        ),
        ("suite: x\ncases:\n  - id: a\n   question: q\n", "this is not YAML"),
        ("suite: x\n# \a\ncases: []\n", "line 2: the character U+0007 is not allowed in YAML."),
        ("suite: x\nsuite: y\ncases:\n  - {id: a, question: q}\n", "line 2: `suite` stands twice in one mapping."),
        ("- a\n- b\n", "line 1: a suite is a mapping"),
        (" \n", "suite.yaml: it is empty."),
        ("suite: x\ncases: &a\n  - *a\n", "line 2: an alias refers to what it stands in."),
        (
            "suite: x\ncases:\n  - id: a\n    question: q\n    expect: {answer_f1_at_least: 7}\n",
            "line 5: `cases.expect.answer_f1_at_least.value` is wrong: input should be less than or equal to 1.",
        ),
        (
            "suite: x\ncases:\n  - id: a\n    question: q\n    expect: {answerable: perhaps}\n",
            "line 5: `cases.expect.answerable` must be true or false.",
        ),
        ("suite: x\nlibrary: nowhere\ncases:\n  - {id: a, question: q}\n", "which is no folder."),
    ],
)
def test_a_mistake_in_yaml_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    message = refusal(tmp_path, text)
    assert expected in message
    assert str(tmp_path / "suite.yaml") in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": "a", "question": "q"}\n{"id": "b", "question": }\n', "line 2: this line is not JSON"),
        ('{"id": "a", "question": "q"}\n\n{"id": "b"}\n', "line 3: a case needs either"),
        ('{"id": "a", "question": "q"}\n{"id": "a", "question": "r"}\n', "line 2: the id `a` stands twice"),
        ('{"id": "a", "question": "q", "expect": {"quotes": 1}}\n', "line 1: unknown expectation `quotes`"),
        ('{"suite": "x", "defualts": {}}\n{"id": "a", "question": "q"}\n', "line 1: unknown key `defualts`"),
        ('{"suite": "x"}\n', "it has no cases."),
    ],
)
def test_a_mistake_in_jsonl_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refusal(tmp_path, text, "suite.jsonl")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,question,anwser_contains\na,q,x\n", "line 1: unknown column `anwser_contains`; did you mean"),
        ("id,language\nq,th\n", "line 1: the column `question` is missing."),
        ("id,question\na,q\nb,q,extra\n", "line 3: 3 cells, but line 1 names 2 columns."),
        ('id,question\na,"first\nsecond"\nb,\n', "line 4: `question` is empty."),
        ("sep=;\nid;question\na;q;more\n", "line 3: 3 cells, but line 2 names 2 columns."),
        ('id,question\na,"open\n', "this row can't be read"),
        ("id,question,latency_ms_at_most\na,q,soon\n", "line 2: `expect.latency_ms_at_most` must be a number"),
        ("id,question,question\na,q,r\n", "line 1: a column stands twice."),
    ],
)
def test_a_mistake_in_csv_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refusal(tmp_path, text, "suite.csv")


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = "suite: x\ncases:\n  - {id: a, questio: q}\n  - {id: b, question: q, tgas: x}\n"
    message = refusal(tmp_path, text)
    assert "line 3: unknown key `questio`" in message
    assert "line 4: unknown key `tgas`; did you mean `tags`?" in message
    assert "empty" not in message
    assert len(message.splitlines()) == 2


def test_what_is_not_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes("suite: x\ncases:\n  - {id: a, question: ภาษาไทย}\n".encode("tis-620"))
    with pytest.raises(SuiteError, match="line 3: this is not UTF-8"):
        load(path)


def test_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = written(tmp_path, YAML, "a.yaml"), written(tmp_path, YAML, "b.yaml")
    with pytest.raises(SuiteError, match=r"its name `forum` is that of .*a\.yaml too"):
        load_all([one, other])


def test_a_folder_stands_for_the_suites_in_it(tmp_path: Path) -> None:
    written(tmp_path, YAML, "a.yaml")
    written(tmp_path, '{"id": "a", "question": "q"}', "b.jsonl")
    assert [suite.name for suite in load_all([tmp_path])] == ["forum", "b"]


def test_no_suite_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="There is no suite at"):
        load_all([tmp_path / "none.yaml"])
    with pytest.raises(SuiteError, match="holds no suite"):
        load_all([tmp_path])


def test_a_suite_may_bring_a_folder_of_documents(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    suite = load(written(tmp_path, "suite: x\nlibrary: papers\ncases:\n  - {id: a, question: q}\n"))
    assert suite.documents == Folder(tmp_path / "papers")


def test_the_schema_accepts_a_suite_and_refuses_a_misspelt_one() -> None:
    schema = json.loads(schema_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    suite = yaml.safe_load(YAML.replace("id: 01", "id: '01'").replace("2023-06-14", "'2023-06-14'").replace("no", "nb"))
    suite["cases"][1]["answers"] = ["08.10"]
    assert list(validator.iter_errors(suite)) == []
    suite["cases"][0]["expect"]["answer_contain"] = "x"
    assert list(validator.iter_errors(suite))
