"""How many gold answers a sentence boundary cuts, and how long the sentences are.

A quote is a sentence, so an answer that lies in two can't be quoted whole. On XQuAD in English,
Vietnamese and Thai, and on native Thai questions; with other cutters of the same texts beside it.

    python -m evals.benchmarks.segmentation ../shared/data
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.normalize import normalize_text
from ingest.sentences import sentences
from store.types import Span

Cutter = Callable[[str, str], tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class Marked:
    """A normalized text and where the answers to its questions stand."""

    text: str
    answers: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cutter did: answers cut, of how many; lengths in code points; microseconds per code point."""

    cut: int
    answers: int
    lengths: tuple[int, ...]
    microseconds: float

    @property
    def share(self) -> float:
        """Of the answers that were cut."""
        return self.cut / self.answers if self.answers else 0.0

    @property
    def median(self) -> int:
        """Of the lengths."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> int:
        """Return the length that this share of the sentences stays within."""
        return self.lengths[int(share * (len(self.lengths) - 1))]


def questions(data: Path, name: str, language: str) -> list[Marked]:
    """Return the texts of a set in `data`, with its answers found again in the normalized text."""
    if name == "thai-qa":
        return [_marked(text, answers) for text, answers in _thai_qa(data / "thai-qa/valid.jsonl")]
    articles = json.loads((data / name / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
    return [
        _marked(
            paragraph["context"],
            [
                (answer["answer_start"], answer["text"])
                for question in paragraph["qas"]
                for answer in question["answers"][:1]
            ],
        )
        for article in articles
        for paragraph in article["paragraphs"]
    ]


def answers_cut(texts: Iterable[Marked], language: str, cutter: Cutter = sentences) -> Cut:
    """Return what `cutter` does to the answers of `texts`."""
    cut = answers = characters = 0
    lengths: list[int] = []
    seconds = 0.0
    for marked in texts:
        start = time.perf_counter()
        spans = cutter(marked.text, language)
        seconds += time.perf_counter() - start
        characters += len(marked.text)
        lengths += [span.end - span.start for span in spans]
        answers += len(marked.answers)
        cut += sum(not _whole(answer, spans) for answer in marked.answers)
    return Cut(cut, answers, tuple(sorted(lengths)), seconds / characters * 1e6)


def _whole(answer: Span, spans: tuple[Span, ...]) -> bool:
    return any(span.start <= answer.start and answer.end <= span.end for span in spans)


def _marked(text: str, answers: Iterable[tuple[int, str]]) -> Marked:
    normalized = normalize_text(text).text
    found = []
    for offset, answer in answers:
        words = normalize_text(answer).text.strip()
        expected = offset * len(normalized) // max(1, len(text))
        places = [match.start() for match in re.finditer(re.escape(words), normalized)] if words else []
        if places:
            place = min(places, key=lambda place: abs(place - expected))
            found.append(Span(place, place + len(words)))
    return Marked(normalized, tuple(found))


def _thai_qa(path: Path) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    by_text: dict[str, list[tuple[int, str]]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            answers = record["answers"]
            places = answers.get("answer_start") or answers["answer_begin_position"]
            by_text.setdefault(record["context"], []).extend(zip(places, answers["text"], strict=True))
    yield from by_text.items()


def _blanks(text: str, language: str) -> tuple[Span, ...]:
    return tuple(Span(*match.span()) for match in re.finditer(r"\S+", text))


def _crfcut(text: str, language: str) -> tuple[Span, ...]:
    os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")
    from pythainlp.tokenize import sent_tokenize

    spans = []
    for line in re.finditer(r"[^\n]+", text):
        position = line.start()
        for piece in sent_tokenize(line.group(), engine="crfcut", keep_whitespace=True):
            spans.append(Span(position, position + len(str(piece).rstrip())))
            position += len(piece)
    return tuple(spans)


def _sentencex(text: str, language: str) -> tuple[Span, ...]:
    import sentencex

    return tuple(Span(b["start_index"], b["end_index"]) for b in sentencex.get_sentence_boundaries(language, text))


def main() -> None:
    """Print a table of all sets and cutters."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    thai: dict[str, Cutter] = {"ours": sentences, "crfcut alone": _crfcut, "every blank": _blanks}
    marked: dict[str, Cutter] = {"ours": sentences, "sentencex alone": _sentencex}
    print("| set | cutter | answers cut | length p5 / p50 / p95 | us a code point |\n| --- | --- | --- | --- | --- |")
    for name, language in (("xquad-dev", "en"), ("xquad-dev", "vi"), ("xquad-dev", "th"), ("thai-qa", "th")):
        texts = questions(data, name, language)
        for title, cutter in (thai if language == "th" else marked).items():
            cut = answers_cut(texts, language, cutter)
            lengths = " / ".join(str(cut.quantile(share)) for share in (0.05, 0.5, 0.95))
            print(
                f"| {name} {language} | {title} | {cut.cut} of {cut.answers} ({cut.share:.2%}) | {lengths} | "
                f"{cut.microseconds:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
