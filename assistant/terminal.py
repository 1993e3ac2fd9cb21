"""An answer on a terminal: all that is there at once, translations of quotes as they come."""

from __future__ import annotations

from collections.abc import Iterator

import click

from assistant.types import Answer, Composed, Event, Finished, Translated


def print_answer(events: Iterator[Event]) -> Answer:
    """Print an answer for a terminal: its text, what each marker stands for, then translations as they come."""
    printed = False
    for event in events:
        if isinstance(event, Composed):
            click.echo(_shown(event.answer))
            printed = True
        elif isinstance(event, Translated) and event.text:
            click.echo(_translation(event.key, event.text, event.answer))
        elif isinstance(event, Finished):
            if not printed:
                click.echo(_shown(event.answer))
            for notice in event.answer.notices:
                click.echo(f"! {notice.message}")
            return event.answer
    raise AssertionError("An answer always ends with Finished.")


def _shown(answer: Answer) -> str:
    """Return an answer's text, then what each marker stands for."""
    lines = [answer.text]
    for evidence in answer.evidence:
        source = evidence.document
        facts = [source.speaker, source.published, evidence.language, source.page and f"p. {source.page}"]
        lines.append(f"[{evidence.key}] {source.title} ({', '.join(str(fact) for fact in facts if fact)})")
        lines.append(f"    {source.uri}")
    return "\n".join(lines)


def _translation(key: int, text: str, answer: Answer) -> str:
    language = next(each.language for each in answer.evidence if each.key == key)
    return f"[{key}] machine translation, {language} to {answer.language}: {text}"
