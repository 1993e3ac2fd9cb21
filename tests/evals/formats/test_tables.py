"""CSV can be read as spreadsheets of many countries save it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.formats import load
from evals.types import Case
from store.errors import SuiteError

PLAIN = "id,question,answers,answerable\na1,Ở đâu?,“Hà Nội”,true\nth,ค่าปรับเท่าไร,350 บาท|๓๕๐,\n"


def cases(folder: Path, content: bytes | str) -> list[object]:
    path = folder / "suite.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [case.model_dump(exclude={"line", "path"}) for case in load(path).cases]


@pytest.mark.parametrize(
    "variant",
    [
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("id,question,answers,answerable", "ID,Question,Answers,Answerable"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "sep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "sep=\t\n" + PLAIN.replace(",", "\t"),
        '"sep=,"\n' + PLAIN,
        "\n".join(f"{line},," for line in PLAIN.splitlines()) + "\n",
        "\n".join(f"{line}," for line in PLAIN.splitlines()) + "\n,,,,\n,,,,\n",
        "\n" + PLAIN.replace("true", " TRUE "),
        PLAIN.replace("true", "yes"),
        "".join(f"{number},{line}\n" for number, line in zip(["", 0, 1], PLAIN.splitlines(), strict=True)),
        "".join(f"{number},{line}\n" for number, line in zip(["Unnamed: 0", 0, 1], PLAIN.splitlines(), strict=True)),
        PLAIN.replace(",", ", ").replace("Ở đâu?", '"Ở đâu?"'),
    ],
)
def test_a_table_means_the_same_however_a_spreadsheet_saves_it(tmp_path: Path, variant: str) -> None:
    assert cases(tmp_path, variant) == cases(tmp_path, PLAIN)


def test_unicode_text_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    assert cases(tmp_path, PLAIN.replace(",", "\t").encode("utf-16")) == cases(tmp_path, PLAIN)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "suite.csv: it is empty."),
        ("id|question\n1|Where?\n", "line 1: unknown column `id|question`"),
        ("id,question\n1,\n", "line 2: `question` is empty."),
        ("id,question\n1,Where?".encode("utf-16-le"), "line 1: it holds the character U+0000; save the file as UTF-8."),
        ("id,question,answerable\n1,Where?,WAHR\n", "line 2: `expect.answerable` must be true or false."),
        (",question\nq1,Where?\n", "line 2: 2 cells, but line 1 names 1 columns."),
    ],
)
def test_a_mistake_in_a_table_is_named_with_advice_that_applies(
    tmp_path: Path, content: bytes | str, expected: str
) -> None:
    with pytest.raises(SuiteError) as error:
        cases(tmp_path, content)
    assert expected in str(error.value)


def test_cases_without_an_id_are_named_by_their_place(tmp_path: Path) -> None:
    path = tmp_path / "suite.csv"
    path.write_text('question,answers\n"In which\nyear?",1998\nWhere?,Hà Nội\n', "utf-8")
    assert [case.id for case in load(path).cases] == ["case-1", "case-2"]
    path.write_text('{"question": "Where?"}\n\n{"question": "When?", "id": "w"}\n', "utf-8")
    assert [case.id for case in load(path).cases] == ["case-1", "w"]


CELL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(',;\t"\n|👩‍🔬ค่าẩب你'), min_size=1, max_size=20
).filter(lambda text: text.strip() == text)


@given(st.lists(CELL, min_size=1, max_size=4), st.sampled_from(",;\t"))
def test_any_question_comes_back_letter_by_letter(questions: list[str], separator: str) -> None:
    import csv
    from io import StringIO

    from evals.formats.table import table_rows

    out = StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([["id", "question", ""], *([str(at), text, ""] for at, text in enumerate(questions))])
    rows = [row for _, row in table_rows(out.getvalue().replace("\r\n", "\n"), Path("x.csv"))]
    assert [row["question"] for row in rows] == questions


def test_the_shared_tables_are_read(shared: Path) -> None:
    found = load(shared / "cases/evaluation/bom-crlf.csv").cases
    assert [case.id for case in found] == ["a1", "a2", "a3", "a4"]
    assert all(isinstance(case, Case) and case.turns[0].expect.answerable for case in found)
    assert [case.id for case in load(shared / "cases/evaluation/noid.csv").cases] == ["case-1"]
