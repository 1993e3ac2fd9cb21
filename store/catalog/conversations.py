"""Store conversations in the catalog: each question with its whole answer object.

A conversation is a tree of turns: editing an earlier question starts a branch, and `leaf` says which branch is
shown. The store treats an answer as opaque JSON, so its sources are in the same row.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import regex
import sqlalchemy as sa
from sqlalchemy import URL, Executable, bindparam

from store.catalog.conversation_queries import (
    BRANCH,
    CONVERSATION,
    FEEDBACK,
    LATEST_LEAF,
    SIBLINGS,
    TURN,
    conversation_pages,
    delete_feedback,
    matching,
)
from store.catalog.engine import Database
from store.catalog.schema import migrate
from store.catalog.tables import conversations, feedback, turns
from store.errors import NotFoundError
from store.text.fold import fold

if TYPE_CHECKING:
    from store.catalog.tables import AnyRow

TurnState = Literal["asked", "finished", "stopped", "failed"]
Rating = Literal["good", "bad"]
TITLE_LENGTH = 80
_PAGE = 50
"""Conversations read at a time during a search."""
_C, _T, _F = conversations.c, turns.c, feedback.c
_CONVERSATION_BY_ID = CONVERSATION.where(_C.id == bindparam("id"))
_TURN_BY_ID = TURN.where(_T.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation, without its turns."""

    id: str
    owner: str
    title: str
    created: str
    """ISO 8601 in UTC, like all times here."""
    updated: str
    leaf: str | None
    """The last turn of the branch shown."""


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
    """The answer object, JSON; None until it is finished, or if there is none."""
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
    """The conversations in one catalog. Use it from any thread."""

    def __init__(self, database: Database) -> None:
        """Use the existing catalog in `database`; see `open`."""
        self._database = database

    @classmethod
    def open(cls, catalog: Path | URL) -> Conversations:
        """Open the conversations in the catalog at `catalog`; create or migrate it first.

        Raises LibraryError, SchemaVersionError; every method raises LibraryError while the catalog stays locked.
        """
        migrate(catalog)
        return cls(Database.connect(catalog, "conversations"))

    def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        self._database.close()

    def start(self, owner: str, title: str) -> Conversation:
        """Start a conversation of `owner`; its title is shortened to one line."""
        with self._database.writing() as connection:
            now = self._database.now(connection)
            conversation = Conversation(_new_id(), owner, shortened(title), now, now, None)
            connection.execute(sa.insert(conversations).values(asdict(conversation)))
        return conversation

    def conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation. Raises NotFoundError."""
        row = self._one(_CONVERSATION_BY_ID, id=conversation_id)
        if row is None:
            raise NotFoundError(
                "This conversation is not kept here: it was deleted, or made in another library.",
                code="conversation_gone",
            )
        return Conversation(*row)

    def of(self, owner: str, search: str = "", before: str | None = None, limit: int = 50) -> tuple[Conversation, ...]:
        """Return conversations of `owner`, latest first, older than `before` (an `updated` time).

        `search` matches anywhere in titles, questions and answers, compared like `store.text.fold`.
        """
        wanted = fold(search.strip())
        found: list[AnyRow] = []
        with self._database.reading() as connection:
            for page in conversation_pages(connection, owner, before, _PAGE if wanted else limit):
                found += matching(connection, page, wanted) if wanted else page
                if len(found) >= limit:
                    break
        return tuple(Conversation(*row) for row in found[:limit])

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Rename a conversation; a blank title keeps the old one. Raises NotFoundError."""
        if title.strip():
            self._change(sa.update(conversations).where(_C.id == conversation_id).values(title=shortened(title)))
        return self.conversation(conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation with its turns. Raises NotFoundError. Feedback on it stays."""
        self.conversation(conversation_id)
        self._change(sa.delete(conversations).where(_C.id == conversation_id))

    def delete_all(self, owner: str) -> None:
        """Delete all conversations of `owner`. Feedback on them stays."""
        self._change(sa.delete(conversations).where(_C.owner == owner))

    def hand_over(self, owner: str, heir: str) -> None:
        """Give all conversations of `owner` to `heir`."""
        self._change(sa.update(conversations).where(_C.owner == owner).values(owner=heir))

    def ask(self, conversation_id: str, parent: str | None, question: str, options: str = "{}") -> Turn:
        """Store a question before its answer is known. Raises NotFoundError.

        `parent` is the turn before it; a second question after the same parent begins a branch.
        """
        self.conversation(conversation_id)
        if parent is not None and self.turn(parent).conversation != conversation_id:
            raise NotFoundError(
                "The question that this one follows belongs to another conversation.", code="question_follows_other"
            )
        try:
            with self._database.writing() as connection:
                now = self._database.now(connection)
                turn = Turn(_new_id(), conversation_id, parent, question, options, "asked", None, now)
                connection.execute(sa.insert(turns).values(asdict(turn)))
                its_conversation = sa.update(conversations).where(_C.id == conversation_id)
                connection.execute(its_conversation.values(leaf=turn.id, updated=now))
        except sa.exc.IntegrityError as error:
            raise NotFoundError(
                "This question is not kept here: its conversation was deleted.", code="question_gone"
            ) from error
        return turn

    def close_turn(self, turn_id: str, state: TurnState, answer: str | None) -> Turn:
        """Store how a question ended. Raises NotFoundError if its conversation was deleted meanwhile."""
        self._change(sa.update(turns).where(_T.id == turn_id).values(state=state, answer=answer))
        return self.turn(turn_id)

    def turn(self, turn_id: str) -> Turn:
        """Return a turn. Raises NotFoundError."""
        row = self._one(_TURN_BY_ID, id=turn_id)
        if row is None:
            raise NotFoundError("This question is not kept here: its conversation was deleted.", code="question_gone")
        return Turn(*row)

    def branch(self, conversation_id: str, leaf: str | None = None) -> tuple[Turn, ...]:
        """Return the turns from the first to `leaf`, or to the conversation's own leaf. Raises NotFoundError."""
        end = leaf or self.conversation(conversation_id).leaf
        rows = self._all(BRANCH, leaf=end, conversation=conversation_id)
        return tuple(Turn(*row) for row in rows)

    def siblings(self, conversation_id: str) -> dict[str, tuple[str, ...]]:
        """Return all alternatives of each turn that has some, by its id, in the order in which they were asked."""
        by_parent: dict[str | None, list[str]] = {}
        for turn, parent in self._all(SIBLINGS, conversation=conversation_id):
            by_parent.setdefault(parent, []).append(turn)
        return {turn: tuple(group) for group in by_parent.values() if len(group) > 1 for turn in group}

    def show_branch(self, conversation_id: str, turn_id: str) -> Conversation:
        """Show the branch that `turn_id` is on, down to its latest leaf. Raises NotFoundError."""
        if self.turn(turn_id).conversation != conversation_id:
            raise NotFoundError("This question belongs to another conversation.", code="question_other")
        leaf = self._one(LATEST_LEAF, turn=turn_id)
        shown = leaf[0] if leaf else turn_id
        self._change(sa.update(conversations).where(_C.id == conversation_id).values(leaf=shown))
        return self.conversation(conversation_id)

    def give_feedback(self, turn_id: str, verdict: Rating, citation: int | None = None, comment: str = "") -> Feedback:
        """Store a verdict on an answer or a citation, with a copy of the answer. Raises NotFoundError.

        A second verdict on the same thing replaces the first.
        """
        turn = self.turn(turn_id)
        if turn.answer is None:
            raise NotFoundError("This question has no answer yet that could be judged.", code="question_unjudged")
        with self._database.writing() as connection:
            given = Feedback(
                _new_id(), turn_id, citation, verdict, comment, turn.answer, self._database.now(connection)
            )
            connection.execute(delete_feedback(turn_id, citation))
            connection.execute(sa.insert(feedback).values(asdict(given)))
        return given

    def withdraw_feedback(self, turn_id: str, citation: int | None = None) -> None:
        """Delete the verdict on an answer or a citation, if there is one."""
        self._change(delete_feedback(turn_id, citation))

    def feedback(self, turn_id: str | None = None) -> tuple[Feedback, ...]:
        """Return all verdicts, or those on one turn, oldest first."""
        wanted = FEEDBACK if turn_id is None else FEEDBACK.where(_F.turn == turn_id)
        return tuple(Feedback(*row) for row in self._all(wanted))

    def _one(self, statement: Executable, **values: object) -> AnyRow | None:
        rows = self._all(statement, **values)
        return rows[0] if rows else None

    def _all(self, statement: Executable, **values: object) -> list[AnyRow]:
        with self._database.reading() as connection:
            return list(connection.execute(statement, values))

    def _change(self, *statements: Executable) -> None:
        """Run the statements in one transaction."""
        with self._database.writing() as connection:
            for statement in statements:
                connection.execute(statement)


def shortened(title: str) -> str:
    """Return the title on one line of at most `TITLE_LENGTH` characters, cut only between graphemes."""
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
