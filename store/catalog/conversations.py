"""Conversations, stored in the catalog: each question with its whole answer object.

A conversation is a tree of turns: editing an earlier question starts a branch, and `leaf` says which branch is
shown. The store treats an answer as opaque JSON, so its sources are in the same row.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import regex

from store.catalog.schema import migrate
from store.catalog.sqlite import connect, translate_errors
from store.errors import NotFoundError
from store.text.fold import fold

TurnState = Literal["asked", "finished", "stopped", "failed"]
Rating = Literal["good", "bad"]
TITLE_LENGTH = 80
_DELETE_FEEDBACK = "DELETE FROM feedback WHERE turn = ? AND citation IS ?"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation, without its turns."""

    id: str
    owner: str
    title: str
    created: str
    """ISO 8601 in UTC, as are all times here."""
    updated: str
    leaf: str | None
    """The last turn of the branch that is shown."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer."""

    id: str
    conversation: str
    parent: str | None
    question: str
    options: str
    """The options of the question, JSON."""
    state: TurnState
    answer: str | None
    """The answer object, JSON; None until it is finished, or where none came."""
    created: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reader's verdict on an answer, or on one citation in it, with the whole answer."""

    id: str
    turn: str
    citation: int | None
    verdict: Rating
    comment: str
    answer: str
    created: str


