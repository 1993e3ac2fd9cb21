"""Render the quotes of an answer as HTML: each is a card that names its speaker and opens its document."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from assistant.answer_layout import Layout, Part, layout_of, marked
from assistant.server.strings import Strings
from assistant.types import Answer, AnswerSpan, Evidence, Source
from store.catalog.conversations import Feedback


def evidence_section(answer: Answer, words: Strings, feedback: Sequence[Feedback] = ()) -> str:
    """Return the part below the text of a finished answer, in the order of its layout."""
    layout = layout_of(answer)
    judged = {given.citation for given in feedback if given.verdict == "bad"}

    def cards(evidence: Sequence[Evidence]) -> str:
        listed = "".join(_card(item, words, item.key in judged, answer.language, layout.short) for item in evidence)
        return f'<ol class="cards{" numbered" if layout.is_numbered else ""}">{listed}</ol>' if evidence else ""

    parts = "".join(_part(part, layout, words, cards(part.evidence)) for part in layout.parts)
    if layout.side_by_side:
        parts = f'<div class="side-by-side">{parts}</div>'
    more = ""
    if layout.more:
        label = escape(words("evidence.more", count=len(layout.more)))
        more = f'<details class="more-quotes"><summary>{label}</summary>{cards(layout.more)}</details>'
    return f"{_heading(layout, words)}{parts}{more}"


def evidence_list(
    evidence: Sequence[Evidence], words: Strings, language: str = "und", judged: Collection[int | None] = ()
) -> str:
    """Return the quotes of an unfinished answer, best first; translations are in `language`."""
    if not evidence:
        return ""
    cards = "".join(_card(item, words, item.key in judged, language, ()) for item in evidence)
    return f'<h3 class="evidence-title">{escape(words("evidence.title"))}</h3><ol class="cards">{cards}</ol>'


def _heading(layout: Layout, words: Strings) -> str:
    if layout.heading == "none" or not any(part.evidence for part in layout.parts):
        return ""
    title = words("evidence.nearest" if layout.heading == "nearest" else "evidence.title")
    return f'<h3 class="evidence-title">{escape(title)}</h3>'


def _part(part: Part, layout: Layout, words: Strings, cards: str) -> str:
    documents = "".join(f"<li>{document_link(each)}</li>" for each in part.documents)
    body = cards + (f'<ul class="documents">{documents}</ul>' if documents else "")
    if part.title is None:
        return body
    body = body or f'<p class="aside">{escape(words("section.nothing"))}</p>'
    return f'<section class="part"><h3 dir="auto">{escape(part.title)}</h3>{body}</section>'


def document_link(document: Source) -> str:
    """Return a button that opens a whole document, with its speaker and date."""
    about = " · ".join(part for part in (document.speaker, document.published) if part)
    small = f' <small dir="auto">{escape(about)}</small>' if about else ""
    return (
        f'<button class="link" data-do="document.open" data-id="{escape(document.id)}" dir="auto"'
        f' lang="{escape(document.language)}">{escape(document.title)}</button>{small}'
    )


def source_line(source: Source, words: Strings) -> str:
    """Return speaker, title, date, language and page of a document, on one line, as far as they are known."""
    details = [
        *([source.published] if source.published else []),
        language_name(source.language, words.language),
        *([words("evidence.page", page=source.page)] if source.page else []),
    ]
    speaker = f'<span class="speaker" dir="auto">{escape(source.speaker)}</span>' if source.speaker else ""
    title_class = "title" if source.speaker else "title speaker"
    return (
        f"{speaker}"
        f'<span class="{title_class}" dir="auto" lang="{escape(source.language)}">{escape(source.title)}</span>'
        f'<span class="details">{escape(" · ".join(details))}</span>'
    )


def language_name(tag: str, in_language: str) -> str:
    """Return the name of the language `tag` in the interface's language; the tag itself if it has none."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(in_language).languages.get(tag.split("-", maxsplit=1)[0]) or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def icon(name: str) -> str:
    """Return one of the shell's drawings."""
    return f'<svg class="i" aria-hidden="true"><use href="#i-{name}"></use></svg>'


def translation_label(item: Evidence, language: str, words: Strings) -> str:
    """Return the label of a translation into `language`, wherever it is shown."""
    between = {"source": item.language, "target": language}
    named = {name: language_name(tag, words.language) for name, tag in between.items()}
    return words("evidence.translation", **named)


def recognized_label(item: Evidence, words: Strings) -> str:
    """Return the label of a quote whose text was recognized from a picture; empty for others."""
    return words("evidence.recognized") if item.recognized else ""


def _recognized(item: Evidence, words: Strings) -> str:
    label = recognized_label(item, words)
    return f'<small class="recognized">{escape(label)}</small>' if label else ""


def _translation(item: Evidence, language: str, words: Strings) -> str:
    if not item.translation:
        return ""
    label = escape(translation_label(item, language, words))
    # The label has its own direction, which must not change that of the words below it.
    return (
        f'<div class="translation"><small>{label}</small>'
        f'<p lang="{escape(language)}" dir="auto">{escape(item.translation)}</p></div>'
    )


def _card(item: Evidence, words: Strings, judged: bool, language: str, spans: Sequence[AnswerSpan]) -> str:
    title = item.document.title
    return (
        f'<li class="card" data-key="{item.key}">'
        f'<button class="card-open" data-do="source.open" data-key="{item.key}"'
        f' aria-label="{escape(words("evidence.open", key=item.key, title=title))}">'
        f'<span class="key" aria-hidden="true">{item.key}</span>'
        f'<span class="source">{source_line(item.document, words)}</span></button>'
        f'<blockquote lang="{escape(item.language)}" dir="auto">{_quote(item, spans)}</blockquote>'
        f"{_recognized(item, words)}"
        f"{_translation(item, language, words)}"
        f'<button class="icon wrong" data-do="feedback.citation" data-key="{item.key}"'
        f' aria-label="{escape(words("evidence.wrong"))}" title="{escape(words("evidence.wrong"))}"'
        f' aria-pressed="{str(judged).lower()}">{icon("flag")}</button></li>'
    )


def _quote(item: Evidence, spans: Sequence[AnswerSpan]) -> str:
    """Return the quote with the answering words marked, and its paragraphs close together."""
    whole = "".join(
        f'<mark class="answering">{escape(piece)}</mark>' if is_answer else escape(piece)
        for piece, is_answer in marked(item, spans)
    )
    return whole.replace("\n\n", "\n")
