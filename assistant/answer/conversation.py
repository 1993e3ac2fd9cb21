"""Makes a follow-up question stand alone, and keeps a conversation within a budget of tokens.

By rules, which are instant and understand most follow-ups; or by a language model, where one is given. A model's
rewriting is only taken if it is one question that keeps the names and numbers of what it rewrites; else the rules'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import regex

from assistant.answer.followups import resolve
from assistant.types import Message
from prompts import load
from store.errors import LanguageModelError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

HISTORY_TOKENS = 400
"""What a model is given of the conversation to rewrite a question."""
ANSWER_CHARACTERS = 300
"""Of each earlier answer: what a question points back to mostly stands at its beginning."""
REWRITE_TOKENS = 80


def standalone(question: str, history: Sequence[Message], llm: LLM | None = None) -> str:
    """`question` with what it takes from `history` (oldest first) said in it.

    Without a model by rules (`assistant.answer.followups`). A question that already stands alone comes back unchanged.
    """
    by_rules = resolve(question, history)
    if llm is None or not history:
        return by_rules
    return _rewritten(question, history, llm) or by_rules


def _rewritten(question: str, history: Sequence[Message], llm: LLM) -> str | None:
    """The model's rewriting, or None where it failed or isn't one."""
    from llama_index.core.llms import ChatMessage

    from assistant.llm.base import counter_of, stream_text

    try:
        recent = within_budget(history, HISTORY_TOKENS, counter_of(llm)) or tuple(history[-2:])
        turns = [
            {"speaker": each.role.capitalize(), "text": " ".join(each.text.split())[:ANSWER_CHARACTERS]}
            for each in recent
        ]
        prompt = load("standalone.neutral").render(turns=turns, question=" ".join(question.split()))
        reply = "".join(stream_text(llm, [ChatMessage(role="user", content=prompt)], max_tokens=REWRITE_TOKENS))
    except LanguageModelError:
        return None
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    text = lines[0].removeprefix("Rewritten:").strip().strip('"') if lines else ""
    said = " ".join([question, *(each.text for each in history)]).casefold()
    asked = regex.findall(r"\p{N}+|\p{Lu}\p{L}+", question[1:])
    kept = all(word.casefold() in text.casefold() for word in asked)
    invented = [number for number in regex.findall(r"\p{N}+", text) if number not in said]
    return text if text and len(text) <= 4 * len(question) + 200 and kept and not invented else None


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
