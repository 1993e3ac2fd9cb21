from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from assistant.types import Answer, AnswerSpan, Claim, Evidence, ShortAnswer, Source
from evals.expectations import CHECKS, ends_with_path, judge_turn
from evals.measurements import measure
from evals.metrics.citations import (
    cited_keys,
    document_precision,
    document_recall,
    invented_quotations,
    quote_verdicts,
    span_precision,
    span_recall,
    validity,
)
from evals.types import Case, CaseResult, Expectation, Failure, GoldSpan, QuoteCheck, Turn, TurnResult

QUOTE = "การประชุมจัดขึ้นที่กรุงปักกิ่งในปี 2566"
OTHER = "Nineteen members voted against the motion."


def source(identity: str, speaker: str | None, uri: str) -> Source:
    return Source(id=identity, title=f"Paper {identity}", speaker=speaker, language="th", uri=uri, sha256="0" * 64)


def evidence(key: int, quote: str, *, speaker: str | None = "สมาคมสหประชาชาติ", identity: str = "d1") -> Evidence:
    return Evidence(
        key=key, document=source(identity, speaker, f"/papers/{identity}.txt"), passage_id=f"p-{identity}",
        start=10, end=10 + len(quote), quote=quote, language="th", score=0.9,
    )  # fmt: skip


def answer(text: str, *found: Evidence, claims: tuple[str, ...] = (), **changes: Any) -> Answer:
    made = tuple(
        Claim(
            text=claim, start=text.index(claim), end=text.index(claim) + len(claim), citations=(key,), support="quoted"
        )
        for key, claim in enumerate(claims, 1)
    )
    values: dict[str, Any] = {
        "question": "?", "standalone_question": "?", "language": "th", "answered": True, "confidence": 0.8,
        "mode": "quotes", "text": text, "claims": made, "evidence": found, "timings_ms": {},
    }  # fmt: skip
    return Answer(**(values | changes))


def check(key: int, words: str | None, *, occurs: bool = True, announced: bool = True) -> QuoteCheck:
    return QuoteCheck(key=key, words=words, occurs=occurs, announced=announced)


GOOD = answer(f"ตามที่สมาคมสหประชาชาติกล่าวไว้ในเอกสารนี้: {QUOTE} [1]", evidence(1, QUOTE), claims=(f"{QUOTE} [1]",))
GOOD_RESULT = TurnResult(question="?", answer=GOOD, checks=(check(1, QUOTE),), latency_ms=120)


def problem(result: TurnResult, answers: tuple[str, ...] = (), **expect: Any) -> str | None:
    (verdict,) = judge_turn(Turn(question="?", answers=answers, expect=Expectation(**expect)), result)
    assert verdict.passed is (verdict.reason == "")
    return verdict.reason or None


