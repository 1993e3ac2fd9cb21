"""Export a conversation: Markdown and HTML to read, JSON with every quote and offset to compute with."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any, Literal, get_args

from assistant.answer_layout import in_asker_language, layout_of, marked
from assistant.server.page.evidence_html import evidence_section, recognized_label, translation_label
from assistant.server.page.turn_html import answer_body, confidence_words, count_words, has_confidence, understood
from assistant.server.strings import Strings
from assistant.types import Answer, AnswerSpan, Evidence
from store.catalog.conversations import Conversation, Turn

Format = Literal["md", "html", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}

_STYLE = (
    "body{font:16px/1.65 system-ui,'Noto Sans','Noto Sans Thai',sans-serif;"
    "max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "blockquote{border-left:3px solid #8aa;margin:.4rem 0;padding:.1rem 1rem}li{margin:1rem 0}"
    ".details{color:#555;margin-left:.5em}.title{margin-left:.5em;font-style:italic}button{all:unset}.wrong{display:none}"
    ".recognized{display:block;color:#555}"
    ".translation{color:#444;margin:.4rem 0 0 1.2rem}.translation small{background:#eee;padding:0 .3em}"
    ".short-answer{font-size:1.5em;margin:.3em 0}.side-by-side{display:grid;grid-template-columns:1fr 1fr;gap:1rem}"
    ".mark{font-size:.75em;vertical-align:super;color:#066}"
)


def exported(conversation: Conversation, turns: Sequence[Turn], form: Format, words: Strings) -> str:
    """Return the branch `turns` of a conversation in one of `FORMATS`."""
    if form == "json":
        return json.dumps(as_json(conversation, turns), ensure_ascii=False, indent=2) + "\n"
    return (_markdown if form == "md" else _html)(conversation, turns, words)


def as_json(conversation: Conversation, turns: Sequence[Turn]) -> dict[str, Any]:
    """Return the conversation with every answer object whole."""
    return {
        "schema": "attest.conversation/1",
        "id": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "updated": conversation.updated,
        "turns": [
            {
                "id": turn.id,
                "parent": turn.parent,
                "created": turn.created,
                "state": turn.state,
                "question": turn.question,
                "options": json.loads(turn.options),
                "answer": json.loads(turn.answer) if turn.answer else None,
            }
            for turn in turns
        ],
    }


def filename(conversation: Conversation, form: Format) -> str:
    """Return a file name of letters, digits and hyphens of any script, for saving; it must never be read as a path."""
    name = re.sub(r"[^\w\u0e00-\u0e7f]+", "-", conversation.title).strip("-_")
    return f"{name or 'conversation'}.{form}"


def _markdown(conversation: Conversation, turns: Sequence[Turn], words: Strings) -> str:
    lines = [f"# {_plain(conversation.title)}", ""]
    for turn in turns:
        lines += [f"## {_plain(turn.question)}", ""]
        if turn.answer is None:
            lines += [f"*{words('ask.interrupted')}*", ""]
            continue
        answer = Answer.model_validate_json(turn.answer)
        lines += _markdown_answer(answer, words)
    return "\n".join(lines).rstrip() + "\n"


def _markdown_answer(answer: Answer, words: Strings) -> list[str]:
    layout = layout_of(answer)
    lines = [f"**{_plain(span.text)}** [{span.key}]\n" for span in layout.short]
    if layout.short and (renderings := in_asker_language(answer)):
        lines.append(f"{_plain(' · '.join(renderings))}\n")
    if counted := count_words(answer, words):
        lines.append(f"{_plain(counted)}\n")
    lines += [_plain(line) + "\n" for line in layout.text.splitlines() if line.strip()]
    if asked := understood(answer, words):
        lines.append(f"*{_plain(' '.join(asked))}*\n")
    if layout.heading == "nearest" and layout.parts:
        lines += [f"*{_plain(words('evidence.nearest'))}:*", ""]
    for part in layout.parts:
        if part.title is not None:
            lines += [f"### {_plain(part.title)}", ""]
        for item in part.evidence:
            lines += [_markdown_quote(item, answer.language, words, layout.short), ""]
        lines += [
            f"- {_plain(', '.join(filter(None, (each.title, each.speaker, each.published))))}"
            for each in part.documents
        ]
        if part.title is not None and not (part.evidence or part.documents):
            lines.append(f"*{_plain(words('section.nothing'))}*")
        lines.append("")
    if layout.more:
        lines += [f"#### {_plain(words('evidence.more', count=len(layout.more)))}", ""]
        for item in layout.more:
            lines += [_markdown_quote(item, answer.language, words, ()), ""]
    lines += [f"*{_plain(notice.message)}*\n" for notice in answer.notices]
    if has_confidence(answer):
        lines += [f"*{confidence_words(answer, words)}.*", ""]
    return lines


def _markdown_quote(item: Evidence, language: str, words: Strings, spans: Sequence[AnswerSpan]) -> str:
    source = item.document
    said = ", ".join(part for part in (source.speaker, source.title, source.published) if part)
    pieces = ((_plain_within(piece), is_answer) for piece, is_answer in marked(item, spans))
    whole = "".join(f"**{piece}**" if is_answer else piece for piece, is_answer in pieces)
    quote = "\n".join(f"   > {line.strip()}" for line in whole.splitlines() if line.strip())
    shown = f"{item.key}. {_plain(said)} ({item.start}\u2013{item.end})\n\n{quote}"
    if label := recognized_label(item, words):
        shown += f"\n\n   *{_plain(label)}*"
    if item.translation:
        shown += f"\n\n   *{_plain(translation_label(item, language, words))}:* {_plain(item.translation)}"
    return shown


def _plain(text: str) -> str:
    """Return the text so that Markdown shows it unchanged, without links, images, HTML or emphasis."""
    return _plain_within(" ".join(text.split()))


def _plain_within(text: str) -> str:
    """Return the text as `_plain` does, with its blanks and line breaks."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", text)


def _html(conversation: Conversation, turns: Sequence[Turn], words: Strings) -> str:
    parts = [f"<h1>{escape(conversation.title)}</h1>"]
    for turn in turns:
        parts.append(f'<h2 dir="auto">{escape(turn.question)}</h2>')
        if turn.answer is None:
            parts.append(f"<p><em>{escape(words('ask.interrupted'))}</em></p>")
            continue
        answer = Answer.model_validate_json(turn.answer)
        parts.append(f'<div lang="{escape(answer.language)}">')
        parts.append(answer_body(answer, words) + "</div>")
        if asked := understood(answer, words):
            parts.append(f'<p dir="auto"><em>{escape(" ".join(asked))}</em></p>')
        parts.append(evidence_section(answer, words))
        parts += [f"<p><em>{escape(notice.message)}</em></p>" for notice in answer.notices]
        if has_confidence(answer):
            parts.append(f"<p><em>{escape(confidence_words(answer, words))}</em></p>")
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(conversation.title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )
