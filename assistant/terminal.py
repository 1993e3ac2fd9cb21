"""Print an answer on a terminal, in the form of the page and of every export; show translations of quotes as they come."""

from __future__ import annotations

from collections.abc import Iterator

import click

from assistant.answer_layout import Part, in_asker_language, layout_of
from assistant.server.page.evidence_html import recognized_label
from assistant.server.page.turn_html import count_words, understood
from assistant.server.strings import Strings, chosen
from assistant.types import Answer, Composed, Event, Evidence, Finished, Source, Translated

INDENT = "    "


def print_answer(events: Iterator[Event]) -> Answer:
    """Print an answer for a terminal: the short answer, its quotes with their sources, then translations."""
    printed = False
    for event in events:
        if isinstance(event, Composed):
            click.echo(shown(event.answer))
            printed = True
        elif isinstance(event, Translated) and event.text:
            click.echo(_translation(event.key, event.text, event.answer))
        elif isinstance(event, Finished):
            if not printed:
                click.echo(shown(event.answer))
            for notice in event.answer.notices:
                click.echo(f"! {notice.message}")
            return event.answer
    raise AssertionError("An answer always ends with Finished.")


def shown(answer: Answer) -> str:
    """Return an answer in lines: first the short answer, then the parts under their headings."""
    layout, words = layout_of(answer), chosen(answer.language)
    blocks = [f"{' '.join(span.text.split())} [{span.key}]" for span in layout.short]
    blocks += filter(None, (" · ".join(in_asker_language(answer)), layout.text, count_words(answer, words)))
    if asked := understood(answer, words):
        blocks.insert(0, " ".join(asked))
    if layout.heading == "nearest" and layout.parts:
        blocks.append(f"{words('evidence.nearest')}:")
    for part in layout.parts:
        blocks += _part(part, words)
    if layout.more:
        blocks.append(f"{words('evidence.more', count=len(layout.more))}:")
        blocks += [_quote(evidence, words) for evidence in layout.more]
    return "\n\n".join(blocks)


def _part(part: Part, words: Strings) -> Iterator[str]:
    if part.title is not None:
        yield f"{part.title}\n{'-' * min(len(part.title), 60)}"
    yield from (_quote(evidence, words) for evidence in part.evidence)
    if part.title is not None and part.documents and not part.evidence:
        yield "\n".join(
            f"- {each.title} ({_facts(each.speaker, each.published, each.language)})" for each in part.documents
        )
    if part.title is not None and not (part.evidence or part.documents):
        yield words("section.nothing")


def _quote(evidence: Evidence, words: Strings) -> str:
    source: Source = evidence.document
    page = f"p. {source.page}" if source.page else None
    lines = [f"[{evidence.key}] {source.title} ({_facts(source.speaker, source.published, evidence.language, page)})"]
    lines += [f"{INDENT}{line.strip()}" for line in f"“{evidence.quote}”".splitlines() if line.strip()]
    if label := recognized_label(evidence, words):
        lines.append(f"{INDENT}({label})")
    return "\n".join([*lines, f"{INDENT}{source.uri}"] if source.uri else lines)


def _facts(*facts: str | None) -> str:
    return ", ".join(fact for fact in facts if fact)


def _translation(key: int, text: str, answer: Answer) -> str:
    language = next(each.language for each in answer.evidence if each.key == key)
    return f"[{key}] machine translation, {language} to {answer.language}: {text}"
