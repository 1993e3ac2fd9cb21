"""Conversations lose nothing, mix nothing up, and keep sources with their message."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from store.catalog import engine
from store.catalog.conversations import TITLE_LENGTH, Conversations, shortened
from store.errors import LibraryError, NotFoundError


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


@pytest.fixture
def conversations(catalog: Path) -> Iterator[Conversations]:
    kept = Conversations.open(catalog)
    yield kept
    kept.close()


def answered(kept: Conversations, conversation: str, parent: str | None, question: str) -> str:
    turn = kept.ask(conversation, parent, question)
    kept.close_turn(turn.id, "finished", json.dumps({"text": f"answer to {question}"}, ensure_ascii=False))
    return turn.id


def test_a_conversation_is_there_after_a_restart_with_its_answers(catalog: Path) -> None:
    first = Conversations.open(catalog)
    started = first.start("anna", "ฟอรัมใต้-ใต้ครั้งแรกจัดขึ้นเมื่อใด")
    turn = answered(first, started.id, None, "ฟอรัมใต้-ใต้ครั้งแรกจัดขึ้นเมื่อใด")
    first.close()

    again = Conversations.open(catalog)
    assert [conversation.id for conversation in again.of("anna")] == [started.id]
    assert [(kept.id, kept.state) for kept in again.branch(started.id)] == [(turn, "finished")]
    assert "answer to ฟอรัม" in (again.branch(started.id)[0].answer or "")
    again.close()


def test_each_owner_sees_only_their_own_conversations(conversations: Conversations) -> None:
    conversations.start("anna", "hers")
    conversations.start("binh", "his")
    assert [conversation.title for conversation in conversations.of("anna")] == ["hers"]
    assert [conversation.title for conversation in conversations.of("binh", search="hers")] == []


def test_an_edited_question_starts_a_branch_and_the_old_one_can_be_shown_again(
    conversations: Conversations,
) -> None:
    started = conversations.start("anna", "branches")
    first = answered(conversations, started.id, None, "one")
    second = answered(conversations, started.id, first, "two")
    third = answered(conversations, started.id, second, "three")
    other = answered(conversations, started.id, first, "two, in other words")

    assert [turn.id for turn in conversations.branch(started.id)] == [first, other]
    assert conversations.siblings(started.id) == {second: (second, other), other: (second, other)}

    conversations.show_branch(started.id, second)
    assert [turn.id for turn in conversations.branch(started.id)] == [first, second, third]


def test_a_question_can_not_follow_one_of_another_conversation(conversations: Conversations) -> None:
    one, other = conversations.start("anna", "one"), conversations.start("binh", "other")
    turn = answered(conversations, one.id, None, "q")
    with pytest.raises(NotFoundError):
        conversations.ask(other.id, turn, "mixed up")


@pytest.mark.parametrize("wanted", ["DIỄN ĐÀN", "diễn đàn", "diễn đàn", "ฟอรัม", "answer to", "100%"])
def test_search_finds_words_in_titles_questions_and_answers_in_any_script(
    conversations: Conversations, wanted: str
) -> None:
    started = conversations.start("anna", "Diễn đàn 2021")
    answered(conversations, started.id, None, "ฟอรัม 100%?")
    conversations.start("anna", "something else_")
    assert [found.id for found in conversations.of("anna", search=wanted)] == [started.id]


def test_signs_of_the_query_language_match_only_themselves(conversations: Conversations) -> None:
    conversations.start("anna", "plain")
    assert conversations.of("anna", search="%") == ()
    assert conversations.of("anna", search="_") == ()


def test_a_deleted_conversation_is_gone_with_its_turns_but_feedback_stays(
    conversations: Conversations,
) -> None:
    started = conversations.start("anna", "gone")
    turn = answered(conversations, started.id, None, "q")
    conversations.give_feedback(turn, "bad", citation=1, comment="wrong page")
    conversations.delete(started.id)

    with pytest.raises(NotFoundError):
        conversations.conversation(started.id)
    with pytest.raises(NotFoundError):
        conversations.turn(turn)
    (kept,) = conversations.feedback()
    assert (kept.citation, kept.comment) == (1, "wrong page")
    assert json.loads(kept.answer) == {"text": "answer to q"}


def test_a_second_verdict_replaces_the_first_and_can_be_withdrawn(conversations: Conversations) -> None:
    started = conversations.start("anna", "t")
    turn = answered(conversations, started.id, None, "q")
    conversations.give_feedback(turn, "bad")
    conversations.give_feedback(turn, "good")
    conversations.give_feedback(turn, "bad", citation=2)
    assert [(given.citation, given.verdict) for given in conversations.feedback(turn)] == [
        (None, "good"),
        (2, "bad"),
    ]
    conversations.withdraw_feedback(turn)
    assert [given.citation for given in conversations.feedback(turn)] == [2]


def test_older_conversations_come_in_pages_without_gap_or_repeat(conversations: Conversations) -> None:
    made = [conversations.start("anna", f"number {number}").id for number in range(7)]
    seen: list[str] = []
    before: str | None = None
    while page := conversations.of("anna", before=before, limit=3):
        seen += [conversation.id for conversation in page]
        before = page[-1].updated
    assert seen == made[::-1]


def test_many_threads_keep_their_questions_apart(conversations: Conversations) -> None:
    def talk(name: str) -> None:
        started = conversations.start(name, name)
        parent: str | None = None
        for number in range(10):
            parent = answered(conversations, started.id, parent, f"{name} {number}")

    threads = [threading.Thread(target=talk, args=(f"person {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        (only,) = conversations.of(f"person {number}")
        assert [turn.question for turn in conversations.branch(only.id)] == [
            f"person {number} {step}" for step in range(10)
        ]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_a_title_is_one_line_and_cut_only_between_written_characters(title: str) -> None:
    short = shortened(title)
    assert len(short) <= TITLE_LENGTH
    assert len(short.splitlines()) <= 1
    line = " ".join(title.split())
    if short != line:
        kept = regex.findall(r"\X", short.removesuffix("…"))
        assert regex.findall(r"\X", line)[: len(kept)] == kept


@pytest.mark.sqlite
def test_a_locked_catalog_is_an_error_in_one_sentence(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    kept = Conversations.open(catalog)
    started = kept.start("anna", "question")
    with closing(sqlite3.connect(catalog, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LibraryError, match="stayed busy"):
            kept.ask(started.id, None, "question")
        other.execute("COMMIT")
    assert kept.branch(started.id) == ()
    assert kept.ask(started.id, None, "question").state == "asked"
    kept.close()
