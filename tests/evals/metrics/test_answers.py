from __future__ import annotations

import json
import re
import string
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from evals.metrics.answers import chrf, exact_match, gold_contained, token_f1
from evals.text import fold

ASCII = st.text(alphabet=string.ascii_letters + string.digits + string.punctuation + "    ", max_size=40)
ANY = st.text(alphabet=st.sampled_from("abc déf กขคน้ำ ơưấ 你好 ١٢ 🙂"), max_size=30)


def published_normalization(text: str) -> str:
    """The steps that the SQuAD paper's evaluation names: lower, no punctuation, no articles, one space."""
    text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def published_f1(answer: str, gold: str) -> float:
    ours, theirs = published_normalization(answer).split(), published_normalization(gold).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(ours), shared / len(theirs)
    return 2 * precision * recall / (precision + recall)


@given(ASCII, st.lists(ASCII, min_size=1, max_size=3))
def test_english_is_scored_as_the_published_squad_rules_say(answer: str, golds: list[str]) -> None:
    expected = max(float(published_normalization(answer) == published_normalization(gold)) for gold in golds)
    assert exact_match(answer, golds, "en") == expected
    assert token_f1(answer, golds, "en") == pytest.approx(max(published_f1(answer, gold) for gold in golds))


def test_real_english_questions_are_scored_as_published(shared: Path) -> None:
    squad = json.loads((shared / "data/xquad-dev/xquad.en.json").read_text(encoding="utf-8"))
    compared = 0
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            sentence = paragraph["context"].split(". ")[0]
            for question in paragraph["qas"]:
                gold = question["answers"][0]["text"]
                if (sentence + gold).isascii():
                    assert token_f1(sentence, [gold], "en") == pytest.approx(published_f1(sentence, gold))
                    compared += 1
    assert compared > 200


@given(ANY, st.lists(ANY, min_size=1, max_size=3))
def test_chrf_is_that_of_sacrebleu(answer: str, golds: list[str]) -> None:
    oracle = CHRF().sentence_score(fold(answer), [fold(gold) for gold in golds])
    assert chrf(answer, golds) == pytest.approx(oracle.score / 100, abs=1e-9)


@given(ANY.filter(lambda text: bool(fold(text).strip())), st.sampled_from(["en", "th", "vi", None]))
def test_an_answer_agrees_with_itself(answer: str, language: str | None) -> None:
    assert exact_match(answer, [answer], language) == 1
    assert token_f1(answer, [answer], language) == 1
    assert gold_contained(answer, [answer]) == 1


def test_without_gold_there_is_no_score() -> None:
    assert exact_match("x", []) is token_f1("x", []) is chrf("x", []) is gold_contained("x", []) is None


def test_a_thai_answer_gets_credit_for_the_words_it_shares() -> None:
    gold = "สมาคมสหประชาชาติแห่งประเทศจีน"
    assert exact_match("สมาคมสหประชาชาติ", [gold], "th") == 0
    assert 0.4 < (token_f1("สมาคมสหประชาชาติ", [gold], "th") or 0) < 1


def test_digits_of_another_script_are_the_same_number() -> None:
    assert exact_match("๓๐๘", ["308"], "th") == exact_match("٣٠٨", ["308"], "ar") == 1


def test_articles_go_only_in_english() -> None:
    assert exact_match("the Panthers", ["Panthers"], "en") == 1
    assert exact_match("the Panthers", ["Panthers"], "vi") == 0


def test_a_number_is_not_found_inside_another() -> None:
    assert gold_contained("They conceded 1308 points.", ["308"]) == 0
    assert gold_contained("ทีมเสีย ๓๐๘ แต้ม", ["308"]) == 1
