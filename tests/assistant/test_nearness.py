"""A follow-up's answer is looked for near the last quote first."""

from __future__ import annotations

from assistant.answer.nearness import leaving_out, nearer
from assistant.extractive_qa.candidates import Candidate, ReadPassages
from store.types import Span
from tests.assistant.extractive_qa.hits import hit

SENTENCES = ("It was first elected in 2013.", "It got 184 votes.", "The second time it got 145.", "Others got 60.")


def in_order(*scores: float) -> tuple[ReadPassages, str]:
    one = hit("\n".join(SENTENCES))
    ordered = [
        Candidate(sentence, one, score, heading=False) for sentence, score in zip(one.sentences, scores, strict=True)
    ]
    return ReadPassages(tuple(sorted(ordered, key=lambda each: -each.score))), one.document.id


def test_of_sentences_that_answer_alike_the_one_right_behind_the_quote_comes_first() -> None:
    read, document = in_order(1.0, 1.0, 1.0, 1.0)
    near = nearer(read, [(document, Span(0, len(SENTENCES[0])))])
    assert [each.words for each in near.ordered] == [SENTENCES[at] for at in (1, 2, 0, 3)]


def test_a_sentence_that_answers_far_better_comes_first_wherever_it_stands() -> None:
    read, document = in_order(1.0, 1.0, 1.0, 3.0)
    assert nearer(read, [(document, Span(0, len(SENTENCES[0])))]).ordered[0].words == SENTENCES[3]


def test_another_document_s_quote_and_none_change_nothing() -> None:
    read, _ = in_order(1.0, 2.0, 3.0, 4.0)
    assert nearer(read, ()) == read
    assert nearer(read, [("another", Span(0, 30))]).ordered == read.ordered


def test_a_sentence_that_answered_before_is_left_out_and_no_other() -> None:
    read, document = in_order(4.0, 3.0, 2.0, 1.0)
    left = leaving_out(read, [(document, Span(0, len(SENTENCES[0])))])
    assert [each.words for each in left.ordered] == list(SENTENCES[1:])
    assert leaving_out(read, [("another", Span(0, 30))]) == read
