"""Implement the page's interface with a small rule-based assistant, to test the page in every state.

It quotes real sentences of its own documents by shared words, so that the page can be checked against them. On a
keyword, it hangs, fails or slows down, which a real library can't do on demand.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assistant.answer.language_model import with_translations
from assistant.answer.translate import Translation, Translations, foreign
from assistant.server.intake import Progress, Taken
from assistant.types import (
    Answer,
    AskOptions,
    Claim,
    ClaimChecked,
    Composed,
    Event,
    Evidence,
    EvidenceFound,
    Finished,
    Message,
    Notice,
    Source,
    TextAdded,
    Translated,
    Waiting,
)
from store.errors import LanguageModelError, NotFoundError, ReadError
from store.library import AddResult, DocumentPage, Statistics
from store.types import Document, Filter, Hit, ParsedDocument, Passage, SearchResult, Span

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=2">'
FORUM = (
    "รายงานการประชุม\nการประชุมว่าด้วยแม่น้ำจัดขึ้นที่เชียงใหม่ในเดือนมีนาคม 2564\nผู้เข้าร่วมจากสิบสองประเทศหารือเรื่องน้ำท่วมและการเตือนภัย\n"
)
RIVER = (
    "Thông cáo về dòng sông\n"
    "Hội nghị đầu tiên về dòng sông được tổ chức tại Cần Thơ năm 2019.\n"
    "Quỹ đã hỗ trợ 34 làng ven sông trong ba năm.\n"
)
STATEMENT = (
    "Statement on rivers\n"
    "The River Council said that floods cost the delta twelve million dollars in 2020.\n"
    "It asked every village to keep a warning bell.\n"
    "The first warning bells were hung in 2021, and 34 villages have one today.\n"
)
ATTACK = f"{HOSTILE}\nThe hostile bell says {HOSTILE} to everyone who listens.\n"
LONG_NEEDLE = "Exactly here the long chronicle mentions the golden turtle of the lake."


def long_text(characters: int = 5_000_000) -> str:
    """A text of about `characters` with one remarkable sentence in its middle."""
    line = "In the year {} nothing remarkable happened, and the clerk wrote that down with care.\n"
    lines = [line.format(year) for year in range(characters // len(line) + 1)]
    lines.insert(len(lines) // 2, LONG_NEEDLE + "\n")
    return "".join(lines)


def document(name: str, text: str, language: str, speaker: str | None, published: str | None, title: str) -> Document:
    """A document with the hashes of its text."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Document(
        name, f"/documents/{name}.txt", title, language, digest, digest, speaker, published, passage_count=1
    )


def translation_of(item: Evidence) -> str:
    """What the scripted machine makes of a quote: Arabic, with whatever a hostile document holds."""
    return f"ترجمة الاقتباس {item.key} {HOSTILE}"


