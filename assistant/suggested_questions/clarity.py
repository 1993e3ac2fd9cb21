"""Make questions clear on their own: each names its subject, or has its document's subject before it.

"Who chaired the meeting?" is clear only to people who have just read about it. For everyone else it becomes "Alder Lake
Rowing Club: Who chaired the meeting?"
"""

from __future__ import annotations

import regex

from assistant.answer.dialogue.topics import topic_of
from assistant.extractive_qa.identifiers import identifiers_in
from assistant.verify.language_rules import rules_of
from assistant.verify.names import latin_names
from assistant.verify.places import thai_names
from assistant.verify.text import fold

LONGEST = 100
"""Characters of a question with its subject: more doesn't fit on a button on a phone."""
LONGEST_SUBJECT = 60
_ASIDE = regex.compile(r"\s*[,;(（–—:].*$")
_OF_THE = regex.compile(r"^.*\bof the (?=\p{Lu}\p{L}+(?:\s\p{L}+)*\s\p{Lu})")
_ACRONYM = regex.compile(r"(?<![\p{L}\d])\p{Lu}{2,}(?:-\p{L}+)*(?![\p{L}\d])")


def clear(question: str, language: str, title: str) -> str | None:
    """Return a question that is clear without the document, which has that title; None if none is short enough."""
    if names_its_subject(question, language):
        return question if len(question) <= LONGEST else None
    subject = subject_of_title(title)
    whole = f"{subject}: {question}"
    return whole if subject and len(whole) <= LONGEST else None


def names_its_subject(question: str, language: str) -> bool:
    """Return whether a question names a person, a place, a body or a text specifically enough."""
    if _ACRONYM.search(question) or identifiers_in(question):
        return True
    rules = rules_of(language)
    if rules is not None and not rules.is_spaced and thai_names().search(question):
        return True
    return any(
        sum(word[:1].isupper() for word in name.split()) > 1 and not regex.fullmatch(r"\p{Lu}\P{L}*", name)
        for name in latin_names(fold(question))
    )


def subject_of_title(title: str) -> str | None:
    """Return what a document is about, as short as its title allows: "Rules of the Alder Lake Rowing Club" names the
    club.

    >>> subject_of_title("Rules of the Alder Lake Rowing Club, 2024")
    'Alder Lake Rowing Club'
    """
    topic = topic_of(_ASIDE.sub("", title) or title)
    subject = topic and _OF_THE.sub("", topic)
    return subject if subject and len(subject) <= LONGEST_SUBJECT else None
