"""Let a language model translate quotes into the answer's language: next to the quotes, never instead of them.

It translates one quote at a time, best first. A translation is shown to the reader and used for nothing else. Obvious
nonsense, and translations with a number or date that the quote doesn't have, are not shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import regex

from assistant.answer.prompt import SPARE_TOKENS, hash_of, language_in_prompt, language_name, turns_of
from assistant.llm.base import Pause, counter_of, reply
from assistant.types import Evidence, Waiting
from assistant.verify.injection_filter import commands
from assistant.verify.translation import goes_in_circles, same_language, translation_fault
from prompts import load
from store.errors import LanguageModelError
from store.text.language import UNKNOWN

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

SYSTEM, EXAMPLES, QUOTE = "translate.system", "translate.examples", "translate.quote"
MOST = 5
"""Quotes per answer: each takes seconds, while others wait."""
LONGEST_REPLY = 600
"""Tokens."""
LONGEST_TEXT = 4_000
"""Characters, for a model that exceeds its token limit."""
REPLY_TOKENS = 4
"""Per token of the quote: many a tokenizer needs three times as many for the same words in Thai as in English."""
_CONTROLS = regex.compile(r"[\p{Cc}\u202a-\u202e\u2066-\u2069]+")
"""Characters without text, or ones that change the direction of the text next to them."""
_PAIRS = {'"': '"', "“": "”", "«": "»", "「": "」", "'": "'"}


@dataclass(frozen=True, slots=True)
class Translation:
    """A machine translation of the quote with that key; `text` is None if it can't be shown."""

    key: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Translations:
    """The outcome for the quotes of one answer: always the last thing that `translate` yields."""

    shown: tuple[Translation, ...] = ()
    withheld: tuple[int, ...] = ()
    """Keys of quotes without a translation that can be shown."""
    problem: LanguageModelError | None = None
    """What the user should know about the model's failure."""
    failed: bool = False
    """Whether the model was unavailable or broke off; the quotes after that are in neither list."""
    prompt_hash: str = ""
    milliseconds: float = 0.0

    def and_also(self, one: Translation) -> Translations:
        """Return these with one more quote done."""
        if one.text is None:
            return replace(self, withheld=(*self.withheld, one.key))
        return replace(self, shown=(*self.shown, one))


def foreign(evidence: Sequence[Evidence], language: str) -> tuple[Evidence, ...]:
    """Return the `MOST` best quotes whose language is known to differ from `language`."""
    others = (each for each in evidence if each.language != UNKNOWN and not same_language(each.language, language))
    return tuple(islice(others, MOST))


def translate(
    evidence: Sequence[Evidence], language: str, llm: LLM, *, pause: Pause = time.sleep
) -> Iterator[Translation | Waiting | Translations]:
    """Translate the quotes of `evidence` that aren't in `language` (BCP 47) into it.

    Yields each `Translation` as soon as it is ready, `Waiting` in between, and one `Translations` at the end.
    The model's failures are reported in it, not raised. Closing the iterator stops the model.
    """
    started = time.perf_counter()
    done = Translations(prompt_hash=prompt_hash(language))
    try:
        for each in foreign(evidence, language):
            text: str | None = None
            for piece in _translation(each, language, llm, pause):
                if piece is None:
                    yield Waiting()
                else:
                    text = piece
            shown = text if text and not translation_fault(text, each, language) else None
            done = done.and_also(Translation(each.key, shown))
            yield Translation(each.key, shown)
    except LanguageModelError as error:
        done = replace(done, problem=error, failed=True)
    yield replace(done, milliseconds=(time.perf_counter() - started) * 1000)


def prompt_hash(language: str) -> str:
    """Return a hash of the prompt's wording for a language, for a run's metadata."""
    return hash_of(load(SYSTEM), load(EXAMPLES), load(QUOTE), language_in_prompt("translate_into", language))


def _translation(evidence: Evidence, language: str, llm: LLM, pause: Pause) -> Iterator[str | None]:
    """Yield None while the model is working, then the translation; nothing for a quote that it isn't given."""
    if commands(evidence.quote):
        return
    messages = _messages(evidence, language)
    count = counter_of(llm)
    quote = count(_on_one_line(evidence.quote))
    window = llm.metadata.context_window - sum(count(str(each.content)) for each in messages) - SPARE_TOKENS
    room = min(LONGEST_REPLY, REPLY_TOKENS * quote + SPARE_TOKENS, window)
    if room < quote:
        return
    yield None
    text = ""
    with closing(reply(llm, messages, room, pause)) as pieces:
        for piece in pieces:
            text += piece
            if "\n" in text.strip():
                break  # The quote was on one line; anything after its translation is the model's own text.
            if len(text) > LONGEST_TEXT or goes_in_circles(text[-400:]):
                return
            yield None
    line = _CONTROLS.sub(" ", text.strip().partition("\n")[0]).strip()
    # A reply that used all its tokens was cut off.
    if count(line) < room - 1:
        yield _unquoted(line, evidence.quote)


def _messages(evidence: Evidence, language: str) -> list[ChatMessage]:
    from llama_index.core.llms import ChatMessage

    asked = load(QUOTE).render(
        source=language_name(evidence.language),
        language=language_in_prompt("translate_into", language),
        quote=_on_one_line(evidence.quote),
    )
    return [
        ChatMessage(role="system", content=load(SYSTEM).render()),
        *turns_of(load(EXAMPLES)),
        ChatMessage(role="user", content=asked),
    ]


def _on_one_line(quote: str) -> str:
    return " ".join(quote.split())


def _unquoted(text: str, quote: str) -> str:
    """Return `text` without surrounding quotation marks that the quote doesn't have."""
    closing_mark = _PAIRS.get(text[:1])
    if closing_mark and text.endswith(closing_mark) and quote[:1] not in _PAIRS and len(text) > 2:
        return text[1:-1].strip()
    return text
