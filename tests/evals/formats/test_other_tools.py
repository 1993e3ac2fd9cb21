"""Data sets of promptfoo, ragas, DeepEval and the Hugging Face Hub can be read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from evals.formats import Suite, Texts, load
from store.errors import SuiteError

CONTEXT = "ค่าปรับสูงสุดคือ ๓๕๐ บาท ตามระเบียบปี 2566"

PROMPTFOO = """\
# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json
description: Fees
prompts: ["{{question}}"]
providers: [openai:gpt-5]
defaultTest:
  assert:
    - {type: latency, threshold: 5000}
tests:
  - description: the fee
    vars: {question: "What is the yearly fee?"}
    assert:
      - {type: icontains, value: 900 baht}
      - {type: not-contains-any, value: [free, 800]}
      - type: llm-rubric
        value: is polite
  - vars: {question: ["Mức phạt cao nhất là bao nhiêu?", ค่าปรับเท่าไร]}
    assert:
      - {type: is-refusal}
      - {type: factuality, value: 350 บาท}
      - {type: starts-with, value: "A+"}
    metadata: {id: fine}
"""


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def texts(suite: Suite) -> dict[str, str]:
    assert isinstance(suite.documents, Texts)
    return {text.id: text.text for text in suite.documents.read()}


def test_promptfoo_says_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    suite = load(written(tmp_path, "fees.yaml", PROMPTFOO))
    first, second, third = suite.cases
    assert (suite.kind, suite.description) == ("promptfoo", "Fees")
    expect = first.turns[0].expect
    assert first.where == f"{tmp_path}/fees.yaml, line 9"
    assert (expect.answer_contains, expect.must_not_contain) == (("900 baht",), ("free", "800"))
    assert expect.latency_ms_at_most == 5000
    assert [case.id for case in (second, third)] == ["fine-1", "fine-2"]
    assert [case.turns[0].language for case in suite.cases] == ["en", "vi", "th"]
    assert second.turns[0].expect.answerable is False
    assert second.turns[0].answers == ("350 บาท",)
    assert second.turns[0].expect.answer_regex == (r"\A\s*A\+",)
    assert suite.notes == (
        f"{tmp_path}/fees.yaml, line 14: the assertion `llm-rubric` can't be expressed and is left out.",
    )


def test_promptfoo_tests_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    written(tmp_path, "tests.json", [{"vars": {"query": "Where?"}, "assert": [{"type": "regex", "value": "Hu.+"}]}])
    suite = load(written(tmp_path, "config.yaml", "prompts: [x]\ntests: file://tests.json\n"))
    assert suite.cases[0].turns[0].expect.answer_regex == ("Hu.+",)
    assert load(tmp_path / "tests.json").kind == "promptfoo"


def test_promptfoo_tests_may_stand_in_tables_and_in_several_files(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/a.csv").write_text(
        'question,__expected1,__expected2,__metadata:id,__prefix\nที่ไหน,icontains-any: เวียนนา,"javascript: 1",place,x\n'
        "How many?,350,not-contains:none,,\n",
        "utf-8",
    )
    (tmp_path / "tests/b.yaml").write_text(
        "- vars: {question: When?}\n  assert: [{type: equals, value: '1993'}]\n", "utf-8"
    )
    suite = load(written(tmp_path, "config.yaml", "prompts: [x]\ntests: file://tests/*\n"))
    place, count, when = suite.cases
    assert (place.id, place.turns[0].language, place.turns[0].expect.answer_contains_any) == (
        "place",
        "th",
        ("เวียนนา",),
    )
    assert (count.turns[0].expect.answer_equals, count.turns[0].expect.must_not_contain) == (("350",), ("none",))
    assert when.turns[0].expect.answer_equals == ("1993",)
    assert [note.partition("line ")[2].partition(" can't")[0] for note in suite.notes] == [
        "2: `prefix`",
        "2: the assertion `javascript`",
    ]


def test_what_promptfoo_says_beside_assertions_is_named_too(tmp_path: Path) -> None:
    text = (
        "scenarios: [x]\ndefaultTest: {threshold: 0.5}\ntests:\n  - vars: {question: Where is it?, fact: Huế}\n"
        "    options: {transform: x}\n    assert:\n      - {type: contains, value: 'in {{ fact }}'}\n"
        "      - {type: contains, value: '{{other}}'}\n      - {type: equals, value: no, weight: 0}\n"
        "      - {type: equals, value: {a: 1}}\n"
    )
    suite = load(written(tmp_path, "tests.yaml", text))
    (turn,) = suite.cases[0].turns
    assert (turn.question, turn.expect.answer_contains, turn.expect.answer_equals) == ("Where is it?", ("in Huế",), ())
    assert [note.partition("tests.yaml, ")[2].partition(" can't")[0] for note in suite.notes] == [
        "line 2: `defaultTest.threshold`",
        "line 1: `scenarios`",
        "line 4: `options`",
        "line 4: `vars.fact`",
        "line 8: the assertion `contains`",
        "line 9: the assertion `equals`",
        "line 10: the assertion `equals`",
    ]


def test_a_test_may_take_over_what_another_says(tmp_path: Path) -> None:
    text = "tests:\n  - &one\n    vars: {question: Where?}\n  - <<: *one\n    metadata: {id: again}\n"
    cases = load(written(tmp_path, "tests.yaml", text)).cases
    assert [(case.id, case.turns[0].question) for case in cases] == [("case-1", "Where?"), ("again", "Where?")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prompts: [x]\ntests:\n", "line 2: `tests` is empty."),
        ("tests:\n  - vars: {question: file://q.txt}\n", "line 2: `question` is in a file of its own"),
        ("tests:\n  - vars: {question: q}\n    assert: [{value: x}]\n", "line 3: an assertion is a mapping"),
        ("tests:\n  - vars: {a: 1, b: 2}\n", "line 2: none of `vars` is the question"),
        ("tests:\n  - vars: {question: q}\n    assert: contains\n", "line 2: `assert` must be a list"),
        ("tests:\n  - 7\n", "line 2: `tests` names 7, which is no YAML, JSON or CSV file"),
        ("prompts: [x]\ntests: file://none.yaml\n", "line 2: `tests` names none.yaml"),
        (
            "tests:\n  - vars: {question: q}\n    assert: [{type: regex, value: '(a'}]\n",
            "line 2: `(a` is no regular expression",
        ),
    ],
)
def test_a_mistake_in_promptfoo_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(SuiteError) as error:
        load(written(tmp_path, "tests.yaml", text))
    assert expected in str(error.value)


RAGAS: list[dict[str, object]] = [
    {
        "user_input": "ค่าปรับสูงสุดเท่าไร",
        "reference": "350 บาท",
        "reference_contexts": [CONTEXT],
        "retrieved_contexts": ["x"],
        "response": "y",
    },
    {"user_input": "ใครเป็นผู้อนุมัติระเบียบ", "reference": "สภา", "reference_contexts": [CONTEXT, "สภาอนุมัติ"]},
]
GOLDENS: list[dict[str, object]] = [
    {"input": "Mức phạt cao nhất là bao nhiêu?", "expected_output": "350 baht", "context": [CONTEXT], "comments": None},
    {"input": "Ai duyệt quy định này?", "expected_output": "Hội đồng", "context": None, "actual_output": None},
]


def table(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("notation", ["json", "jsonl", "csv"])
def test_ragas_brings_its_contexts_as_documents(tmp_path: Path, notation: str) -> None:
    if notation == "csv":
        path = table(tmp_path, [{**RAGAS[0]}, {**RAGAS[1], "retrieved_contexts": "", "response": ""}])
    elif notation == "json":
        path = written(tmp_path, "rows.json", RAGAS)
    else:
        path = written(tmp_path, "rows.jsonl", "\n".join(json.dumps(row) for row in RAGAS))
    suite = load(path)
    assert suite.kind == "ragas"
    assert [case.turns[0].question for case in suite.cases] == [row["user_input"] for row in RAGAS]
    assert suite.cases[0].turns[0].answers == ("350 บาท",)
    assert texts(suite) == {"context/1": CONTEXT, "context/2": "สภาอนุมัติ"}
    assert [gold.name for gold in suite.cases[1].turns[0].documents] == ["context/1", "context/2"]
    assert suite.cases[0].turns[0].language == "th"
    (note,) = suite.notes
    assert "`response`, `retrieved_contexts` can't be expressed in a suite and are left out." in note


def test_older_names_of_ragas_are_known(tmp_path: Path) -> None:
    rows = [{"question": "Where?", "contexts": ["x"], "answer": "y", "ground_truth": "Huế"}]
    suite = load(written(tmp_path, "rows.json", rows))
    assert (suite.kind, suite.cases[0].turns[0].answers, suite.documents) == ("ragas", ("Huế",), None)


def test_a_conversation_of_ragas_is_asked_turn_by_turn(tmp_path: Path) -> None:
    said = [("human", "When did it open?"), ("ai", "In 1998."), ("human", "And where?")]
    rows = [{"user_input": [{"type": who, "content": text} for who, text in said], "reference": "Huế"}]
    (case,) = load(written(tmp_path, "rows.json", rows)).cases
    assert [(turn.question, turn.answers) for turn in case.turns] == [
        ("When did it open?", ()),
        ("And where?", ("Huế",)),
    ]


@pytest.mark.parametrize("notation", ["lists", "numbers", "texts without commas"])
def test_rows_by_column_are_read_as_pandas_and_numpy_write_them(tmp_path: Path, notation: str) -> None:
    contexts = [[CONTEXT], [CONTEXT, "สภาอนุมัติ"]]
    columns: dict[str, list[object]] = {
        "user_input": [row["user_input"] for row in RAGAS],
        "reference": [float("nan"), "สภา"],
        "reference_contexts": list(contexts),
    }
    if notation == "texts without commas":  # as str() has an array
        lines = [str(texts).replace("', '", "'\n '") for texts in contexts]
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        path = table(
            tmp_path,
            [
                {"": number, **row, "reference": "สภา" if number else "", "reference_contexts": line}
                for number, (row, line) in enumerate(zip(rows, lines, strict=True))
            ],
        )
    elif notation == "lists":
        path = written(tmp_path, "rows.json", columns)
    else:
        by_number = {name: dict(zip("01", cells, strict=True)) for name, cells in columns.items()}
        path = written(tmp_path, "rows.json", by_number)
    suite = load(path)
    assert suite.kind == "ragas"
    assert [case.turns[0].answers for case in suite.cases] == [(), ("สภา",)]
    assert texts(suite) == {"context/1": CONTEXT, "context/2": "สภาอนุมัติ"}


def test_names_in_camel_case_and_texts_in_brackets_are_taken(tmp_path: Path) -> None:
    rows = {"testCases": [{"input": "Who?", "expectedOutput": "[1] is she", "sourceFile": "{a}.pdf"}]}
    (case,) = load(written(tmp_path, "rows.json", rows)).cases
    assert (case.turns[0].answers, case.turns[0].documents[0].name) == (("[1] is she",), "{a}.pdf")


@pytest.mark.parametrize("notation", ["json", "goldens", "csv"])
def test_goldens_of_deepeval_are_read(tmp_path: Path, notation: str) -> None:
    if notation == "csv":
        path = table(tmp_path, [{**row, "context": CONTEXT if row["context"] else ""} for row in GOLDENS[:1]] * 1)
    else:
        path = written(tmp_path, "rows.json", GOLDENS if notation == "json" else {"goldens": GOLDENS})
    suite = load(path)
    first = suite.cases[0].turns[0]
    assert (suite.kind, first.answers, first.language) == ("deepeval", ("350 baht",), "vi")
    assert [gold.name for gold in first.documents] == ["context/1"]
    assert suite.notes == ()


def test_a_golden_may_name_a_document_of_the_library(tmp_path: Path) -> None:
    rows = [{"input": "Who?", "expected_output": "She.", "source_file": "papers/a.pdf"}]
    suite = load(written(tmp_path, "rows.json", rows))
    assert suite.documents is None
    assert [gold.name for gold in suite.cases[0].turns[0].documents] == ["papers/a.pdf"]


HUB: list[dict[str, object]] = [
    {
        "id": "q1",
        "title": "Fines",
        "context": CONTEXT,
        "question": "ค่าปรับสูงสุดเท่าไร",
        "answers": {"text": ["๓๕๐ บาท"], "answer_start": [CONTEXT.index("๓๕๐")]},
    },
    {
        "id": "q2",
        "title": "Fines",
        "context": CONTEXT,
        "question": "ใครอนุมัติ",
        "answers": {"text": [], "answer_start": []},
    },
]


@pytest.mark.parametrize("notation", ["json", "data", "rows", "jsonl", "csv"])
def test_squad_as_the_hub_has_it_is_read(tmp_path: Path, notation: str) -> None:
    if notation == "csv":
        answers = [str(row["answers"]).replace("[]", "array([], dtype=object)") for row in HUB]
        answers[0] = answers[0].replace("['๓๕๐ บาท']", "array(['๓๕๐ บาท'], dtype=object)")
        path = table(tmp_path, [{**row, "answers": text} for row, text in zip(HUB, answers, strict=True)])
    else:
        content: object = {"json": HUB, "data": {"data": HUB}, "rows": {"rows": [{"row": row} for row in HUB]}}.get(
            notation
        )
        path = written(tmp_path, "hub.json", content or "\n".join(map(json.dumps, HUB)))
    suite = load(path)
    first, second = (case.turns[0] for case in suite.cases)
    assert (suite.kind, [case.id for case in suite.cases]) == ("huggingface", ["q1", "q2"])
    assert texts(suite) == {"Fines/1": CONTEXT}
    (span,) = first.spans
    assert CONTEXT[span.start : span.end] == span.words == "๓๕๐ บาท"
    assert (first.answerable, second.answerable, second.documents) == (True, False, ())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            '[{"user_input": "q", "reference": "a"},\n {"user_input": "", "reference": "b"}]',
            "line 2: `user_input` is missing.",
        ),
        ('[{"user_input": "q", "reference": "a"},\n 7]', "line 2: each row must be a JSON object."),
        ('{"input": "q", "expected_output": "a"}\n{"expected_output": "b"}\n', "line 2: `input` is missing."),
        ('[{"id": "a", "question": "q", "context": "c",\n "answers": ["x"]}]', "line 1: `answers` must hold `text`"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, rows: str, expected: str) -> None:
    with pytest.raises(SuiteError) as error:
        load(written(tmp_path, "rows.json", rows))
    assert expected in str(error.value)
