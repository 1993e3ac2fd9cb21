"""A small real system: finds sentences by the words they share with a question, and quotes them.

It is deterministic, has no model, and keeps documents in memory. It fulfils the interface, so the engine can be tested
on it; the broken ones below each violate one rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from threading import Event as Flag
from typing import Any

import regex

from assistant.types import Answer, AskOptions, Claim, Event, Evidence, EvidenceFound, Finished, Message, Source
from evals.text import base_language, words
from store.errors import LanguageModelError, NotFoundError
from store.library import DocumentPage
from store.text.language import detect_language
from store.types import Document, Filter, Hit, Passage, SearchResult, Span

SENTENCE = regex.compile(r"[^.。\n]+[.。]?")
FRAMES = {
    "en": ("According to {}, this is what the papers say:", "The documents here do not answer that question."),
    "th": ("ตามที่ {} กล่าวไว้ในเอกสาร มีข้อความดังนี้:", "เอกสารที่มีอยู่ไม่ได้ตอบคำถามนี้"),
    "vi": ("Theo {}, tài liệu nói như sau:", "Các tài liệu ở đây không trả lời câu hỏi này."),
}


def document(uri: str, text: str, speaker: str | None = None) -> tuple[Document, str]:
    """A document of the small library."""
    made = Document(
        id=sha256(uri.encode()).hexdigest()[:12],
        uri=f"/papers/{uri}",
        title=uri.rsplit("/", 1)[-1].rsplit(".", 1)[0],
        language=detect_language(text),
        original_sha256=sha256(text.encode()).hexdigest(),
        text_sha256=sha256(text.encode()).hexdigest(),
        speaker=speaker,
    )
    return made, text


class SmallLibrary:
    """Documents in memory; every sentence is a passage."""

    def __init__(self, documents: Sequence[tuple[Document, str]]) -> None:
        self.texts = {document.id: text for document, text in documents}
        self.known = {document.id: document for document, _ in documents}

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        uris = sorted(document.uri for document in self.known.values() if after is None or document.uri > after)
        by_uri = {document.uri: document for document in self.known.values()}
        page = tuple(by_uri[uri] for uri in uris[:limit])
        return DocumentPage(page, page[-1].uri if len(uris) > limit else None)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        if document_id not in self.texts:
            raise NotFoundError(f"There is no document {document_id}.")
        return self.texts[document_id][start:end]

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        asked = set(words(query))
        hits = [hit for identity in self.known for hit in self._hits(identity, asked)]
        hits.sort(key=lambda hit: (-hit.score, hit.passage.id))
        ranked = tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits[:k], 1))
        return SearchResult(query, detect_language(query), ranked)

    def _hits(self, identity: str, asked: set[str]) -> Iterator[Hit]:
        held = self.known[identity]
        for number, match in enumerate(SENTENCE.finditer(self.texts[identity])):
            found = words(match.group())
            score = len(asked.intersection(found)) / (1 + len(asked))
            if score:
                span = Span(*match.span())
                passage = Passage(
                    f"{identity}-{number}", identity, number, span.start, span.end, held.language, (span,)
                )
                yield Hit(0, passage, held, match.group(), score, score, 0.0)


class SmallSystem:
    """Quotes the best sentence, under the name of its speaker, in the language of the question."""

    sure = 0.3

    def __init__(self, library: SmallLibrary) -> None:
        self.library = library
        self.asked: list[tuple[str, int]] = []

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        self.asked.append((question, len(history)))
        standalone = f"{history[0].text} {question}" if history else question
        language = base_language(detect_language(question))
        language = language if language in FRAMES else "en"
        hits = self.library.search(standalone, 2).hits
        confidence = hits[0].score if hits else 0.0
        evidence = tuple(self.evidence(key, hit) for key, hit in enumerate(hits, 1)) if confidence >= self.sure else ()
        yield EvidenceFound(standalone, language, evidence, confidence)
        yield Finished(self.compose(question, standalone, language, evidence, confidence))

    def evidence(self, key: int, hit: Hit) -> Evidence:
        held = hit.document
        source = Source(
            id=held.id,
            title=held.title,
            speaker=held.speaker,
            language=held.language,
            uri=held.uri,
            sha256=held.text_sha256,
        )
        return Evidence(
            key=key, document=source, passage_id=hit.passage.id, start=hit.passage.start, end=hit.passage.end,
            quote=hit.text, language=held.language, score=hit.score,
        )  # fmt: skip

    def compose(
        self, question: str, standalone: str, language: str, evidence: tuple[Evidence, ...], confidence: float
    ) -> Answer:
        frame, sorry = FRAMES[language]
        text, claims = sorry, []
        if evidence:
            text = frame.format(evidence[0].document.speaker or evidence[0].document.title)
            for one in evidence[:1]:
                start = len(text) + 1
                text = f"{text} {one.quote.strip()} [{one.key}]"
                claims.append(
                    Claim(text=text[start:], start=start, end=len(text), citations=(one.key,), support="quoted")
                )
        return Answer(
            question=question, standalone_question=standalone, language=language, answered=bool(evidence),
            abstain_reason=None if evidence else "low_confidence", confidence=confidence, mode="quotes", text=text,
            claims=tuple(claims), evidence=evidence, timings_ms={"retrieve": 1.0, "evidence": 1.0, "total": 2.0},
        )  # fmt: skip


class BrokenRetriever(SmallLibrary):
    """Finds the worst passages first."""

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        found = super().search(query, 1000, where)
        worst = tuple(replace(hit, rank=rank) for rank, hit in enumerate(found.hits[::-1][:k], 1))
        return replace(found, hits=worst)


class Fabricator(SmallSystem):
    """Changes one word of every quote."""

    def evidence(self, key: int, hit: Hit) -> Evidence:
        found = super().evidence(key, hit)
        return found.model_copy(update={"quote": found.quote[:-2] + "x" + found.quote[-1:]})


class WrongLanguage(SmallSystem):
    """Speaks English to everyone, whatever it claims."""

    def compose(self, *given: Any) -> Answer:
        question, standalone, language, evidence, confidence = given
        answer = super().compose(question, standalone, "en", evidence, confidence)
        return answer.model_copy(update={"language": language})


class Crashing(SmallSystem):
    """Fails on questions that hold a word."""

    word = "crash"

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        if self.word in question:
            raise ZeroDivisionError("division by zero")
        yield from super().ask(question, history, options)


class OutOfReach(SmallSystem):
    """Its language model is down until told otherwise."""

    def __init__(self, library: SmallLibrary) -> None:
        super().__init__(library)
        self.back = Flag()

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        if not self.back.is_set():
            raise LanguageModelError("http://127.0.0.1:1/v1 refused the connection; start the server.")
        yield from super().ask(question, history, options)


PAPERS: Mapping[str, tuple[str, str | None]] = {
    "forum/opening.en.txt": (
        "The forum opened in Beijing on 14 June 2023. Three hundred guests came from nearly one hundred countries.",
        "Forum Office",
    ),
    "forum/letter.en.txt": ("The letter was read aloud at the opening ceremony. It speaks of development.", "Palace"),
    "council/vote.en.txt": ("Nineteen members voted against the motion. Seventeen voted for it.", "Council Clerk"),
    "thai/meeting.th.txt": ("การประชุมจัดขึ้นที่กรุงเทพในปี ๒๕๖๖. ผู้เข้าร่วมประชุมมีห้าสิบคน.", "สำนักข่าว"),
    "viet/session.vi.txt": ("Phiên họp diễn ra tại Hà Nội năm 2022. Bốn mươi đại biểu đã tham dự.", "Văn phòng"),
}


def small_library(kind: type[SmallLibrary] = SmallLibrary) -> SmallLibrary:
    """The library of the tests."""
    return kind([document(uri, text, speaker) for uri, (text, speaker) in PAPERS.items()])
