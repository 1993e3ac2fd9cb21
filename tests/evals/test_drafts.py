"""`attest eval make`: suites are drafted from a real library, and drafts don't count until they are reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from evals.cli import evaluate
from evals.drafts import near_miss
from evals.formats import load
from evals.formats.convert import converted
from evals.formats.load import without_drafts
from ingest.pipeline import ingest_paths
from store.errors import AttestError, SuiteError
from store.library import Library
from store.settings import load_settings

ENGLISH = (
    "The lighthouse of Harbor Point was built in 1871. Ada Fenn chaired the harbor committee of 1902.\n\n"
    "The harbor committee has 12 members. Ships from Norway call at the port in summer."
)
THAI = "สะพานแม่น้ำเหนือเปิดใช้เมื่อวันที่ 3 พฤษภาคม พ.ศ. 2475\n\nคณะกรรมการสะพานมีสมาชิก 15 คน"
VIETNAMESE = "Hội đồng thành phố được thành lập vào ngày 5 tháng 6 năm 1988. Ủy ban có 21 thành viên."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    papers = folder / "papers"
    papers.mkdir()
    for name, text in (("harbor.txt", ENGLISH), ("bridge.th.txt", THAI), ("council.vi.txt", VIETNAMESE)):
        (papers / name).write_text(text, encoding="utf-8")
    with Library.open(folder / "home") as library:
        ingest_paths(library, [papers])
    return folder / "home"


def attest(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(evaluate, list(arguments), obj=load_settings(home), standalone_mode=False)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, AttestError)
    return str(result.exception)


@pytest.fixture(scope="module")
def drafted(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("suite") / "harbor.yaml"
    result = attest(home, "make", str(path))
    assert result.exit_code == 0, result.output
    return path


def test_a_drafted_suite_is_a_suite_whose_answers_stand_where_it_says(drafted: Path, home: Path) -> None:
    suite = load(drafted)
    assert all(case.draft for case in suite.cases)
    questions = [case for case in suite.cases if "near-miss" not in case.tags]
    assert questions
    with Library.open(home, read_only=True) as library:
        texts = {
            document.uri.rsplit("/", 1)[-1]: library.text(document.id) for document in library.documents().documents
        }
    for case in questions:
        (turn,) = case.turns
        (document,) = turn.documents
        assert turn.answers[0] in texts[document.name]
        assert turn.answerable
    for entry in yaml.safe_load(drafted.read_text(encoding="utf-8"))["cases"]:
        assert "characters" in entry["note"], "each case says where it comes from"


def test_near_misses_expect_no_answer(drafted: Path) -> None:
    for case in load(drafted).cases:
        if "near-miss" in case.tags:
            assert case.turns[0].answerable is False


def test_drafts_are_not_asked_unless_wanted(drafted: Path, home: Path, tmp_path: Path) -> None:
    assert "all of its cases are drafts" in refusal(attest(home, "run", str(drafted)))
    asked = attest(home, "run", str(drafted), "--out", str(tmp_path / "all"), "--drafts", "--json")
    assert asked.exit_code == 0, asked.output
    entries = yaml.safe_load(drafted.read_text(encoding="utf-8"))
    del entries["cases"][0]["draft"]
    looked_through = tmp_path / "looked-through.yaml"
    looked_through.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    if len(entries["cases"]) > 1:
        suite = without_drafts(load(looked_through))
        assert len(suite.cases) == 1
        assert f"{len(entries['cases']) - 1} drafts are left out" in suite.notes[-1]


def test_what_was_looked_through_is_never_overwritten(drafted: Path, home: Path) -> None:
    before = drafted.read_bytes()
    assert "name another file" in refusal(attest(home, "make", str(drafted)))
    assert drafted.read_bytes() == before


@pytest.mark.parametrize(
    ("languages", "said"), [("fr", "not in fr"), ("en,xx", "not in xx")], ids=["without templates", "unknown"]
)
def test_a_language_that_nothing_can_be_made_in_is_named(languages: str, said: str, home: Path, tmp_path: Path) -> None:
    assert said in refusal(attest(home, "make", str(tmp_path / "x.yaml"), "--languages", languages))
    assert not (tmp_path / "x.yaml").exists()


def test_drafts_stay_drafts_in_a_converted_suite(drafted: Path, tmp_path: Path) -> None:
    text, _ = converted(load(drafted), "attest", ".yaml")
    copy = tmp_path / "copy.yaml"
    copy.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError, match="all of its cases are drafts"):
        without_drafts(load(copy))


@pytest.mark.parametrize(
    ("question", "language", "becomes"),
    [
        ("Who chaired the committee of 1902?", "en", "Who chaired the committee of 1905?"),
        ("ใครเป็นประธานในปี ๒๕๖๕", "th", "ใครเป็นประธานในปี ๒๕๖๘"),
        ("Ai chủ trì hội nghị năm 1993?", "vi", "Ai chủ trì hội nghị năm 1996?"),
        ("When was resolution 48/141 adopted?", "en", "When was resolution 51/141 adopted?"),
    ],
)
def test_a_near_miss_changes_one_number_in_its_own_script(question: str, language: str, becomes: str) -> None:
    changed = near_miss(question, language, (), lambda _: [question])
    assert changed is not None
    assert changed.text == becomes


@pytest.mark.parametrize(
    ("question", "language", "was"),
    [
        ("When did Norway join?", "en", "Norway"),
        ("ไทยเข้าเป็นสมาชิกเมื่อไร", "th", "ไทย"),
        ("Việt Nam gia nhập khi nào?", "vi", "Việt Nam"),
    ],
)
def test_a_near_miss_changes_a_country_to_one_that_no_passage_names(question: str, language: str, was: str) -> None:
    passages = ["Peru, Na Uy, นอร์เวย์ and Canada joined in 1950."]
    changed = near_miss(question, language, (), lambda _: passages)
    assert changed is not None
    assert changed.was == was
    assert changed.country in {"NZ", "EG"}


def test_a_question_of_which_everything_changed_is_found_has_no_near_miss() -> None:
    assert near_miss("In 1902?", "en", (), lambda _: ["1905 1906 1908 1909 1913"]) is None
    assert near_miss("Who is it?", "en", (), lambda _: []) is None


@given(st.text(alphabet="ab 19๒٣กñ.,/", max_size=30), st.sampled_from(["en", "th", "vi", "zz"]))
def test_a_near_miss_differs_from_its_question_in_one_place_only(question: str, language: str) -> None:
    changed = near_miss(question, language, ("Ada Fenn",), lambda _: [])
    if changed is not None:
        assert changed.text != question
        assert changed.text.replace(changed.becomes, "", 1) != changed.text
