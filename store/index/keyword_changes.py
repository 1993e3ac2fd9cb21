"""Add passages to the keywords in PostgreSQL, and remove them, with all counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from store.catalog.keyword_rows import KeywordFacts, KeywordWriter, block_of
from store.index.bm25 import length_code, pack_posting, pack_terms, unpack_terms, without
from store.index.keyword_index import KeywordEntry
from store.text.date_ranges import day_range

_LANGUAGES = 255
"""Languages that postings can distinguish."""


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage to add."""

    entry: KeywordEntry
    counts: Mapping[bytes, int]
    """The count of each term, in its stored form."""
    tokens: int


def insert_passages(writer: KeywordWriter, facts: KeywordFacts, added: Sequence[NewPassage]) -> KeywordFacts:
    """Add passages to the generation; return its new facts."""
    languages = tuple(dict.fromkeys([*facts.languages, *(each.entry.language for each in added)]))[:_LANGUAGES]
    places = {language: place for place, language in enumerate(languages, start=1)}
    ids = writer.count_terms(dict(sorted(Counter(term for each in added for term in each.counts).items())))
    postings: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    rows = []
    for number, each in enumerate(added, start=facts.next):
        norm, block = length_code(each.tokens), block_of(number)
        counts = {ids[term]: count for term, count in each.counts.items()}
        for term, count in counts.items():
            postings[term, block].append(pack_posting(number, count, norm, places.get(each.entry.language, 0)))
        rows.append(_columns(each, number, norm) | {"terms": pack_terms(counts)})
    writer.append({pair: b"".join(packed) for pair, packed in sorted(postings.items())})
    writer.insert(rows)
    return KeywordFacts(
        facts.passages + len(added),
        facts.tokens + sum(each.tokens for each in added),
        facts.next + len(added),
        languages,
    )


def remove_passages(writer: KeywordWriter, facts: KeywordFacts, passage_ids: Sequence[str]) -> KeywordFacts:
    """Remove those of the passages that the generation has; return its new facts."""
    removed = writer.by_id(passage_ids)
    if not removed:
        return facts
    places: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    fewer: Counter[int] = Counter()
    for each in removed:
        terms = unpack_terms(each.terms).tolist()
        fewer.update(terms)
        for term in terms:
            places[term, block_of(each.number)].append(each.number)
    writer.replace(
        {(term, block): without(packed, places[term, block]) for term, block, packed in writer.in_blocks(places)}
    )
    writer.count_fewer(fewer)
    writer.delete([each.number for each in removed])
    tokens = sum(each.tokens for each in removed)
    return replace(facts, passages=facts.passages - len(removed), tokens=facts.tokens - tokens)


def _columns(added: NewPassage, number: int, norm: int) -> dict[str, object]:
    entry = added.entry
    first, last = day_range(entry.published) if entry.published else (None, None)
    return {
        "number": number,
        "passage_id": entry.passage_id,
        "document_id": entry.document_id,
        "language": entry.language,
        "speaker": entry.speaker,
        "collection": entry.collection,
        "first_day": first,
        "last_day": last,
        "tokens": added.tokens,
        "norm": norm,
    }
