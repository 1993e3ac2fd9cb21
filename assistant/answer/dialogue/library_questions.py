"""Answer questions about the library from its catalog: which documents there are, how many, what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from assistant.answer.dialogue.answer_builder import Draft
from assistant.answer.dialogue.library_facts import first, holdings, narrowed, newest
from assistant.answer.dialogue.speakers import named_speakers
from assistant.answer.dialogue.subjects import documents_about
from assistant.answer.dialogue.turn_parts import find, language_named
from assistant.answer.question import Question
from assistant.answer.retrieval import Finder
from assistant.types import Answer
from store.library import Library
from store.text.dates import common_year
from store.types import Document, Filter

SHOWN = 20
"""Documents to name; if there are more, the answer gives their number."""
_YEAR = regex.compile(r"(?<!\d)(?:19|20|25)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which documents a turn asks for."""

    where: Filter
    topic: str | None
    said: str
    """The conditions in words; empty if there are none."""


def answer(asked: Question, library: Library, finder: Finder) -> Answer:
    """Return what the catalog says about a turn about the library."""
    text, language, where = asked.alone, asked.language, asked.options.filter
    draft = Draft(asked, "library", library)
    if not holdings(library, where).documents:
        draft.say_empty()
        return draft.answer(abstain_reason="empty_library")
    if find("speakers", text, language):
        return _speakers(draft, where, library)
    if find("languages_held", text, language):
        return _languages(draft, where, library)
    conditions = _conditions(asked, library)
    if conditions.topic is not None:
        about = documents_about(conditions.topic, conditions.where, finder)
        return _named(draft, about[:SHOWN], len(about), conditions.said)
    total = holdings(library, conditions.where).documents
    if find("newest", text, language) and not conditions.said:
        draft.say(draft.phrases.say("library_newest", documents=draft.phrases.documents(total)))
        draft.total = total
        draft.name(newest(library, where, 5))
        return draft.answer()
    return _named(draft, first(library, conditions.where, SHOWN), total, conditions.said)


def _named(draft: Draft, documents: Sequence[Document], total: int, said: str) -> Answer:
    phrases = draft.phrases
    draft.total = total
    if not total:
        draft.say(phrases.say("library_none", conditions=said))
        return draft.answer(abstain_reason="no_evidence")
    counted = phrases.documents(total)
    draft.say(
        phrases.say("library_some", documents=counted, conditions=said)
        if said
        else phrases.say("library_all", documents=counted)
    )
    draft.name(documents)
    if total > len(documents):
        draft.say(phrases.say("library_more", count=total - len(documents)))
    return draft.answer()


def _speakers(draft: Draft, where: Filter, library: Library) -> Answer:
    statistics = library.statistics(where.collections)
    draft.total = len(statistics.speakers)
    draft.say(
        draft.phrases.say("library_speakers", documents=draft.phrases.documents(holdings(library, where).documents))
    )
    for speaker, count in list(statistics.speakers.items())[:SHOWN]:
        draft.say(f"- {speaker}: {draft.phrases.documents(count)}", "\n")
        draft.section(speaker)
    return draft.answer()


def _languages(draft: Draft, where: Filter, library: Library) -> Answer:
    held = holdings(library, where)
    names = draft.phrases.joined([draft.phrases.language_name(tag) for tag in held.languages])
    draft.total = held.documents
    draft.say(
        draft.phrases.say("library_languages", documents=draft.phrases.documents(held.documents), languages=names)
    )
    return draft.answer()


def _conditions(asked: Question, library: Library) -> Conditions:
    """Return the conditions that the turn names, with words for those understood."""
    text, language, where = asked.alone, asked.language, asked.options.filter
    draft = Draft(asked, "library", library)
    said = []
    topic = (find("topic", text, language) or {}).get("topic")
    written_in = language_named("written_in", text, language)
    years = {name: _year(parts["year"]) for name in ("since", "until") if (parts := find(name, text, language))}
    if not years and (found := _YEAR.search(text)):
        years = {"year": _year(found.group())}
    speakers = named_speakers((find("by", text, language) or {}).get("speaker") or "", where, library)
    if topic is not None and (_YEAR.search(topic) or not _letters(topic)):
        topic = None if years else topic
    if topic is not None:
        said.append(draft.phrases.say("condition_topic", topic=topic))
    if speakers:
        said.append(draft.phrases.say("condition_speaker", speaker=draft.phrases.joined(speakers)))
    for name, year in years.items():
        said.append(draft.phrases.say(f"condition_{name}", year=year))
    if written_in:
        said.append(draft.phrases.say("condition_language", language=draft.phrases.language_name(written_in)))
    since, until = years.get("since") or years.get("year"), years.get("until") or years.get("year")
    narrow = narrowed(where, speakers=speakers, language=written_in, since=since, until=until)
    return Conditions(narrow, topic, " ".join(said))


def _year(written: str) -> str:
    return str(common_year(int(written)))


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)
