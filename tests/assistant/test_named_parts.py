"""The whole assistant answers questions that name an article, a code or a resolution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.answer.pipeline import Assistant
from assistant.types import AskOptions, Message
from ingest.pipeline import ingest_paths
from store.embedding.weights import load_embedder
from store.library import Library

TEXTS = {
    "codes.md": "# Error codes of the kiln\n\nK-201: the door is open. Call us if K-201 comes back.\n\n"
    "K-202: the fan stands still. Call us if K-202 comes back.",
    "statutes.md": "# Statutes\n\n## Article 3\n\nMembers meet in May.\n\n## Article 4\n\nThe board has five members.",
    "first.txt": "C/DEC/12/340\n\nBy this decision the assembly set up a fund for bridges.",
    "second.txt": "C/DEC/13/340\n\nBy this decision the assembly closed the old harbour.",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder: Path = tmp_path_factory.mktemp("texts")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Library.open(tmp_path_factory.mktemp("home"), embedder=load_embedder()) as library:
        ingest_paths(library, sorted(folder.iterdir()))
        yield Assistant(library)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("What does K-202 mean?", "K-202: the fan stands still."),
        ("K-201", "K-201: the door is open."),
        ("มาตรา ๔ ว่าด้วยเรื่องอะไร", "The board has five members."),
        ("Điều 3 quy định gì?", "Members meet in May."),
        ("What does article four say?", "The board has five members."),
        ("Điều ba quy định gì?", "Members meet in May."),
        ("มาตราสี่ว่าด้วยเรื่องอะไร", "The board has five members."),
        ("What does decision 12/340 say?", "By this decision the assembly set up a fund for bridges."),
    ],
)
def test_what_is_named_is_quoted_from_where_it_begins(assistant: Assistant, question: str, quote: str) -> None:
    answer = assistant.answer(question)
    assert answer.answered
    assert answer.evidence[0].quote == quote


@pytest.mark.parametrize(
    "question",
    [
        "What does K-203 mean?",
        "What is decision 14/340 about?",
        "Quyết định 14/340 nói gì?",
        "มาตรา ๙ ว่าอย่างไร",
        "article nine",
    ],
)
def test_what_is_not_there_is_refused(assistant: Assistant, question: str) -> None:
    assert not assistant.answer(question).answered


def test_a_follow_up_in_words_is_read_like_one_in_digits(assistant: Assistant) -> None:
    in_words, in_digits = (
        assistant.answer(follow_up, (Message("user", asked), Message("assistant", assistant.answer(asked).text)))
        for asked, follow_up in (
            ("What does article three say?", "And article four?"),
            ("What does article 3 say?", "And article 4?"),
        )
    )
    assert in_words.question == "And article four?"
    assert in_words.standalone_question == in_digits.standalone_question
    assert in_words.evidence == in_digits.evidence


def test_a_question_as_typed_keeps_its_words(assistant: Assistant) -> None:
    asked = "What does article four say?"
    assert assistant.answer(asked, options=AskOptions(as_typed=True)).standalone_question == asked
