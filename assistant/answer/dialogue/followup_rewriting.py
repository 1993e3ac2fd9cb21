"""Have a language model rewrite a follow-up as a standalone question.

The result is one more reading of the follow-up. It is searched and read like the others
(`assistant.answer.dialogue.followup_readings`), so a wrong one finds nothing and is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from assistant.llm.base import reply
from assistant.types import Message
from assistant.verify.injection_filter import commands
from prompts import load
from store.errors import LanguageModelError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

SYSTEM, QUESTION = "rewrite.system", "rewrite.question"
MESSAGES = 6
"""How many of the latest messages the model gets."""
LONGEST_ANSWER = 300
"""Characters that it gets of an answer."""
LONGEST = 300
"""Characters of the question that it may write."""
TOKENS = 120


def rewrite(question: str, history: Sequence[Message], llm: LLM) -> str | None:
    """Return `question` as `llm` rewrites it after `history` (oldest first); None if the result is unusable."""
    from llama_index.core.llms import ChatMessage

    turns = [_told(message) for message in history[-MESSAGES:] if not commands(message.text)]
    asked = load(QUESTION).render(turns=turns, question=" ".join(question.split()))
    messages = [
        ChatMessage(role="system", content=load(SYSTEM).render()),
        ChatMessage(role="user", content=asked),
    ]
    text = ""
    try:
        with closing(reply(llm, messages, TOKENS)) as pieces:
            for piece in pieces:
                text += piece
                if "\n" in text.strip() or len(text) > LONGEST:
                    break
    except LanguageModelError:
        return None  # The rules' readings exist in any case.
    line = text.strip().partition("\n")[0].strip()
    return line if 0 < len(line) <= LONGEST else None


def _told(message: Message) -> str:
    words = " ".join(message.text.split())
    return f"Question: {words}" if message.role == "user" else f"Answer: {words[:LONGEST_ANSWER]}"
