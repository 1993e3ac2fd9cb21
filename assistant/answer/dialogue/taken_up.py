"""Ask the same of another thing: "And Sweden?" after "Compare Norway and Finland" compares Norway and Sweden.

A follow-up to a plain question is looked up in several readings (`assistant.answer.dialogue.followup_readings`). One to a turn
with an answer of its own form, such as a list, has the words of that turn, with the part of its kind replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from assistant.answer.dialogue.followup_rules import complete, standalone_questions, swapped_thing
from assistant.answer.dialogue.speakers import named_speakers
from assistant.answer.dialogue.substitution import in_place_of, is_a_part, subject_of
from assistant.answer.dialogue.turn_kinds import TurnKind
from assistant.answer.dialogue.turn_parts import find
from assistant.types import Message
from store.library import Library
from store.text.language import detect_language
from store.types import Filter

KindOf = Callable[[str], TurnKind]
PATTERNS: Mapping[TurnKind, str] = {
    "position": "position",
    "list": "list",
    "overview": "overview",
    "comparison": "compare",
}
"""The kinds that are taken up, with the pattern of their parts."""


def taken_up(
    text: str, history: Sequence[Message], kind_of: KindOf, where: Filter, library: Library
) -> tuple[TurnKind, str] | None:
    """Return the kind and the words of the turn that `text` takes up after `history` (oldest first), if it does."""

    def completed(question: str, before: str | None, answer: str) -> str:
        again = _again(question, before, kind_of, where, library)
        return again[1] if again else complete(question, before, answer)

    questions = standalone_questions(history, completed)
    return _again(text, questions[-1] if questions else None, kind_of, where, library)


def _again(
    text: str, before: str | None, kind_of: KindOf, where: Filter, library: Library
) -> tuple[TurnKind, str] | None:
    if before is None or (thing := swapped_thing(text, before)) is None:
        return None
    if (kind := kind_of(before)) not in PATTERNS:
        return None
    speakers = named_speakers(thing, where, library) if kind == "position" else ()
    whole = _with(thing, text, kind, before, is_speaker=bool(speakers))
    if whole is None or whole == before or kind_of(whole) != kind:
        return None
    return kind, whole


def _with(thing: str, text: str, kind: TurnKind, before: str, *, is_speaker: bool) -> str | None:
    """Return `before` with `thing` in place of the part of its kind; None if that can't be told."""
    parts = find(PATTERNS[kind], before, detect_language(before)) or {}
    about = subject_of(thing)
    if kind == "position":
        if about is None and not is_speaker:
            return None
        part, new = ("speaker", thing) if about is None else ("subject", about)
    elif kind == "comparison":
        part, new = ("b", thing) if about is None else ("aspect", about)
        if "," in parts.get("a", ""):  # of more than two things
            return None
    elif kind == "overview" and not is_a_part(thing):
        part, new = "subject", thing
    else:
        return complete(text, before) if is_a_part(thing) else None
    return in_place_of(parts[part], new, before) if parts.get(part) else None
