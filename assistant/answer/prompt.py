"""Build the prompt for a language model: the fixed part first, so that it is read only once, then quotes and question.

The fixed part is a few rules and worked examples, in all languages of the templates: small models follow examples
better than rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import regex

from assistant.llm.base import counter_of
from assistant.types import Evidence
from prompts import Template, load, phrase_in

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

SYSTEM, EXAMPLES, QUESTION = "write.system", "write.examples", "write.question"
SPARE_TOKENS = 64
"""Reserved for what a chat's template adds around messages."""


def prompt_hash(language: str) -> str:
    """Return a hash of the prompt's wording for a language, for a run's metadata."""
    return hash_of(load(SYSTEM), load(EXAMPLES), load(QUESTION), language_in_prompt("answer_in", language))


def hash_of(system: Template, examples: Template, asked: Template, language: str) -> str:
    """Return a hash that changes with any of the templates, and with the words that name the language."""
    digest = sha256(f"{asked.source}\0{language}".encode()).hexdigest()
    return "-".join((system.hash[:12], examples.hash[:12], digest[:12]))


def fixed_part() -> list[ChatMessage]:
    """Return the rules and the examples, which are the same for every question."""
    from llama_index.core.llms import ChatMessage

    return [ChatMessage(role="system", content=load(SYSTEM).render()), *turns_of(load(EXAMPLES))]


def turns_of(examples: Template) -> list[ChatMessage]:
    """Return worked examples as turns of a chat; lines ``user:`` and ``assistant:`` begin a turn."""
    from llama_index.core.llms import ChatMessage

    turns = regex.split(r"^(user|assistant):\n", examples.render(), flags=regex.MULTILINE)[1:]
    return [
        ChatMessage(role=role, content=content.strip("\n"))
        for role, content in zip(turns[::2], turns[1::2], strict=True)
    ]


def prompt(
    question: str, evidence: Sequence[Evidence], language: str, llm: LLM, max_tokens: int
) -> tuple[list[ChatMessage], tuple[Evidence, ...]]:
    """Return the messages, and the quotes in them.

    A model that has `quote_tokens` gets quotes of at most that many tokens, best first; a long one is skipped if a
    later one still fits. Other models get as many as fit into their window next to the answer. There is always at least
    one.
    """
    from llama_index.core.llms import ChatMessage

    fixed = fixed_part()
    count = counter_of(llm)
    around = sum(count(str(each.content)) for each in fixed) + count(_asked(question, (), language))
    window = llm.metadata.context_window - around - max_tokens - SPARE_TOKENS
    room = min(window, getattr(llm, "quote_tokens", window))
    kept: list[Evidence] = []
    for each in evidence:
        used = count(_line(each))
        if not kept or used <= room:
            kept.append(each)
            room -= used
    return [*fixed, ChatMessage(role="user", content=_asked(question, kept, language))], tuple(kept)


def _asked(question: str, evidence: Sequence[Evidence], language: str) -> str:
    """Return the changing part of the prompt; small models keep to a language better if it asks in that language."""
    quotes = [{"key": each.key, "about": _about(each), "text": " ".join(each.quote.split())} for each in evidence]
    named = language_in_prompt("answer_in", language)
    return load(QUESTION).render(quotes=quotes, question=" ".join(question.split()), language=named).lstrip("\n")


def _line(evidence: Evidence) -> str:
    return f"[{evidence.key}] ({_about(evidence)}) {' '.join(evidence.quote.split())}\n"


def _about(evidence: Evidence) -> str:
    """Return who says it, and when: a sentence needs this to be understood and attributed."""
    source = evidence.document
    return ", ".join(part for part in (source.speaker or source.title, source.published) if part)


def language_in_prompt(name: str, language: str) -> str:
    """Return the phrase `name`, by which a prompt asks for a language; its name in English if there is none."""
    found = phrase_in(name, language)
    return found.render() if found else language_name(language)


def language_name(tag: str) -> str:
    """Return the English name of a language, for use in a prompt.

    >>> language_name("vi")
    'Vietnamese'
    """
    from babel import Locale
    from babel.core import UnknownLocaleError

    try:
        return Locale.parse(tag.replace("-", "_")).get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag
