"""Map the topics of a library, with counts, from the stored vectors.

A sample of passages, spread evenly over the library, is ranked by centrality. The most central ones that are unlike
each other (maximal marginal relevance, as in `assistant.answer.dialogue.centrality`) represent topics. A document
belongs to the topic closest to most of its passages. A topic is named by the heading above its passage, or else by its
document's title. The catalog keeps the map until the documents change.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from string import capwords

import numpy as np

from assistant.answer.dialogue.centrality import centered, centrality, diverse
from store.catalog.rows import StoredPassage
from store.derived_texts import note, noted
from store.errors import LibraryError
from store.library import Library
from store.types import Filter

NAME = "topics"
"""The name under which the catalog keeps the map."""
SAMPLE = 300
"""Passages."""
TOPICS = 6
DOCUMENTS_OF_TOPIC = 3
"""On average, at least: a small library has few topics."""
OF_EACH = 4
"""Documents named per topic, those with most passages about it."""
LONGEST_TOPIC = 60
"""Characters. Nobody would use a longer title or heading as a name."""
SHOUTED = 10
"""Words in capitals with at least this many letters are a title; fewer letters may be acronyms."""
_SUBTITLE = re.compile(r"\s*(?:[:|\u2013\u2014\uff1a]|\s-\s).*", re.DOTALL)
_QUOTATION_MARKS = re.compile('["\u201c\u201d\u201e\u2018\u00ab\u00bb\u300c\u300d\u300e\u300f]')
_FILE_NAME = re.compile(r"[_/\\<>]|\.\w{2,5}$")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with its documents."""

    name: str
    documents: int
    """How many of the documents examined belong to it."""
    document_ids: tuple[str, ...]
    """Up to `OF_EACH` of these documents."""


def topics(library: Library, where: Filter) -> tuple[Topic, ...]:
    """Return the topics of what `where` matches, largest first; those of a whole library are cached."""
    if not where.is_empty:
        return _topics(library, where)
    kept = noted(library, NAME)
    if kept is not None and kept.is_current:
        return tuple(Topic(**{**each, "document_ids": tuple(each["document_ids"])}) for each in json.loads(kept.text))
    with library.snapshot() as snapshot:
        revision = snapshot.number("revision")
    found = _topics(library, where)
    with suppress(LibraryError):  # A read-only library is counted again.
        note(library, NAME, json.dumps([asdict(each) for each in found], ensure_ascii=False), revision)
    return found


def _topics(library: Library, where: Filter) -> tuple[Topic, ...]:
    with library.snapshot() as snapshot:
        sampled = snapshot.sample(SAMPLE)
        stored = snapshot.stored_passages([each.passage_id for each in sampled], where)
    sampled = [each for each in sampled if each.passage_id in stored]
    if not sampled:
        return ()
    vectors = centered(np.stack([each.vector for each in sampled]), [each.language for each in sampled], library)
    owners = [stored[each.passage_id].document.id for each in sampled]
    chosen = diverse(vectors, centrality(vectors), min(TOPICS, max(1, len(set(owners)) // DOCUMENTS_OF_TOPIC)))
    nearest = (vectors @ vectors[chosen].T).argmax(axis=1)
    shares: dict[str, Counter[int]] = {}
    for owner, topic in zip(owners, nearest.tolist(), strict=True):
        shares.setdefault(owner, Counter())[topic] += 1
    found: dict[str, dict[str, int]] = {}
    for owner, share in shares.items():
        ((topic, passages),) = share.most_common(1)
        if name := _name(stored[sampled[chosen[topic]].passage_id], library):
            found.setdefault(name, {})[owner] = passages
    named = (
        Topic(name, len(members), tuple(sorted(members, key=lambda each: (-members[each], each))[:OF_EACH]))
        for name, members in found.items()
    )
    return tuple(sorted(named, key=lambda each: (-each.documents, each.name)))


def _name(middle: StoredPassage, library: Library) -> str | None:
    """Return the name of a topic's central passage: its heading, or else its document's title."""
    heading = middle.passage.heading
    above = "" if heading is None else library.text(middle.document.id, heading.start, heading.end)
    return topic_of(above) or topic_of(middle.document.title)


def topic_of(title: str) -> str | None:
    """Return the subject of a title or a heading, without subtitle and quotation marks; None if it doesn't say any.

    >>> topic_of("Floods on the Red River: a report")
    'Floods on the Red River'
    >>> topic_of("RULES OF THE HOUSE")
    'Rules Of The House'
    >>> topic_of("scan_0012.pdf") is None
    True
    """
    plain = " ".join(_QUOTATION_MARKS.sub(" ", title).split())
    topic = _SUBTITLE.sub("", plain) or plain
    topic = topic.strip(" .,;!?\u0e2f\u3002")
    letters = sum(character.isalpha() for character in topic)
    if letters >= SHOUTED and " " in topic and all(each.isupper() for each in topic if each.isalpha()):
        topic = capwords(topic)  # avoid a name in capitals within a sentence
    return topic if letters >= 3 and len(topic) <= LONGEST_TOPIC and not _FILE_NAME.search(plain) else None
