"""Show the search behind an answer: 'How was this found?'."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from assistant.answer.evidence import source
from assistant.server.kept_turns import options_of
from assistant.server.page.evidence_html import language_name, source_line
from assistant.server.strings import Strings
from assistant.types import Answer
from store.catalog.conversations import Turn
from store.errors import LanguageModelError
from store.types import Hit

if TYPE_CHECKING:
    from assistant.server.auth.scoped_access import ScopedAssistant

HITS = 10
SHOWN_CHARACTERS = 300
TIME = "found.time."
"""The prefix of a step's name among the words, in display order."""


def found_html(assistant: ScopedAssistant, turn: Turn, answer: Answer, words: Strings) -> str:
    """Return standalone question, language, model with its prompt, timings, and the passages found now, with scores."""
    facts = [
        (words("found.question"), answer.standalone_question),
        (words("found.language"), language_name(answer.language, words.language)),
        (words("found.mode"), words(f"mode.{answer.mode}")),
        *([(words("found.model"), answer.model)] if answer.model else []),
        (words("found.timings"), _times(answer, words)),
    ]
    listed = "".join(f"<dt>{escape(name)}</dt><dd dir='auto'>{escape(value)}</dd>" for name, value in facts)
    result = assistant.library.search(answer.standalone_question, HITS, options_of(turn).filter)
    rows = "".join(_row(hit, words) for hit in result.hits)
    heads = ("", "found.document", "found.score", "found.meaning", "found.keywords")
    head = "".join(f'<th scope="col">{escape(words(name)) if name else "#"}</th>' for name in heads)
    return (
        f"<dl>{listed}</dl>{_prompt(assistant, answer, words)}"
        f"<h4>{escape(words('found.hits'))} <small>{escape(words('found.now'))}</small></h4>"
        f'<div class="table" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _times(answer: Answer, words: Strings) -> str:
    """Return the time of each step; parts of a step come after the whole of it."""
    known = [key.removeprefix(TIME) for key in words.words if key.startswith(TIME)]
    ordered = sorted(answer.timings_ms, key=lambda step: known.index(step) if step in known else len(known))
    named = ((words.words.get(TIME + step, step), answer.timings_ms[step]) for step in ordered)
    return " · ".join(f"{name} {took:,.0f} ms" for name, took in named)


def _prompt(assistant: ScopedAssistant, answer: Answer, words: Strings) -> str:
    """Return the messages that the language model got; nothing if none wrote."""
    if answer.mode != "written":
        return ""
    try:
        messages = assistant.prompt_of(answer)
    except LanguageModelError:  # it wrote then, but isn't available now
        messages = ()
    shown = "".join(
        f"<h5>{escape(words(f'found.role.{role}'))}</h5><pre dir='auto'>{escape(text)}</pre>" for role, text in messages
    )
    shown = shown or f"<p>{escape(words('found.prompt.gone'))}</p>"
    return f'<details class="prompt"><summary>{escape(words("found.prompt"))}</summary>{shown}</details>'


def _row(hit: Hit, words: Strings) -> str:
    text = hit.text[:SHOWN_CHARACTERS] + ("…" if len(hit.text) > SHOWN_CHARACTERS else "")
    return (
        f"<tr><td>{hit.rank}</td><td><details>"
        f"<summary><span class='source'>{source_line(source(hit.document), words)}</span></summary>"
        f'<p lang="{escape(hit.passage.language)}" dir="auto">{escape(text)}</p></details></td>'
        f"<td>{hit.score:.3f}</td><td>{hit.dense:.3f}</td><td>{hit.keyword:.2f}</td></tr>"
    )
