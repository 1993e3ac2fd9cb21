"""Make questions from a document's spans, and keep those that the reader answers with confidence.

sentence -> one span of it (date, number, person, place) -> question by rule -> read in its window -> kept if the
reader finds that span with certainty

Keeping only what a reader answers with the span that a question was made from is round-trip consistency (Alberti et al.
2019, arXiv:1906.05416).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex

from assistant.answer.dialogue.question_names import names_in
from assistant.extractive_qa.span_reader import Reader, SentenceReading
from assistant.extractive_qa.structure import is_heading
from assistant.extractive_qa.windows import windows_of
from assistant.suggested_questions.templates import SPAN, QuestionKind, Rule, Templates, templates
from assistant.verify.number_reading import numbers_in
from assistant.verify.text import fold
from store.library import Library
from store.text.dates import dates_in
from store.types import Document, Hit, SentenceHit, Span

PASSAGES = 40
"""Passages examined per document, spread evenly over a longer one."""
READINGS = 40
"""The most questions read per document."""
CERTAIN = 0.5
"""The least probability of the answer among all that a window could mean."""
LONGEST = 110
"""Characters of a question."""
LONGEST_SENTENCE = 320
LONGEST_NAME = 50
"""Characters of a name in a question in another language."""
ACRONYM = regex.compile(r"(?<![\p{L}\d])\p{Lu}{2,}[\p{Lu}\d]*(?:-\p{L}+)*(?![\p{L}\d])")
LATIN_NAME = regex.compile(r"\p{Lu}[\p{Latin}\d'’-]*(?:\s[\p{Latin}\d][\p{Latin}\d'’-]*)*")


@dataclass(frozen=True, slots=True)
class GeneratedQuestion:
    """A question with the words that answer it."""

    text: str
    language: str
    """BCP 47; the sentence's language."""
    kind: QuestionKind
    document: Document
    answer: Span
    """In the document's text."""
    answer_text: str
    sentence: Span
    """The sentence with the answer, in the document's text."""
    certainty: float
    """The reader's probability, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question with the span that it was made from, not yet read."""

    text: str
    kind: QuestionKind
    span: Span
    """In the document's text."""
    hit: Hit
    number: int
    """The sentence's index in its passage."""
    language: str


def generate_questions(
    document: Document, library: Library, reader: Reader, most: int = 6, others: Sequence[str] = ()
) -> list[GeneratedQuestion]:
    """Return up to `most` questions that `document` answers, the surest first.

    They are in the language of its sentences, and in the languages `others` (BCP 47), for which the reader must find
    the answer across languages. Each sentence gives at most one question per language. Empty if no rule fits.
    """
    found: dict[tuple[Span, str], GeneratedQuestion] = {}
    tried = 0
    for hit in _passages(document, library):
        for each in _candidates(hit, others):
            if tried >= READINGS:
                break
            tried += 1
            made = _read(each, reader)
            key = (made.sentence, made.language) if made else None
            if made and key and (key not in found or found[key].certainty < made.certainty):
                found[key] = made
    return sorted(found.values(), key=lambda each: (-each.certainty, each.sentence.start))[:most]


