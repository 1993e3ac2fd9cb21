"""Makes a follow-up question stand alone, and keeps a conversation within a budget of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistant.followups import resolve
from assistant.types import Message

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


def standalone(question: str, history: Sequence[Message], llm: LLM | None = None) -> str:
    """`question` with what it takes from `history` (oldest first) said in it.

    Without a model by rules (`assistant.followups`). A question that already
    stands alone comes back unchanged.
    """
    return resolve(question, history)


def within_budget(history: Sequence[Message], tokens: int, count: Callable[[str], int]) -> tuple[Message, ...]:
    """The latest messages of `history` whose texts hold at most `tokens` together, as `count` counts them.

    Cut between whole turns only: what is kept starts with a message of the user.
    """
    kept: list[Message] = []
    left = tokens
    for message in reversed(history):
        left -= count(message.text)
        if left < 0:
            break
        kept.append(message)
    while kept and kept[-1].role != "user":
        kept.pop()
    return tuple(reversed(kept))
