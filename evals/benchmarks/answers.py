"""What a language model adds to quotes, and what it would do unchecked: ``python -m evals.benchmarks.answers``.

Three answers to each question of XQuAD (development half), from one library in which each paragraph is in one language
only: the quotes alone; what the model wrote, unchecked; what of it is shown after verification (the quotes, where
nothing is left). Some paragraphs are left out, so that their questions have no answer.

Whether a number or name that is shown is supported is not asked of the verifier, which would judge itself: it must
stand in the cited paragraph as the collection has it in the answer's own language, or in the question.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import click
import regex
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.llms import LLM, CustomLLM
from pydantic import PrivateAttr

from assistant.answer import Assistant
from assistant.models.base import counter_of
from assistant.types import Answer, AskOptions, Claim, Evidence, EvidenceFound, Finished
from assistant.verify import Verifier, citations_in
from assistant.write import Written, warm, write
from evals.benchmarks.questions import Asked, Parallel, fill, read_xquad, rotated
from evals.metrics.answers import gold_contained, token_f1
from evals.text import fold, without_markers
from store.library import Library
from store.settings import load_settings

LEFT_OUT = 8
"""Every eighth paragraph is not in the library."""


class Recording(CustomLLM):
    """Passes everything on to another model and keeps what it said."""

    _inner: LLM = PrivateAttr()
    _said: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, inner: LLM) -> None:
        super().__init__()
        self._inner = inner

    @property
    def metadata(self) -> LLMMetadata:
        """The other model's."""
        return self._inner.metadata

    @property
    def said(self) -> str:
        """The latest reply, unchecked."""
        return "".join(self._said)

    def count_tokens(self, text: str) -> int:
        """By the other model's tokenizer."""
        return counter_of(self._inner)(text)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: object) -> ChatResponseGen:
        """The other model's reply, noted on its way."""
        self._said.clear()

        def noted() -> ChatResponseGen:
            replies = self._inner.stream_chat(messages, **options)
            try:
                for reply in replies:
                    self._said.append(reply.delta or "")
                    yield reply
            finally:
                getattr(replies, "close", lambda: None)()

        return noted()

    def complete(self, prompt: str, formatted: bool = False, **options: object) -> CompletionResponse:
        """Passed on."""
        return self._inner.complete(prompt, formatted, **options)

    def stream_complete(self, prompt: str, formatted: bool = False, **options: object) -> CompletionResponseGen:
        """Passed on."""
        return self._inner.stream_complete(prompt, formatted, **options)


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer as a reader sees it, scored."""

    system: str
    text: str
    answered: bool
    contained: float | None
    f1: float | None
    cited_right: float | None
    """Share of the cited documents that hold the answer."""
    cites_gold: float | None
    """Whether the document that holds the answer is cited."""
    unsupported: int
    """Sentences with a number or name that the cited paragraphs don't have."""
    sentences: int


@dataclass(frozen=True, slots=True)
class Run:
    """One question with its three answers and the time they took, in seconds."""

    question: str
    language: str
    quote_language: str
    answerable: bool
    outcome: str
    shown: tuple[Shown, ...]
    withheld: int
    corrected: int
    first_quote: float
    first_word: float | None = None
    end: float | None = None
    overhead: float | None = None
    """Time from question to the reply's end, by what llama.cpp says that it took for the same tokens."""
    details: dict[str, Any] = field(default_factory=dict)