def _passages(document: Document, library: Library) -> Iterator[Hit]:
    with library.snapshot() as snapshot:
        passages = snapshot.passages(document.id)
        step = max(1, -(-len(passages) // PASSAGES))
        for rank, each in enumerate(passages[::step], start=1):
            text = snapshot.text(document.id, each.start, each.end)
            sentences = tuple(SentenceHit(span, 0.0, 0.0, 0.0) for span in each.sentences)
            yield Hit(rank, each, document, text, 0.0, 0.0, 0.0, sentences)


def _candidates(hit: Hit, others: Sequence[str]) -> Iterator[_Candidate]:
    """Yield the questions that the sentences of a passage may answer."""
    known = templates(hit.passage.language)
    if known is None:
        return
    for number, each in enumerate(hit.sentences):
        start, end = each.span.start - hit.passage.start, each.span.end - hit.passage.start
        words = hit.text[start:end]
        if len(words) > LONGEST_SENTENCE or is_heading(hit, each.span):
            continue
        for rule, text, span in questions_from(words, known):
            place = Span(each.span.start + span.start, each.span.start + span.end)
            yield _Candidate(text, rule.kind, place, hit, number, known.language)
        for target in filter(None, (templates(language) for language in others)):
            for kind, text, span in crossed_questions(words, known, target):
                place = Span(each.span.start + span.start, each.span.start + span.end)
                yield _Candidate(text, kind, place, hit, number, target.language)


def questions_from(words: str, known: Templates) -> Iterator[tuple[Rule, str, Span]]:
    """Yield the questions that a sentence may answer, each once, with the span of `words` that answers it."""
    seen: set[str] = set()
    # Offsets in the folded sentence must equal those of the sentence itself.
    if len(fold(words)) != len(words) or SPAN in words:
        return
    for rule, text, span in _questions(words, known):
        if text not in seen and len(text) <= LONGEST and not known.vague.search(text):
            seen.add(text)
            yield rule, text, span


def crossed_questions(words: str, known: Templates, target: Templates) -> Iterator[tuple[QuestionKind, str, Span]]:
    """Yield questions in the language of `target` about a name in a sentence, each with the answering span."""
    folded = fold(words)
    if target.language == known.language or len(folded) != len(words) or SPAN in words:
        return
    for name, said in known.crossed.items():
        asked = target.crossed.get(name)
        for span in _spans(folded)[said.kind] if asked else ():
            masked = f"{folded[: span.start]}{SPAN}{folded[span.end :]}"
            found = said.said.search(masked)
            subject = found and _name_at_start(words[: min(found.start(), span.start)], known.language)
            if asked and subject:
                yield said.kind, asked.asked.format(name=subject), span


def _name_at_start(words: str, language: str) -> str | None:
    """Return the name that a sentence begins with, if a question of any language can use it unchanged.

    In a text in Latin letters that isn't English, only acronyms can: other names are words of its language. A name
    after other words is part of another one: an "ASEAN fund" is not ASEAN.
    """
    if language == "en":
        words = words.removeprefix("The ")
        found = next(iter(names_in(words, initial=True)), "")
        return found if words.startswith(found) and 3 <= len(found) <= LONGEST_NAME else None
    begun = (ACRONYM if language == "vi" else LATIN_NAME).match(words)
    found = begun.group().strip() if begun else ""
    return found if 3 <= len(found) <= LONGEST_NAME else None


def _spans(folded: str) -> Mapping[QuestionKind, list[Span]]:
    """Return the dates and numbers of a folded sentence, by what asks for them."""
    dates = [Span(each.start, each.end) for each in dates_in(folded)]
    taken = tuple((each.start, each.end) for each in dates)
    numbers = [Span(each.start, each.end) for each in numbers_in(folded, taken=taken)]
    return {"when": dates, "how_many": numbers}


def _questions(words: str, known: Templates) -> Iterator[tuple[Rule, str, Span]]:
    """Yield the questions that rules make from a sentence, each with the answering span."""
    folded = fold(words)
    spans: Mapping[QuestionKind, Sequence[Span | None]] = _spans(folded)
    for rule in known.rules:
        for span in spans.get(rule.kind, [None]):
            masked = folded if span is None else f"{folded[: span.start]}{SPAN}{folded[span.end :]}"
            if (found := rule.sentence.search(masked)) is None:
                continue
            place = Span(*found.span("answer")) if span is None else span
            yield rule, _put(rule.question, found.groupdict(), known), place


def _put(question: str, groups: dict[str, str | None], known: Templates) -> str:
    """Return the question with the groups filled in, using the word forms of a question."""
    parts = {}
    for name, group in groups.items():
        first, space, others = (group or "").rstrip().partition(" ")
        parts[name] = known.forms.get(first, first) + space + others if name != "rest" else group or ""
    if groups.get("be") in known.plurals and regex.fullmatch(r"\p{Lu}\p{Ll}+s", parts.get("thing", "")):
        parts["thing"] = parts["thing"].lower()  # "Elections are held": it is capitalized as the first word only
    text = question.format(**parts)
    return text[:1].upper() + text[1:]


def _read(each: _Candidate, reader: Reader) -> GeneratedQuestion | None:
    """Return the question if the reader surely answers it with the span that it was made from."""
    window = windows_of([each.hit], {0: [each.number]}, {})[0]
    found: SentenceReading | None = reader.read(each.text, [window])[0][each.number - window.first]
    if found is None or found.margin <= 0 or found.certainty < CERTAIN:
        return None
    if found.span.start >= each.span.end or found.span.end <= each.span.start:
        return None
    start = each.hit.passage.start
    return GeneratedQuestion(
        each.text,
        each.language,
        each.kind,
        each.hit.document,
        found.span,
        each.hit.text[found.span.start - start : found.span.end - start],
        each.hit.sentences[each.number].span,
        min(1.0, found.certainty),
    )
