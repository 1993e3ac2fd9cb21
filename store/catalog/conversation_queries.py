"""Define the longer queries of conversations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, bindparam

from store.catalog.tables import conversations, feedback, turns
from store.text.fold import fold

if TYPE_CHECKING:
    from store.catalog.tables import AnyRow, Rows

_C, _T, _F = conversations.c, turns.c, feedback.c
# Turns are ordered as they were stored, because clocks of several servers differ, and may be set back.
CONVERSATION: Rows = sa.select(_C.id, _C.owner, _C.title, _C.created, _C.updated, _C.leaf)
TURN: Rows = sa.select(_T.id, _T.conversation, _T.parent, _T.question, _T.options, _T.state, _T.answer, _T.created)
FEEDBACK: Rows = sa.select(_F.id, _F.turn, _F.citation, _F.verdict, _F.comment, _F.answer, _F.created).order_by(
    _F.created, _F.rowid
)
SIBLINGS: Rows = sa.select(_T.id, _T.parent).where(_T.conversation == bindparam("conversation")).order_by(_T.rowid)


def _branch() -> Rows:
    first = sa.select(_T.id, _T.parent, sa.literal_column("0", sa.Integer).label("depth")).where(
        _T.id == bindparam("leaf"), _T.conversation == bindparam("conversation")
    )
    back = first.cte("back", recursive=True)
    back = back.union_all(
        sa.select(_T.id, _T.parent, back.c.depth + sa.literal_column("1")).where(_T.id == back.c.parent)
    )
    return TURN.join(back, back.c.id == _T.id).order_by(back.c.depth.desc())


def _latest_leaf() -> Rows:
    below = sa.select(_T.id, _T.rowid).where(_T.id == bindparam("turn")).cte("below", recursive=True)
    below = below.union_all(sa.select(_T.id, _T.rowid).where(_T.parent == below.c.id))
    child = turns.alias("child")
    has_child = sa.exists().where(child.c.parent == below.c.id)
    return sa.select(below.c.id).where(~has_child).order_by(below.c.rowid.desc()).limit(1)


BRANCH = _branch()
"""The turns from the first to `leaf`."""
LATEST_LEAF = _latest_leaf()
"""The last turn that follows `turn`, directly or not."""


def delete_feedback(turn_id: str, citation: int | None) -> sa.Delete:
    """Return the statement that deletes the verdict on an answer or a citation."""
    same: ColumnElement[bool] = _F.citation.is_(None) if citation is None else _F.citation == citation
    return sa.delete(feedback).where(_F.turn == turn_id, same)


def conversation_pages(connection: Connection, owner: str, before: str | None, size: int) -> Iterator[list[AnyRow]]:
    """Yield the conversations of `owner`, latest first, some at a time."""
    statement = CONVERSATION.where(_C.owner == owner).order_by(_C.updated.desc(), _C.id).limit(size)
    wanted = statement if before is None else statement.where(_C.updated < before)
    while page := list(connection.execute(wanted)):
        yield page
        last = page[-1]
        wanted = statement.where(
            sa.or_(_C.updated < last.updated, sa.and_(_C.updated == last.updated, _C.id > last.id))
        )


def matching(connection: Connection, page: list[AnyRow], wanted: str) -> list[AnyRow]:
    """Return the conversations that have the folded text `wanted` in their title, a question or an answer."""
    found = {each.id for each in page if wanted in fold(each.title)}
    others = [each.id for each in page if each.id not in found]
    for conversation, question, answer in connection.execute(
        sa.select(_T.conversation, _T.question, _T.answer).where(_T.conversation.in_(others))
    ):
        if conversation not in found and (wanted in fold(question) or wanted in fold(_answer_text(answer))):
            found.add(conversation)
    return [each for each in page if each.id in found]


def _answer_text(answer: str | None) -> str:
    return str(json.loads(answer).get("text") or "") if answer else ""