@pytest.mark.parametrize(
    "expect",
    [
        {"answerable": True},
        {"answer_contains": ["กรุงปักกิ่ง", "๒๕๖๖"]},
        {"answer_contains_any": ["ไม่มี", "ปักกิ่ง"]},
        {"answer_regex": r"ปี \d{4}$"},
        {"answer_equals": [f"ตามที่สมาคมสหประชาชาติกล่าวไว้ในเอกสารนี้ {QUOTE}!"]},
        {"answer_f1_at_least": {"reference": [QUOTE], "value": 0.5}},
        {"answer_chrf_at_least": {"reference": [QUOTE], "value": 0.5}},
        {"cites_document": "d1.txt"},
        {"cites_document": ["nothing.txt", "paper D1"]},
        {"cites_passage": "p-d1"},
        {"quote_contains": ["2566", "ปักกิ่ง"]},
        {"quote_contains_any": ["2567", "๒๕๖๖"]},
        {"quotes_verbatim": True},
        {"language": "th"},
        {"language": "th-TH"},
        {"attributed_to": "สมาคมสหประชาชาติ"},
        {"attributed_to": ["UNA", "สมาคมสหประชาชาติ"]},
        {"must_not_contain": ["2567", "66"]},
        {"latency_ms_at_most": 120},
    ],
)
def test_a_good_answer_meets_each_expectation(expect: dict[str, Any]) -> None:
    assert problem(GOOD_RESULT, **expect) is None


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"answerable": False}, "It should say that it can't answer, but answered: “ตาม"),
        ({"answer_contains": ["ปักกิ่ง", "เซี่ยงไฮ้"]}, "The answer does not contain “เซี่ยงไฮ้”"),
        ({"answer_contains": "66"}, "The answer does not contain “66”"),
        ({"answer_contains_any": ["x", "y"]}, "The answer contains none of “x”, “y”"),
        ({"answer_regex": r"\[1\]"}, r"/\[1\]/ matches nowhere in the answer"),
        ({"answer_equals": [QUOTE]}, "The answer is not"),
        ({"answer_f1_at_least": {"reference": [QUOTE], "value": 0.99}}, "F1 is 0."),
        ({"answer_f1_at_least": 0.5}, "F1 needs something to compare with"),
        ({"answer_chrf_at_least": {"reference": "nothing", "value": 0.5}}, "chrF is 0.000, below 0.5"),
        ({"cites_document": ["txt", "1.txt"]}, "It should cite “txt”, “1.txt”, but cites “/papers/d1.txt”."),
        ({"cites_passage": "p-2"}, "It should cite the passage “p-2”, but cites “p-d1”."),
        ({"quote_contains": "Nineteen"}, "No quote contains “Nineteen”; quoted is “การ"),
        ({"quote_contains_any": ["a b", "c d"]}, "No quote contains any of"),
        ({"quotes_verbatim": False}, "Every quote is verbatim, which was not expected."),
        ({"language": "vi"}, "The answer is in th, not in vi"),
        ({"attributed_to": "UNA-China"}, "the name does not occur"),
        ({"must_not_contain": ["ปักกิ่ง"]}, "The answer contains “ปักกิ่ง”"),
        ({"latency_ms_at_most": 100}, "It took 120 ms, more than 100."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(expect: dict[str, Any], reason: str) -> None:
    assert reason in (problem(GOOD_RESULT, **expect) or "")


def test_every_expectation_of_the_schema_has_a_check() -> None:
    assert list(CHECKS) == list(Expectation.model_fields)


def test_gold_answers_serve_where_an_expectation_names_no_reference() -> None:
    assert problem(GOOD_RESULT, answers=(QUOTE,), answer_f1_at_least=0.5) is None
    assert "chrF is" in (problem(GOOD_RESULT, answers=("x",), answer_chrf_at_least=0.5) or "")


def test_a_regular_expression_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.expectations.REGEX_SECONDS", 0.05)
    endless = TurnResult(question="?", answer=answer("a" * 40 + "!"))
    assert "make it simpler" in (problem(endless, answer_regex=r"^(a|aa)+$(?<=b)") or "")


def test_without_an_answer_no_expectation_is_met() -> None:
    failed = TurnResult(question="?", failure=Failure(kind="ValueError", message="broken"))
    turn = Turn(question="?", expect=Expectation(answerable=False, must_not_contain=("x",)))
    verdicts = judge_turn(turn, failed)
    assert [verdict.passed for verdict in verdicts] == [False, False]
    assert verdicts[0].reason == "There is no answer: ValueError: broken"
    assert [verdict.expectation for verdict in judge_turn(Turn(question="?"), failed)] == ["an answer"]
    assert judge_turn(Turn(question="?"), GOOD_RESULT) == ()


@pytest.mark.parametrize(
    ("held", "occurs", "state"),
    [
        (QUOTE, True, "verbatim"),
        (QUOTE[:-1] + "7", True, "misplaced"),
        (QUOTE[:-1] + "7", False, "fabricated"),
        (QUOTE + " ", False, "fabricated"),
        (None, False, "fabricated"),
    ],
)
def test_a_quote_is_a_quote_or_it_is_not(held: str | None, occurs: bool, state: str) -> None:
    checks = (check(1, held, occurs=occurs),)
    assert [verdict.state for verdict in quote_verdicts(GOOD, checks)] == [state]
    wrong = problem(GOOD_RESULT.model_copy(update={"checks": checks}), quotes_verbatim=True)
    assert (wrong is None) == (state == "verbatim")


@pytest.mark.parametrize("opening", ["“{}”", '"{}"', "«{}»", "「{}」"])
def test_a_quotation_that_the_model_made_up_counts_as_fabricated(opening: str) -> None:
    invented = opening.format("the ministry of defense was a host")
    made_up = answer(f"It says {invented} [1].", evidence(1, OTHER), language="en")
    assert invented_quotations(made_up) == ("the ministry of defense was a host",)
    result = TurnResult(question="?", answer=made_up, checks=(check(1, OTHER),))
    assert "in the answer's text stands in no document" in (problem(result, quotes_verbatim=True) or "")
    true = answer(f"It says {opening.format('members voted against the motion')} [1].", evidence(1, OTHER))
    assert invented_quotations(true) == ()


def test_titles_questions_and_short_emphasis_are_no_quotations() -> None:
    fine = answer(
        "You ask “who voted against the motion?”; “Paper d1” calls it a “great day” [1].",
        evidence(1, OTHER),
        question="Who voted against the motion?",
    )
    assert invented_quotations(fine) == ()


@pytest.mark.parametrize(
    ("text", "language", "wanted", "fine"),
    [
        ("ตามที่สมาคมกล่าวไว้ในเอกสาร: {}", "th", "th", True),
        ("According to the association this was said there: {}", "th", "th", False),
        ("Theo hiệp hội, tài liệu nói như sau: {}", "vi", "vi", True),
        ("Theo hiệp hội, tài liệu nói như sau: {}", "th", "th", False),
        ("{}", "en", "en", True),
        ("Theo Paper d1: {}", "vi", "vi", True),
        ("According to Paper d1: {}", "vi", "vi", False),
    ],
)
def test_the_language_of_an_answer_is_that_of_its_own_words(text: str, language: str, wanted: str, fine: bool) -> None:
    made = answer(text.format(OTHER), evidence(1, OTHER), language=language)
    assert (problem(TurnResult(question="?", answer=made), language=wanted) is None) is fine


@pytest.mark.parametrize(
    ("text", "claims", "fine"),
    [
        ("According to UNA: A was good [1].", ("A was good [1]",), True),
        ("A was good, says una [1].", ("A was good, says una [1]",), True),
        ("A was good [1]. So says UNA.", ("A was good [1]",), False),
        (
            "According to UNA: A was good [1]. The Clerk counted B [2].",
            ("A was good [1]", "The Clerk counted B [2]"),
            True,
        ),
        ("According to UNA, fine. The Clerk says: A was good [1] and B [2].", ("A was good [1]", "B [2]"), False),
        ("A was good [1].", ("A was good [1]",), False),
    ],
)
def test_a_claim_must_stand_under_its_speakers_name(text: str, claims: tuple[str, ...], fine: bool) -> None:
    made = answer(
        text, evidence(1, QUOTE, speaker="UNA"), evidence(2, OTHER, speaker="The Clerk", identity="d2"), claims=claims
    )
    assert (problem(TurnResult(question="?", answer=made), attributed_to="UNA") is None) is fine


def test_a_name_inside_a_quote_attributes_nothing() -> None:
    quote = "UNA was founded long ago."
    made = answer(f"{quote} [1]", evidence(1, quote, speaker=None), claims=(f"{quote} [1]",))
    assert "only inside a quote" in (problem(TurnResult(question="?", answer=made), attributed_to="UNA") or "")


def test_keys_are_read_from_claims_and_markers() -> None:
    made = answer("A [2]. B [3, 1] [7].", evidence(1, QUOTE), evidence(2, OTHER), claims=("A [2]",))
    assert cited_keys(made) == (1, 2, 3, 7)
    checks = (check(1, QUOTE), check(2, OTHER, announced=False))
    assert validity(made, checks) == 0.25
    assert validity(answer("nothing cited"), ()) is None


def test_citations_are_measured_against_documents_and_places() -> None:
    assert document_precision(["a", "a", "b"], ["a"]) == 0.5
    assert document_precision([], ["a"]) is None
    assert document_recall(["a"], ["a", "c"]) == 0.5
    assert document_recall(["a"], []) is None
    cited = [evidence(1, QUOTE), evidence(2, OTHER)]
    inside = GoldSpan(document="d1", start=12, end=15)
    across = GoldSpan(document="d1", start=9, end=15)
    assert span_precision(cited[:1], [inside, across]) == span_recall(cited, [across, inside]) == 1
    assert span_recall(cited, [across]) == 0
    assert span_precision([], [inside]) is None


@pytest.mark.parametrize(
    ("uri", "name", "expected"),
    [
        ("/papers/a.txt", "a.txt", True),
        ("/papers/a.txt", "papers/A.TXT", True),
        ("/papers/a.txt", "/papers/a.txt", True),
        ("/papers/ba.txt", "a.txt", False),
        ("C:\\papers\\a.txt", "papers/a.txt", True),
        ("https://example.org/x/a.html", "x/a.html", True),
        ("/papers/Tiếng.txt", "Tiê\u0301ng.txt", True),
        ("sample:a.txt", "a.txt", True),
        ("/papers/a.txt", "", False),
    ],
)
def test_a_document_is_named_by_the_end_of_its_path(uri: str, name: str, expected: bool) -> None:
    assert ends_with_path(uri, name) is expected


def test_the_titles_that_an_abstention_names_do_not_make_it_another_language() -> None:
    made = answer(
        "เอกสารในคลังนี้ไม่ได้ตอบคำถามนี้ เอกสารที่ใกล้ที่สุด: “Statement on the right to development of all peoples”",
        answered=False,
    )
    result = TurnResult(question="?", answer=made)
    assert problem(result, language="th") is None
    assert problem(result, quotes_verbatim=True) is None


def short(*words: str) -> Answer:
    spans = tuple(AnswerSpan(key=1, start=0, end=len(each), text=each) for each in words)
    return GOOD.model_copy(update={"short_answer": ShortAnswer(spans=spans, confidence=0.9)})


def test_a_short_answer_is_what_is_compared_as_a_whole() -> None:
    result = GOOD_RESULT.model_copy(update={"answer": short("1,500 บาท")})
    assert problem(result, answer_equals="1500 บาท") is None
    assert problem(result, answers=("1500 บาท",), answer_f1_at_least=1) is None
    assert problem(GOOD_RESULT, answer_equals="1500 บาท") is not None
    two = GOOD_RESULT.model_copy(update={"answer": short("Hà Nội", "Huế")})
    assert problem(two, answer_equals="Hà Nội, Huế") is None
    written = short("1,500 บาท").model_copy(update={"mode": "written"})
    assert problem(GOOD_RESULT.model_copy(update={"answer": written}), answer_equals="1500 บาท") is not None


def test_em_and_f1_are_measured_on_the_short_answer() -> None:
    case = Case(suite="s", id="a", turns=(Turn(question="?", language="th", answers=("1500 บาท",)),))

    def values(answer: Answer) -> Mapping[str, float]:
        turn = GOOD_RESULT.model_copy(update={"answer": answer})
        return measure(case, CaseResult(suite="s", case_id="a", turns=(turn,)), 20)[1][0].values

    assert (values(short("1,500 บาท"))["em"], values(short("1,500 บาท"))["f1"]) == (1, 1)
    assert values(GOOD)["em"] == 0
