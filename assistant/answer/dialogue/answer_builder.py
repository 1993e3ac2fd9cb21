"""Build an answer that isn't a plain list of quotes, part by part: text, claims, sections and documents."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from assistant.answer import quoted_answer
from assistant.answer.dialogue.phrases import Phrases, phrases
from assistant.answer.evidence import in_context, source, verified
from assistant.answer.question import Question
from assistant.extractive_qa.candidates import Candidate
from assistant.types import AbstainReason, Answer, AnswerKind, Claim, Evidence, Notice, Section, Source
from store.library import Library
from store.types import Document

PARAGRAPH = "\n\n"
_NONE = {"retrieve": 0.0, "evidence": 0.0}
"""The confidence of an answer from the catalog alone."""


class Draft:
    """The parts of one answer, in display order."""

    def __init__(self, asked: Question, kind: AnswerKind, library: Library) -> None:
        self.asked = asked
        self.kind: AnswerKind = kind
        self.phrases: Phrases = phrases(asked.language)
        self.text = ""
        self.total: int | None = None
        self._library = library
        self._claims: list[Claim] = []
        self._evidence: dict[tuple[str, int, int], Evidence] = {}
        self._sections: list[Section] = []
        self._documents: list[Source] = []
        self._notices: list[Notice] = []

    def say_empty(self) -> None:
        """Add that the library has no documents."""
        self.say(quoted_answer.empty_library(self.asked.language))

    def say(self, text: str, gap: str = PARAGRAPH) -> None:
        """Add a sentence of Attest's own."""
        self.text += (gap if self.text else "") + text

    def verify(self, chosen: Iterable[Candidate]) -> None:
        """Check all sentences to be quoted, and number them in this order."""
        together = {each.place: each for each in map(in_context, chosen)}
        for each in verified(together.values(), self._library):
            self._evidence[(each.document.id, each.start, each.end)] = each

    def quote(self, chosen: Sequence[Candidate]) -> tuple[int, ...]:
        """Add the verified ones of `chosen`, each with its speaker; return their numbers."""
        keys = []
        for place in dict.fromkeys(in_context(each).place for each in chosen):
            evidence = self._evidence.get(place)
            if evidence is None:
                continue
            gap = PARAGRAPH if self.text else ""
            claim = quoted_answer.framed(evidence, self.asked.language, len(self.text) + len(gap))
            self.text += gap + claim.text
            self._claims.append(claim)
            keys.append(evidence.key)
        return tuple(keys)

    def section(self, title: str, keys: Sequence[int] = (), document_ids: Sequence[str] = ()) -> None:
        """Add a section: these quotes and documents belong under a heading."""
        self._sections.append(Section(title=title, keys=tuple(keys), document_ids=tuple(document_ids)))

    def name(self, documents: Sequence[Document], bullets: bool = True) -> None:
        """Add documents with their metadata."""
        self._documents += [source(each, 0) for each in documents]
        for each in documents if bullets else ():
            facts = (each.speaker, each.published, self.phrases.language_name(each.language))
            self.say(f"- {each.title} ({', '.join(fact for fact in facts if fact)})", "\n")

    def notice(self, notice: Notice) -> None:
        """Add a notice about the whole answer."""
        self._notices.append(notice)

    @property
    def quoted(self) -> tuple[Evidence, ...]:
        """The verified evidence, by number."""
        return tuple(sorted(self._evidence.values(), key=lambda each: each.key))

    def answer(
        self,
        *,
        confidence: float = 1.0,
        abstain_reason: AbstainReason | None = None,
        timings_ms: Mapping[str, float] | None = None,
    ) -> Answer:
        """Return the finished answer; `abstain_reason` says why it is no answer."""
        total = (time.perf_counter() - self.asked.started) * 1000
        return Answer(
            question=self.asked.asked,
            did_you_mean=self.asked.meant if self.kind != "talk" else None,
            standalone_question=self.asked.alone,
            language=self.asked.language,
            answered=abstain_reason is None,
            abstain_reason=abstain_reason,
            confidence=confidence,
            mode="quotes",
            text=self.text,
            kind=self.kind,
            claims=tuple(self._claims),
            evidence=self.quoted,
            sections=tuple(self._sections),
            documents=tuple(self._documents),
            total=self.total,
            notices=tuple(self._notices),
            timings_ms={
                name: round(spent, 2) for name, spent in {**_NONE, **(timings_ms or {}), "total": total}.items()
            },
        )
