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
"""`greeting` is any courtesy, including thanks and goodbyes; `about` asks about Attest; `position` asks what a speaker
says about a subject; `language` asks for the answer in another language."""

KINDS: tuple[TurnKind, ...] = get_args(TurnKind)
FROM_DOCUMENTS: frozenset[TurnKind] = frozenset({"question", "follow_up", "position"})
"""Kinds of turns that are always looked up in the documents, so that no question among them is lost."""