@dataclass
class ScriptedLibrary:
    """Documents in memory behind the signatures of `store.library.Library`."""

    kept: dict[str, tuple[Document, str]] = field(default_factory=dict)
    embedder: object = None

    def put(self, item: Document, text: str) -> None:
        self.kept[item.id] = (item, text)

    def remove(self, document_id: str) -> Document:
        return self.kept.pop(document_id)[0]

    def parsed(self, document_id: str) -> ParsedDocument:
        return ParsedDocument(self.document(document_id), self.text(document_id), (), 1)

    def add(self, parsed: ParsedDocument) -> AddResult:
        known = parsed.document.id in self.kept
        self.put(parsed.document, parsed.text)
        return AddResult(parsed.document, "updated" if known else "added")

    def rebuild(self, *, embed: bool = False, progress: Progress | None = None) -> None:
        assert embed and progress is not None
        for done in range(4):
            progress(done, 4)
            time.sleep(0.25)  # the page looks twice a second

    def document(self, document_id: str) -> Document:
        if document_id not in self.kept:
            raise NotFoundError("There is no such document.")
        return self.kept[document_id][0]

    def find_document(self, uri: str) -> Document | None:
        return next((item for item, _ in self.kept.values() if item.uri == uri), None)

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        found = sorted((item for item, _ in self.kept.values()), key=lambda item: item.uri)
        if where is not None and where.languages:
            found = [item for item in found if item.language in where.languages]
        found = [item for item in found if after is None or item.uri > after]
        return DocumentPage(tuple(found[:limit]), found[limit - 1].uri if len(found) > limit else None)

    def prepared_before(self, normalization: int, document_ids: Sequence[str]) -> frozenset[str]:
        return frozenset()  # what is in memory was read by no version

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        self.document(document_id)
        return self.kept[document_id][1][start:end]

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        item, text = self.document(document_id), self.text(document_id)
        first = text.find("\n")
        return (Passage(f"{document_id}:0", document_id, 0, 0, len(text), item.language, (), Span(0, first)),)

    def statistics(self) -> Statistics:
        items = [item for item, _ in self.kept.values()]
        return Statistics(
            documents=len(items),
            passages=len(items),
            characters=sum(len(text) for _, text in self.kept.values()),
            languages={item.language: 1 for item in items},
            speakers={item.speaker: 1 for item in items if item.speaker},
        )

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        hits = []
        for rank, (item, text) in enumerate(list(self.kept.values())[:k], 1):
            (passage,) = self.passages(item.id)
            hits.append(Hit(rank, passage, item, text[:1000], 1 / rank, 0.5, 1.5))
        return SearchResult(query, "en", tuple(hits), {"dense": 1.0})