def claims_of(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """The sentences of an unchecked text with what they cite."""
    from assistant.sentences import sentences_of

    return [(sentence, citations_in(sentence)) for sentence in sentences_of([text]) if regex.search(r"\p{L}", sentence)]


def unsupported_words(sentence: str, allowed: str) -> list[str]:
    """Numbers and capitalized Latin words of a sentence, but for its first, that `allowed` does not have."""
    known = fold(allowed)
    words = regex.findall(
        r"\p{N}[\p{N}.,]*\p{N}|\p{N}|(?<!^)(?<![.!?:]\s)\b\p{Lu}[\p{Latin}\p{M}]+", without_markers(sentence)
    )
    return [word for word in words if fold(word).strip(".,") not in known]


def score(
    system: str,
    text: str,
    answered: bool,
    sentences: Sequence[tuple[str, tuple[int, ...]]],
    golds: Sequence[str],
    language: str,
    uris: dict[int, str],
    gold_uri: str | None,
    allowed: Callable[[tuple[int, ...]], str],
) -> Shown:
    """Score one answer; measures that need a gold answer are None where there is none, or nothing was answered."""
    # Quotes stand in a frame that names their documents.
    frame = f" Paragraph {' '.join(uris.values())} According Theo"
    cited = {uris[key] for _, keys in sentences for key in keys if key in uris}
    bare = without_markers(text)
    return Shown(
        system,
        text,
        answered,
        gold_contained(bare, golds) if gold_uri else None,
        token_f1(bare, golds, language) if gold_uri else None,
        float(gold_uri in cited) / len(cited) if gold_uri and cited else None,
        float(gold_uri in cited) if gold_uri else None,
        sum(bool(unsupported_words(sentence, allowed(keys) + frame)) for sentence, keys in sentences),
        len(sentences),
    )


def ask(
    assistant: Assistant, llm: Recording, asked: Asked, parallel: dict[str, Parallel], placed: dict[int, str]
) -> Run:
    """Answer one question in the three ways."""
    started = time.perf_counter()
    evidence: tuple[Evidence, ...] = ()
    quotes: Answer | None = None
    first_quote = 0.0
    for event in assistant.ask(asked.text, options=AskOptions(mode="quotes")):
        if isinstance(event, EvidenceFound):
            evidence, first_quote = event.evidence, time.perf_counter() - started
        if isinstance(event, Finished):
            quotes = event.answer
    assert quotes is not None  # noqa: S101 - `ask` always ends with Finished
    where = placed.get(asked.paragraph)
    gold_uri = f"paragraph:{where}:{asked.paragraph}" if where else None
    golds = {answer for each in parallel.values() for q in each.questions if q.id == asked.id for answer in q.answers}
    uris = {each.key: each.document.uri or "" for each in evidence}

    def allowed(keys: tuple[int, ...]) -> str:
        numbers = {int(uris[key].rsplit(":", 1)[1]) for key in keys or uris if key in uris}
        texts = [each.paragraphs[number].text for number in numbers for each in parallel.values()]
        return "\n".join([asked.text, *texts])

    def scored(system: str, text: str, answered: bool, sentences: Sequence[tuple[str, tuple[int, ...]]]) -> Shown:
        return score(system, text, answered, sentences, sorted(golds), asked.language, uris, gold_uri, allowed)

    by_quotes = scored("quotes", quotes.text if quotes.answered else "", quotes.answered, _pairs(quotes.claims))
    common = (asked.text, asked.language, where or "-", where is not None)
    if not quotes.answered:
        shown = (by_quotes, *(scored(system, "", False, ()) for system in ("written, unchecked", "written, verified")))
        return Run(*common, "abstained by confidence", shown, 0, 0, first_quote)
    began = time.perf_counter()
    verifier = Verifier(evidence, embedder=assistant.library.embedder)
    *_, written = write(asked.text, evidence, asked.language, llm, verifier=verifier)
    assert isinstance(written, Written)  # noqa: S101 - `write` always ends with it
    times = dict(written.timings_ms)
    unchecked = scored("written, unchecked", llm.said, "NO ANSWER" not in llm.said, claims_of(llm.said))
    kept = bool(written.text)
    verified = scored(
        "written, verified",
        written.text if kept else quotes.text,
        True,
        _pairs(written.claims if kept else quotes.claims),
    )
    spent = getattr(llm._inner, "spent", {})
    bare = spent.get("prompt_ms", 0.0) + spent.get("predicted_ms", 0.0)
    return Run(
        *common,
        written.outcome,
        (by_quotes, unchecked, verified),
        len(written.withheld),
        written.corrected_citations,
        first_quote,
        began - started + times["first_text"] / 1000 if "first_text" in times else None,
        began - started + times["write"] / 1000,
        times["write"] / bare if bare else None,
        {"said": llm.said, "withheld": [(claim.text, claim.reason) for claim in written.withheld], "spent": spent},
    )


def _pairs(claims: Sequence[Claim]) -> list[tuple[str, tuple[int, ...]]]:
    return [(claim.text, claim.citations) for claim in claims]


def chosen(parallel: dict[str, Parallel], placed: dict[int, str], each: int) -> Iterator[Asked]:
    """`each` questions for every pair of languages, and as many per language that have no answer; always the same."""
    for collection in parallel.values():
        by_place: dict[str, list[Asked]] = defaultdict(list)
        for asked in collection.questions:
            by_place[placed.get(asked.paragraph, "-")].append(asked)
        for place in sorted(by_place):
            questions = by_place[place]
            step = max(1, len(questions) // each)
            yield from questions[step // 2 :: step][:each]


def table(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """One row a system and part of the questions; a dash where a measure does not apply."""
    parts = {
        "within": [run for run in runs if run.answerable and run.language == run.quote_language],
        "across": [run for run in runs if run.answerable and run.language != run.quote_language],
        "no answer": [run for run in runs if not run.answerable],
    }
    rows: list[tuple[str, ...]] = [
        ("part", "answer", "n", "gold in it", "F1", "cited right", "gold cited", "unsupported", "abstains")
    ]
    for part, members in parts.items():
        for place, system in enumerate(("quotes", "written, unchecked", "written, verified")):
            shown = [run.shown[place] for run in members]
            if not shown:
                continue
            sentences = sum(each.sentences for each in shown)
            rows.append(
                (
                    part,
                    system,
                    str(len(shown)),
                    _average([each.contained for each in shown]),
                    _average([each.f1 for each in shown]),
                    _average([each.cited_right for each in shown]),
                    _average([each.cites_gold for each in shown]),
                    f"{sum(each.unsupported for each in shown)} of {sentences}",
                    _average([float(not each.answered) for each in shown]),
                )
            )
    return rows


def _average(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{mean(known):.3f}" if known else "-"


def _median(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.2f}" if known else "-"


@click.command()
@click.option("--shared", type=click.Path(path_type=Path), default=None, help="The folder with the collections.")
@click.option("--each", default=2, show_default=True, help="Questions for each pair of languages.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Also write all runs as JSON lines.")
def main(shared: Path | None, each: int, out: Path | None) -> None:
    """Print what quotes, a model, and a model that is checked answer, with the language model of the settings."""
    from assistant.models.registry import load_model

    folder = shared or Path(os.environ.get("ATTEST_SHARED", "../shared"))
    inner = load_model(load_settings())
    if inner is None:
        raise click.ClickException("There is no language model to measure: run `attest models install`.")
    parallel = {
        tag: part for tag, part in read_xquad(folder / "data" / "xquad-dev").items() if tag in ("en", "th", "vi")
    }
    kept = [each for each in rotated(parallel, 0) if each.number % LEFT_OUT]
    placed = {paragraph.number: paragraph.language for paragraph in kept}
    llm = Recording(inner)
    runs = []
    with tempfile.TemporaryDirectory() as home, Library.open(load_settings(home)) as library:
        fill(library, kept)
        warm(llm)
        assistant = Assistant(library)
        for asked in chosen(parallel, placed, each):
            runs.append(ask(assistant, llm, asked, parallel, placed))
            if out:
                with out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(runs[-1]), ensure_ascii=False) + "\n")
    rows = table(runs)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"first quote {_median([run.first_quote for run in runs])} s")
    click.echo(f"first word {_median([run.first_word for run in runs])} s")
    click.echo(f"end {_median([run.end for run in runs])} s")
    click.echo(f"time by llama.cpp's own {_median([run.overhead for run in runs])}")
    click.echo(
        f"withheld {sum(run.withheld for run in runs)}, citations put right {sum(run.corrected for run in runs)}"
    )


if __name__ == "__main__":
    main()