class Conversations:
    """The conversations in one catalog file. Use it from any thread."""

    def __init__(self, catalog: Path) -> None:
        """Connect to the existing catalog at `catalog`; see `open`."""
        self._catalog = catalog
        self._lock = threading.RLock()
        self._connection = connect(catalog)
        self._connection.row_factory = sqlite3.Row
        self._connection.create_function("fold", 1, lambda text: fold(text or ""), deterministic=True)

    @classmethod
    def open(cls, catalog: Path) -> Conversations:
        """Open the conversations in the catalog file at `catalog`, making or migrating it first.

        Raises LibraryError, SchemaVersionError; every method raises LibraryError while the catalog stays locked.
        """
        with translate_errors(catalog):
            migrate(catalog)
            return cls(catalog)

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        with self._lock:
            self._connection.close()

    def start(self, owner: str, title: str) -> Conversation:
        """Start a conversation of `owner`; its title is shortened to one line."""
        now = _now()
        conversation = Conversation(_new_id(), owner, shortened(title), now, now, None)
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO conversations (id, owner, title, created, updated) VALUES (?, ?, ?, ?, ?)",
                (conversation.id, owner, conversation.title, now, now),
            )
        return conversation

    def conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation. Raises NotFoundError."""
        row = self._one("SELECT * FROM conversations WHERE id = ?", conversation_id)
        if row is None:
            raise NotFoundError(
                "This conversation is not kept here: it was deleted, or made in another library.",
                code="conversation_gone",
            )
        return Conversation(**dict(row))

    def of(self, owner: str, search: str = "", before: str | None = None, limit: int = 50) -> tuple[Conversation, ...]:
        """Return conversations of `owner`, the latest first, older than `before` (an `updated` time).

        `search` matches anywhere in titles, questions and answers, compared as `store.text.fold` does.
        """
        wanted = fold(search.strip())
        rows = self._all(
            """
            SELECT * FROM conversations AS c
            WHERE owner = ? AND (? IS NULL OR updated < ?) AND (? = '' OR instr(fold(title), ?) OR EXISTS (
                SELECT 1 FROM turns AS t WHERE t.conversation = c.id
                AND (instr(fold(t.question), ?) OR instr(fold(json_extract(t.answer, '$.text')), ?))))
            ORDER BY updated DESC, id LIMIT ?
            """,
            *(owner, before, before, wanted, wanted, wanted, wanted, limit),
        )
        return tuple(Conversation(**dict(row)) for row in rows)

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Rename a conversation; a blank title leaves the old one. Raises NotFoundError."""
        if title.strip():
            with self._transaction() as connection:
                connection.execute(
                    "UPDATE conversations SET title = ? WHERE id = ?", (shortened(title), conversation_id)
                )
        return self.conversation(conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation with its turns. Raises NotFoundError. Feedback that was given stays."""
        self.conversation(conversation_id)
        with self._transaction() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def delete_all(self, owner: str) -> None:
        """Delete all conversations of `owner`. Feedback that was given stays."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM conversations WHERE owner = ?", (owner,))

    def hand_over(self, owner: str, heir: str) -> None:
        """Make all conversations of `owner` those of `heir`."""
        with self._transaction() as connection:
            connection.execute("UPDATE conversations SET owner = ? WHERE owner = ?", (heir, owner))

    def ask(self, conversation_id: str, parent: str | None, question: str, options: str = "{}") -> Turn:
        """Store a question before its answer is known. Raises NotFoundError.

        `parent` is the turn that it follows; a second question after the same parent starts a branch.
        """
        self.conversation(conversation_id)
        if parent is not None and self.turn(parent).conversation != conversation_id:
            raise NotFoundError(
                "The question that this one follows belongs to another conversation.", code="question_follows_other"
            )
        turn = Turn(_new_id(), conversation_id, parent, question, options, "asked", None, _now())
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO turns (id, conversation, parent, question, options, state, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (turn.id, conversation_id, parent, question, options, turn.state, turn.created),
            )
            connection.execute(
                "UPDATE conversations SET leaf = ?, updated = ? WHERE id = ?",
                (turn.id, turn.created, conversation_id),
            )
        return turn

    def close_turn(self, turn_id: str, state: TurnState, answer: str | None) -> Turn:
        """Store how a question ended. Raises NotFoundError if its conversation was deleted meanwhile."""
        with self._transaction() as connection:
            connection.execute("UPDATE turns SET state = ?, answer = ? WHERE id = ?", (state, answer, turn_id))
        return self.turn(turn_id)

    def turn(self, turn_id: str) -> Turn:
        """Return a turn. Raises NotFoundError."""
        row = self._one("SELECT * FROM turns WHERE id = ?", turn_id)
        if row is None:
            raise NotFoundError("This question is not kept here: its conversation was deleted.", code="question_gone")
        return Turn(**dict(row))

    def branch(self, conversation_id: str, leaf: str | None = None) -> tuple[Turn, ...]:
        """Return the turns from the first to `leaf`, or to the conversation's own leaf. Raises NotFoundError."""
        end = leaf or self.conversation(conversation_id).leaf
        rows = self._all(
            """
            WITH RECURSIVE back (id, parent, depth) AS (
                SELECT id, parent, 0 FROM turns WHERE id = ? AND conversation = ?
                UNION ALL SELECT t.id, t.parent, depth + 1 FROM turns AS t JOIN back ON t.id = back.parent)
            SELECT turns.* FROM back JOIN turns USING (id) ORDER BY depth DESC
            """,
            *(end, conversation_id),
        )
        return tuple(Turn(**dict(row)) for row in rows)

    def siblings(self, conversation_id: str) -> dict[str, tuple[str, ...]]:
        """Return for each turn that has alternatives, by its id, all of them in the order they were asked."""
        rows = self._all("SELECT id, parent FROM turns WHERE conversation = ? ORDER BY created, rowid", conversation_id)
        by_parent: dict[str | None, list[str]] = {}
        for row in rows:
            by_parent.setdefault(row["parent"], []).append(row["id"])
        return {turn: tuple(group) for group in by_parent.values() if len(group) > 1 for turn in group}

    def show_branch(self, conversation_id: str, turn_id: str) -> Conversation:
        """Show the branch that `turn_id` is on, down to its latest leaf. Raises NotFoundError."""
        if self.turn(turn_id).conversation != conversation_id:
            raise NotFoundError("This question belongs to another conversation.", code="question_other")
        leaf = self._one(
            """
            WITH RECURSIVE below (id, created) AS (
                SELECT id, created FROM turns WHERE id = ?
                UNION ALL SELECT t.id, t.created FROM turns AS t JOIN below ON t.parent = below.id)
            SELECT id FROM below WHERE id NOT IN (SELECT parent FROM turns WHERE parent IS NOT NULL)
            ORDER BY created DESC LIMIT 1
            """,
            turn_id,
        )
        with self._transaction() as connection:
            shown = leaf["id"] if leaf else turn_id
            connection.execute("UPDATE conversations SET leaf = ? WHERE id = ?", (shown, conversation_id))
        return self.conversation(conversation_id)

    def give_feedback(self, turn_id: str, verdict: Rating, citation: int | None = None, comment: str = "") -> Feedback:
        """Store a verdict on an answer or a citation, with a copy of the answer. Raises NotFoundError.

        A second verdict on the same thing replaces the first.
        """
        turn = self.turn(turn_id)
        if turn.answer is None:
            raise NotFoundError("This question has no answer yet that could be judged.", code="question_unjudged")
        given = Feedback(_new_id(), turn_id, citation, verdict, comment, turn.answer, _now())
        with self._transaction() as connection:
            connection.execute(_DELETE_FEEDBACK, (turn_id, citation))
            connection.execute(
                "INSERT INTO feedback (id, turn, citation, verdict, comment, answer, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (given.id, turn_id, citation, verdict, comment, given.answer, given.created),
            )
        return given

    def withdraw_feedback(self, turn_id: str, citation: int | None = None) -> None:
        """Delete the verdict on an answer or a citation, if there is one."""
        with self._transaction() as connection:
            connection.execute(_DELETE_FEEDBACK, (turn_id, citation))

    def feedback(self, turn_id: str | None = None) -> tuple[Feedback, ...]:
        """Return all verdicts, or those on one turn, the oldest first."""
        rows = self._all("SELECT * FROM feedback WHERE ? IS NULL OR turn = ? ORDER BY created, rowid", turn_id, turn_id)
        return tuple(Feedback(**dict(row)) for row in rows)

    def _one(self, statement: str, *values: object) -> sqlite3.Row | None:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with translate_errors(self._catalog), self._lock:
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with translate_errors(self._catalog), self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection


def shortened(title: str) -> str:
    """Return the title on one line of at most `TITLE_LENGTH` characters, not cut inside a written character."""
    line = " ".join(title.split())
    if len(line) <= TITLE_LENGTH:
        return line
    kept = ""
    for character in regex.findall(r"\X", line):
        if len(kept) + len(character) >= TITLE_LENGTH:
            break
        kept += character
    return kept.rstrip() + "…"


def _new_id() -> str:
    """Return sixteen random bytes: an id that can't be guessed."""
    return secrets.token_urlsafe(16)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