class ScriptedAssistant:
    """Answers with the sentences that share most words with the question."""

    def __init__(self) -> None:
        self.library = ScriptedLibrary()
        self.asked: list[tuple[str, tuple[Message, ...], AskOptions]] = []
        self.closed = threading.Event()
        """Whether an answer was broken off."""
        self.released = threading.Event()
        """Whether answers that wait for a test may go on."""
        for name, text, language, speaker, published, title in (
            ("forum", FORUM, "th", "สำนักข่าวสายน้ำ", "2021-03", "การประชุมว่าด้วยแม่น้ำ"),
            ("river", RIVER, "vi", "Quỹ Dòng Sông", "2019", "Thông cáo về dòng sông"),
            ("statement", STATEMENT, "en", "River Council", "2021-05-02", "Statement on rivers"),
            ("attack", ATTACK, "en", f"Speaker {HOSTILE}", "2022", f"Title {HOSTILE}"),
        ):
            self.library.put(document(name, text, language, speaker, published, title), text)

    def take(self, path: Path, progress: Progress, collection: str | None = None) -> Taken:
        """An intake of plain text, slow enough to be watched."""
        data = path.read_bytes()
        if b"\0" in data:
            raise ReadError("This is not a text file: it holds binary data.")
        text = data.decode()
        for done in range(4):
            progress(done, 4)
            time.sleep(0.25)  # the page looks twice a second
        known = path.stem in self.library.kept
        self.library.put(document(path.stem, text, "en", None, None, path.stem), text)
        return Taken("updated" if known else "added")

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """Events like the real ones; words in the question ask for what is rare in real life."""
        self.asked.append((question, tuple(history), options))
        if "explode" in question:
            raise RuntimeError("the secret of the traceback")
        evidence = tuple(self._evidence(question, options))
        yield EvidenceFound(question, "en", evidence, 0.93)
        if "modelfails" in question:
            raise LanguageModelError("The language model broke off; ask again, or choose quotes.")
        try:
            if "held" in question:
                yield from self._hold()
            yield from self._text(question, evidence, options)
        except GeneratorExit:
            self.closed.set()
            raise

    def _hold(self) -> Iterator[Event]:
        """Wait until a test says to go on, or two minutes if it never does."""
        for _ in range(2400):
            if self.released.wait(0.05):
                return
            yield Waiting()

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        if answer.model != "scripted-writer":
            return ()
        return (("system", f"Answer from the quotes. {HOSTILE}"), ("user", answer.standalone_question))

    def _text(self, question: str, evidence: tuple[Evidence, ...], options: AskOptions) -> Iterator[Event]:
        text, claims, slow = "", [], "slowly" in question
        for item in evidence:
            piece = f"According to {item.document.speaker} ({item.document.title}): “{item.quote}” [{item.key}]"
            start = len(text)
            for number, word in enumerate(piece.split(" ")):
                if slow and number < 10:
                    time.sleep(0.15)
                elif slow:
                    yield from self._hold()
                yield TextAdded(word + " ")
            text += piece + " "
            claims.append(Claim(text=piece, start=start, end=len(text) - 1, citations=(item.key,), support="quoted"))
            yield ClaimChecked(claims[-1])
            text += "\n"
            yield TextAdded("\n")
        if "doubtful" in question:
            piece = "The bell was made of gold."
            claims.append(
                Claim(text=piece, start=len(text), end=len(text) + len(piece), support="unsupported", reason="gold")
            )
            text += piece
            yield TextAdded(piece)
        if not evidence:
            text = "The documents don't answer this."
            yield TextAdded(text)
        notices = (
            [Notice(code="single_speaker", message="All quotes are by one speaker.")] if len(evidence) == 1 else []
        )
        answer = Answer(
            question=question,
            standalone_question=question,
            language=options.answer_language or "en",
            answered=bool(evidence),
            abstain_reason=None if evidence else "no_evidence",
            confidence=0.93 if evidence else 0.1,
            mode=options.mode or "written",
            model="scripted-writer" if options.mode == "written" else None,
            text=text,
            claims=tuple(claims),
            evidence=evidence,
            notices=tuple(notices),
            timings_ms={"retrieve": 3.0, "evidence": 2.0, "total": 6.0},
        )
        if options.translate and foreign(evidence, answer.language):
            answer = yield from self._translations(answer, "unhurried" in question)
            if "mistranslated" in question:
                raise RuntimeError("the secret of the traceback")
        yield Finished(answer)

    def _translations(self, answer: Answer, is_held: bool) -> Generator[Event, None, Answer]:
        """Every quote but the last gets a translation, see `translation_of`."""
        yield Composed(answer)
        done = Translations()
        *most, last = foreign(answer.evidence, answer.language)
        for item in most:
            translation = Translation(item.key, translation_of(item))
            done = done.and_also(translation)
            now = with_translations(answer, done, "scripted-writer")
            yield Translated(translation.key, translation.text, now)
            if is_held:
                yield from self._hold()
        return with_translations(answer, replace(done, withheld=(last.key,)), "scripted-writer")

    def _evidence(self, question: str, options: AskOptions) -> Iterator[Evidence]:
        wanted = {word.strip("?.,!").casefold() for word in question.split() if len(word.strip("?.,!")) > 3}
        scored = []
        for item, text in self.library.kept.values():
            if options.filter.languages and item.language not in options.filter.languages:
                continue
            start = 0
            for line in text.splitlines(keepends=True):
                quote = line.rstrip("\n")
                score = sum(word in quote.casefold() for word in wanted)
                if score and start:
                    scored.append((score, item, Span(start, start + len(quote)), quote))
                start += len(line)
        scored.sort(key=lambda found: -found[0])
        for key, (score, item, span, quote) in enumerate(scored[: options.max_quotes], 1):
            source = Source(
                id=item.id,
                title=item.title,
                speaker=item.speaker,
                published=item.published,
                language=item.language,
                uri=item.uri,
                sha256=item.text_sha256,
            )
            yield Evidence(
                key=key,
                document=source,
                passage_id=f"{item.id}:0",
                start=span.start,
                end=span.end,
                quote=quote,
                language=item.language,
                score=float(score),
            )
