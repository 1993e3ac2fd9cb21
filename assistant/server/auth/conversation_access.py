"""Limit conversations to the visitor's own, once signed in; for them, others' conversations don't exist.

Without accounts, everyone on the machine who has a conversation's address can read it, but only the browser that began
it can change it.
"""

from __future__ import annotations

from assistant.accounts.account import Visitor
from store.catalog.conversations import Conversation, Conversations, Turn
from store.errors import NotFoundError


def own_conversation(conversations: Conversations, visitor: Visitor, conversation_id: str) -> Conversation:
    """Return a conversation that the visitor may read. Raises the same NotFoundError for others' and for missing ones."""
    found = conversations.conversation(conversation_id)
    if visitor.name is not None and found.owner != visitor.owner:
        raise NotFoundError(
            "This conversation is not kept here: it was deleted, or made in another library.", code="conversation_gone"
        )
    return found


def changeable(conversations: Conversations, visitor: Visitor, conversation_id: str) -> Conversation:
    """Return a conversation that the visitor may rename and delete. Raises NotFoundError."""
    found = own_conversation(conversations, visitor, conversation_id)
    if found.owner != visitor.owner:
        raise NotFoundError(
            "This conversation was begun in another browser; only there it can be changed.", code="conversation_other"
        )
    return found


def own_turn(conversations: Conversations, visitor: Visitor, turn_id: str) -> Turn:
    """Return a turn of a conversation that the visitor may read. Raises NotFoundError, like `own_conversation`."""
    turn = conversations.turn(turn_id)
    try:
        own_conversation(conversations, visitor, turn.conversation)
    except NotFoundError:
        raise NotFoundError(
            "This question is not kept here: its conversation was deleted.", code="question_gone"
        ) from None
    return turn
