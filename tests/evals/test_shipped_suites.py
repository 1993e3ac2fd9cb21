"""The shipped suites only state what the samples contain."""

from __future__ import annotations

import html
import json
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any
from unicodedata import normalize

import pytest
import regex
import yaml

from assistant.answer.dialogue.turn_parts import language_named
from evals.formats import load
from evals.formats.load import load_all, shipped

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "ingest" / "samples"
SUITES = ROOT / "evals" / "suites"
NEAR_MISSES = ROOT / "evals" / "benchmarks" / "data" / "near_misses.jsonl"
LANGUAGES = ("en", "th", "vi")
LEAST_CASES = {
    "within-language": 30,
    "cross-language": 30,
    "conversations": 8,
    "unanswerable": 15,
    "contested": 10,
    "conflicts": 5,
    "adversarial": 10,
    "noisy": 10,
}
LABELS = {"en": "Attest sample briefing", "th": "เอกสารตัวอย่างของ Attest", "vi": "Tài liệu mẫu của Attest"}


def visible_text(path: Path) -> str:
    """What a reader of the file sees, in NFC."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        text = html.unescape(regex.sub(r"<[^>]+>", "", text))
    return normalize("NFC", text)


SOURCES: dict[str, dict[str, str]] = {
    str(source["file"]): {key: str(value) for key, value in source.items()}
    for source in yaml.safe_load((SAMPLES / "sources.yaml").read_text(encoding="utf-8"))
}
TEXTS = {name: visible_text(SAMPLES / name) for name in SOURCES}


def all_of(value: Any) -> list[str]:
    """Several texts, or a single one, as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def cases_of(suite: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = yaml.safe_load((SUITES / f"{suite}.yaml").read_text(encoding="utf-8"))["cases"]
    return cases


def turns_of(suite: str) -> list[tuple[str, dict[str, Any]]]:
    """(case id, question with its expectations) of each question of a suite."""
    return [(case["id"], turn) for case in cases_of(suite) for turn in case.get("turns", [case])]


PAIRS = [json.loads(line) for line in NEAR_MISSES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_at_least_four_samples_of_a_language_and_each_says_what_it_is(language: str) -> None:
    names = [name for name, source in SOURCES.items() if source["language"] == language]
    assert len(names) >= 4
    for name in names:
        first_line = TEXTS[name].strip().split("\n")[0]
        assert LABELS[language] in first_line, name


def test_every_sample_is_listed_once_with_title_speaker_and_date() -> None:
    files = {path.name for path in SAMPLES.iterdir()} - {"sources.yaml"}
    assert files == set(SOURCES)
    for name, source in SOURCES.items():
        assert {"title", "title_en", "language", "published", "speaker"} <= set(source), name
        assert regex.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", source["published"]), name


def test_samples_are_in_nfc_and_carry_no_invisible_signs() -> None:
    for name in SOURCES:
        text = (SAMPLES / name).read_text(encoding="utf-8")
        assert normalize("NFC", text) == text, name
        assert not regex.search(r"[\p{Cf}\p{Co}\p{Cn}\N{NO-BREAK SPACE}]", text), name


@pytest.mark.parametrize(("suite", "least"), LEAST_CASES.items())
def test_a_suite_has_the_cases_that_it_promises(suite: str, least: int) -> None:
    assert len(cases_of(suite)) >= least
    assert len(load(SUITES / f"{suite}.yaml").cases) == len(cases_of(suite))


def test_the_folder_of_suites_can_be_given_as_it_is() -> None:
    assert {path.stem for path in SUITES.glob("*.yaml")} == set(LEAST_CASES)
    assert [suite.name for suite in load_all([SUITES])] == [suite.name for suite in shipped()]


def test_no_question_is_asked_twice() -> None:
    asked = Counter(
        normalize("NFC", turn["question"])
        for suite in LEAST_CASES
        if suite != "conversations"
        for _, turn in turns_of(suite)
    )
    asked.update(pair[half] for pair in PAIRS for half in ("answerable", "near_miss"))
    assert [question for question, count in asked.items() if count > 1] == []


@pytest.mark.parametrize("suite", LEAST_CASES)
def test_every_expected_quote_stands_in_a_document_that_the_case_names(suite: str) -> None:
    for case, turn in turns_of(suite):
        expect = turn["expect"]
        documents = [*all_of(expect.get("cites_document")), *all_of(turn.get("documents"))]
        assert set(documents) <= set(SOURCES), case
        quotes = all_of(expect.get("quote_contains")) + all_of(expect.get("quote_contains_any"))
        for quote in quotes + all_of(turn.get("answers")):
            assert any(normalize("NFC", quote) in TEXTS[name] for name in documents), (case, quote)


@pytest.mark.parametrize("suite", LEAST_CASES)
def test_every_expected_word_of_an_answer_stands_in_the_samples(suite: str) -> None:
    everything = "\n".join([*TEXTS.values(), *(source["speaker"] for source in SOURCES.values())])
    for case, turn in turns_of(suite):
        expect = turn["expect"]
        if expect.get("kind") in {"library", "talk"}:
            continue  # What Attest says of its own.
        words = all_of(expect.get("answer_contains")) + all_of(expect.get("answer_contains_any"))
        for word in words:
            assert normalize("NFC", word) in everything, (case, word)


@pytest.mark.parametrize("suite", LEAST_CASES)
def test_an_attribution_names_the_speaker_of_a_document_that_the_case_names(suite: str) -> None:
    for case, turn in turns_of(suite):
        for name in all_of(turn["expect"].get("attributed_to")):
            cited = all_of(turn["expect"].get("cites_document"))
            assert any(name in SOURCES[document]["speaker"] for document in cited), (case, name)


@pytest.mark.parametrize("suite", LEAST_CASES)
def test_an_answer_is_expected_in_the_language_of_its_question(suite: str) -> None:
    for case, turn in turns_of(suite):
        assert turn["language"] in LANGUAGES, case
        expected = turn["expect"].get("language", turn["language"])
        asked_for = language_named("in_language", turn["question"], turn["language"])
        assert expected in {turn["language"], asked_for}, case


def test_within_a_language_there_are_ten_questions_of_each_about_its_own_documents() -> None:
    counts: Counter[str] = Counter()
    for case, turn in turns_of("within-language"):
        assert SOURCES[turn["documents"]]["language"] == turn["language"], case
        counts[turn["language"]] += 1
    assert all(counts[language] >= 10 for language in LANGUAGES)


def test_across_languages_every_ordered_pair_has_five_questions() -> None:
    pairs = Counter(
        (turn["language"], SOURCES[turn["documents"]]["language"]) for _, turn in turns_of("cross-language")
    )
    for question in LANGUAGES:
        for source in LANGUAGES:
            assert question == source or pairs[question, source] >= 5, (question, source)
        assert (question, question) not in pairs


def test_the_answer_of_a_question_across_languages_stands_in_no_document_of_its_own_language() -> None:
    for case, turn in turns_of("cross-language"):
        for name, text in TEXTS.items():
            if SOURCES[name]["language"] == turn["language"]:
                assert turn["expect"]["quote_contains"] not in text, (case, name)


def test_sources_in_conflict_are_both_expected_with_their_speakers() -> None:
    for case, turn in turns_of("conflicts"):
        expect = turn["expect"]
        assert len(all_of(expect["quote_contains"])) == len(all_of(expect["cites_document"])) == 2, case
        for quote, name, speaker in zip(
            expect["quote_contains"], expect["cites_document"], expect["answer_contains"], strict=True
        ):
            assert quote in TEXTS[name], (case, quote)
            assert speaker in SOURCES[name]["speaker"], (case, speaker)


def test_a_conversation_has_turns_and_each_expects_something() -> None:
    for case in cases_of("conversations"):
        assert len(case["turns"]) >= 2, case["id"]
        assert all("answerable" in turn["expect"] for turn in case["turns"]), case["id"]


def test_hostile_and_unanswerable_questions_come_in_all_three_languages() -> None:
    for suite in ("adversarial", "unanswerable", "contested", "noisy"):
        counts = Counter(turn["language"] for _, turn in turns_of(suite))
        assert all(counts[language] >= 3 for language in LANGUAGES), suite


def test_words_that_must_not_be_said_stand_in_no_sample() -> None:
    for case, turn in turns_of("adversarial"):
        for word in all_of(turn["expect"].get("must_not_contain")):
            assert not any(word.casefold() in text.casefold() for text in TEXTS.values()), (case, word)


def test_there_are_two_dozen_near_misses_a_language_from_its_own_and_from_other_sources() -> None:
    counts = Counter(pair["language"] for pair in PAIRS)
    assert all(counts[language] >= 24 for language in LANGUAGES)
    kinds = Counter((pair["language"], pair["source_language"]) for pair in PAIRS)
    assert all(kinds[question, source] >= 8 for question in LANGUAGES for source in LANGUAGES)
    assert len({pair["id"] for pair in PAIRS}) == len(PAIRS)


def test_the_answer_of_a_near_miss_pair_stands_in_the_document_that_it_names() -> None:
    for pair in PAIRS:
        assert normalize("NFC", pair["answer"]) in TEXTS[pair["document"]], pair["id"]
        assert SOURCES[pair["document"]]["language"] == pair["source_language"], pair["id"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_two_halves_of_a_near_miss_pair_cannot_be_told_apart_by_length(language: str) -> None:
    ratios = [len(pair["near_miss"]) / len(pair["answerable"]) for pair in PAIRS if pair["language"] == language]
    assert all(0.75 <= ratio <= 1.34 for ratio in ratios)
    assert 0.95 <= mean(ratios) <= 1.05
