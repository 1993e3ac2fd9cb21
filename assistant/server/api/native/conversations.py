"""``/api/conversations`` and ``/api/feedback``: saved questions and answers, and readers' ratings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.server.api.choices import WHOLE
from assistant.server.api.native.errors import problems
from assistant.server.auth.conversation_access import changeable, own_conversation, own_turn
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.dependencies import Caller
from assistant.server.page.feedback_export import suite_of_feedback
from assistant.server.services import Services
from assistant.types import Answer
from store.catalog.conversations import Conversation

_AT_ONCE = 50


class ConversationInfo(BaseModel):
    """A conversation as it is listed."""

    id: str
    title: str
    created: str
    """ISO 8601 in UTC, like all times."""
    updated: str
    leaf: str | None
    """The last turn of the branch shown."""


class ConversationList(BaseModel):
    """Conversations, the latest first."""

    conversations: list[ConversationInfo]
    next: str | None
    """The value of `before` for older ones; None if there are none."""


class TurnInfo(BaseModel):
    """A question and its answer."""

    id: str
    parent: str | None
    question: str
    state: Literal["asked", "finished", "stopped", "failed"]
    answer: Answer | None
    created: str


class WholeConversation(ConversationInfo):
    """A conversation with the turns of the branch that is shown."""

    turns: list[TurnInfo]


class Title(BaseModel):
    """What a conversation is called."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Verdict(BaseModel):
    """What a reader thinks of an answer, or of one citation in it; none takes it back."""

    model_config = ConfigDict(extra="forbid")

    turn: str
    verdict: Literal["good", "bad", "none"]
    citation: Annotated[int | None, Field(ge=1, le=2**31), WHOLE] = None
    comment: Annotated[str, Field(max_length=4000)] = ""


def conversations_router(services: Services) -> APIRouter:
    """Return the routes about the caller's own conversations."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")], tags=["conversations"])
    conversations = services.conversations

    @router.get("/conversations", responses=problems())
    def listed(
        caller: Caller,
        find: Annotated[str, Query(max_length=200)] = "",
        before: Annotated[str | None, Query(max_length=100)] = None,
    ) -> ConversationList:
        """List one's conversations; with `find` those in which it was said."""
        found = conversations.of(caller.owner, find, before, limit=_AT_ONCE)
        following = found[-1].updated if len(found) == _AT_ONCE else None
        return ConversationList(conversations=[_info(item) for item in found], next=following)

    @router.get("/conversations/{conversation_id}", responses=problems(404))
    def opened(conversation_id: str, caller: Caller) -> WholeConversation:
        """Read a conversation."""
        found = own_conversation(conversations, caller, conversation_id)
        turns = [
            TurnInfo(
                id=turn.id,
                parent=turn.parent,
                question=turn.question,
                state=turn.state,
                answer=Answer.model_validate_json(turn.answer) if turn.answer else None,
                created=turn.created,
            )
            for turn in conversations.branch(conversation_id)
        ]
        return WholeConversation(**_info(found).model_dump(), turns=turns)

    @router.patch("/conversations/{conversation_id}", responses=problems(404))
    def renamed(conversation_id: str, body: Title, caller: Caller) -> ConversationInfo:
        """Give a conversation another title."""
        changeable(conversations, caller, conversation_id)
        return _info(conversations.rename(conversation_id, body.title))

    @router.delete("/conversations/{conversation_id}", status_code=204, responses=problems(404))
    def deleted(conversation_id: str, caller: Caller) -> None:
        """Delete a conversation with its answers."""
        changeable(conversations, caller, conversation_id)
        conversations.delete(conversation_id)

    @router.post("/feedback", responses=problems(400, 404))
    def judged(body: Verdict, caller: Caller) -> Verdict:
        """Judge an answer of one's own conversations."""
        own_turn(conversations, caller, body.turn)
        if body.verdict == "none":
            conversations.withdraw_feedback(body.turn, body.citation)
        else:
            conversations.give_feedback(body.turn, body.verdict, body.citation, body.comment)
        return body

    return router


def feedback_router(services: Services) -> APIRouter:
    """Return the routes about everybody's feedback."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("administer")], tags=["conversations"])
    replies: dict[int | str, dict[str, Any]] = {200: {"content": {"application/yaml": {"schema": {}}}}}

    @router.get("/feedback", response_class=Response, responses=replies | problems())
    def suite() -> Response:
        """Read all that readers said of answers, as an evaluation suite."""
        return Response(suite_of_feedback(services.conversations), media_type="application/yaml")

    return router


def _info(conversation: Conversation) -> ConversationInfo:
    values = asdict(conversation)
    return ConversationInfo(**{name: values[name] for name in ConversationInfo.model_fields})
