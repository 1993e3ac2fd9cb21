"""List the kinds of turns in a conversation."""

from __future__ import annotations

from typing import Literal, get_args

TurnKind = Literal[
    "question",
    "greeting",
    "about",
    "library",
    "overview",
    "position",
    "list",
    "comparison",
    "follow_up",
    "language",
    "feedback",
    "nonsense",
]
"""`greeting` is any courtesy, thanks and goodbyes among them; `about` asks about Attest; `position` asks what a
speaker says on a subject; `language` asks for the answer in another language."""

KINDS: tuple[TurnKind, ...] = get_args(TurnKind)
FROM_DOCUMENTS: frozenset[TurnKind] = frozenset({"question", "follow_up", "position"})
"""Kinds whose turns are looked up in the documents whatever else is known: a question among them is never lost."""
