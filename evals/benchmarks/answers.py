"""Measure what a language model adds to quotes, and what it does unchecked: ``python -m evals.benchmarks.answers``.

Each question of XQuAD (development half) gets three answers, from one library in which each paragraph is in one
language only: the quotes alone; what the model wrote, unchecked; and what remains of it after verification (the quotes,
if nothing is left). Some paragraphs are left out, so that their questions have no answer.

The model's output is saved reply by reply, so a stopped run continues where it was, and judging alone takes seconds.
The verifier doesn't decide whether a number or name in the answer is supported, because it would judge itself: it must
be in the cited paragraph, in the collection's version in the answer's own language, or in the question.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import regex

from assistant.answer.pipeline import Assistant
from assistant.answer.written_answer import Written, warm, write
from assistant.types import Answer, AskOptions, Claim, Evidence, EvidenceFound, Finished
from assistant.verify import Verifier, citations_in
from evals.benchmarks.answer_tables import SYSTEMS, Run, Shown, answer_table, outcome_table, time_table
from evals.benchmarks.figures import machine, replace_section, save
from evals.benchmarks.questions import Asked, Parallel, fill, read_xquad, rotated
from evals.benchmarks.replies import Remembering, one_by_one
from evals.metrics.answers import gold_contained, token_f1
from evals.text import fold, without_markers
from store.library import Library
from store.settings import load_settings

LEFT_OUT = 8
"""Every eighth paragraph is not in the library."""


def claims_of(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """Return the sentences of an unchecked text with their citations."""
    from assistant.answer.sentence_stream import sentences_of

    return [(sentence, citations_in(sentence)) for sentence in sentences_of([text]) if regex.search(r"\p{L}", sentence)]


def unsupported_words(sentence: str, allowed: str) -> list[str]:
    """Return numbers and capitalized Latin words of a sentence, except its first, that `allowed` does not have."""
    known = fold(allowed)
    words = regex.findall(
        r"\p{N}[\p{N}.,]*\p{N}|\p{N}|(?<!^)(?<![.!?:]\s)\b\p{Lu}[\p{Latin}\p{M}]+", without_markers(sentence)
    )
    return [word for word in words if fold(word).strip(".,") not in known]


@dataclass(frozen=True, slots=True)
class Judge:
    """The data to judge one question's answers."""

    asked: Asked
    golds: tuple[str, ...]
    uris: dict[int, str]
    gold_uri: str | None
    quotes: str
    """All that are on the page."""
    paragraphs: dict[str, Parallel]

    def allowed(self, keys: Sequence[int]) -> str:
        """Return the cited paragraphs in every language, and the question; quotes are framed with their titles."""
        numbers = {int(self.uris[key].rsplit(":", 1)[1]) for key in keys or self.uris if key in self.uris}
        texts = [each.paragraphs[number].text for number in numbers for each in self.paragraphs.values()]
        return "\n".join([self.asked.text, f" Paragraph {' '.join(self.uris.values())} According Theo", *texts])

    def shown(
        self,
        system: str,
        text: str,
        sentences: Sequence[tuple[str, tuple[int, ...]]],
        *,
        answered: bool,
        says_so: bool,
        by_model: bool = True,
    ) -> Shown:
        """Score one answer; measures that need a gold answer are None if there is none."""
        cited = {self.uris[key] for _, keys in sentences for key in keys if key in self.uris}
        bare = without_markers(text)
        gold = self.gold_uri is not None
        return Shown(
            system,
            text,
            answered,
            says_so,
            gold_contained(bare, self.golds) if gold else None,
            gold_contained(f"{bare}\n{self.quotes}", self.golds) if gold else None,
            token_f1(bare, self.golds, self.asked.language) if gold else None,
            float(self.gold_uri in cited) / len(cited) if gold and cited else None,
            float(self.gold_uri in cited) if gold else None,
            tuple(each for each, keys in sentences if by_model and unsupported_words(each, self.allowed(keys))),
            len(sentences) if by_model else 0,
        )


def ask(
    assistant: Assistant, llm: Remembering, asked: Asked, parallel: dict[str, Parallel], placed: dict[int, str]
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
    golds = {answer for each in parallel.values() for q in each.questions if q.id == asked.id for answer in q.answers}
    judge = Judge(
        asked,
        tuple(sorted(golds)),
        {each.key: each.document.uri or "" for each in evidence},
        f"paragraph:{where}:{asked.paragraph}" if where else None,
        "\n".join(each.quote for each in evidence),
        parallel,
    )
    common = (asked.text, asked.language, where or "-", where is not None)
    if not quotes.answered:
        nothing = tuple(judge.shown(system, "", (), answered=False, says_so=True) for system in SYSTEMS)
        return Run(*common, "abstained by confidence", nothing, first_quote=first_quote, load=os.getloadavg()[0])
    verifier = Verifier(evidence, embedder=assistant.library.embedder)
    *_, written = write(asked.text, evidence, asked.language, llm, verifier=verifier)
    assert isinstance(written, Written)  # noqa: S101 - `write` always ends with it
    if written.problem:
        raise written.problem
    if llm.is_new:
        llm.note(times=dict(written.timings_ms))
    # In milliseconds, from the time when the model really ran, because a saved reply comes at once.
    said, times = str(llm.latest["said"]), dict(llm.latest.get("times", {}))
    no_answer = "NO ANSWER" in said
    kept = bool(written.text)
    claims = written.claims if kept else quotes.claims
    by_quotes = judge.shown(
        SYSTEMS[0], quotes.text, _pairs(quotes.claims), answered=True, says_so=False, by_model=False
    )
    spoken = [] if no_answer else claims_of(said)
    unchecked = judge.shown(SYSTEMS[1], said, spoken, answered=not no_answer, says_so=no_answer)
    text = written.text if kept else quotes.text
    verified = judge.shown(
        SYSTEMS[2],
        text,
        _pairs(claims),
        answered=True,
        says_so=written.outcome in ("abstained", "nothing_left"),
        by_model=kept,
    )
    spent = llm.latest["spent"]
    bare = spent.get("prompt_ms", 0.0) + spent.get("predicted_ms", 0.0)
    return Run(
        *common,
        written.outcome,
        (by_quotes, unchecked, verified),
        said,
        tuple((claim.text, claim.reason) for claim in written.withheld),
        written.corrected_citations,
        first_quote,
        first_quote + times["first_text"] / 1000 if "first_text" in times else None,
        first_quote + times["write"] / 1000 if times else None,
        times["write"] / bare if bare and times else None,
        (int(spent["prompt_n"]), int(spent["predicted_n"])) if spent else None,
        llm.latest["load"],
        judge.golds,
        tuple(each.model_dump() for each in evidence),
        tuple(claims_of(said)),
    )


def _pairs(claims: Sequence[Claim]) -> list[tuple[str, tuple[int, ...]]]:
    return [(claim.text, claim.citations) for claim in claims]


def chosen(parallel: dict[str, Parallel], placed: dict[int, str], each: int) -> Iterator[Asked]:
    """Yield `each` questions for every pair of languages, and as many per language that have no answer; always the same."""
    for collection in parallel.values():
        by_place: dict[str, list[Asked]] = defaultdict(list)
        for asked in collection.questions:
            by_place[placed.get(asked.paragraph, "-")].append(asked)
        for place in sorted(by_place):
            questions = by_place[place]
            step = max(1, len(questions) // each)
            yield from questions[step // 2 :: step][:each]


@click.command()
@click.option("--shared", type=click.Path(path_type=Path), default=None, help="The folder with the collections.")
@click.option("--each", default=5, show_default=True, help="Questions for each pair of languages.")
@click.option("--rotation", default=1, show_default=True, help="Which paragraph is in which language: 0, 1 or 2.")
@click.option("--replies", type=click.Path(path_type=Path), default=Path("build/replies.jsonl"), show_default=True)
@click.option("--docs", is_flag=True, help="Rewrite the page of figures.")
def main(shared: Path | None, each: int, rotation: int, replies: Path, docs: bool) -> None:
    """Print what quotes, a model, and a model that is checked answer, with the language model of the settings."""
    from assistant.llm.registry import load_model

    folder = shared or Path(os.environ.get("ATTEST_SHARED", "../shared"))
    inner = load_model(load_settings())
    if inner is None:
        raise click.ClickException("There is no language model to measure: run `attest models install`.")
    parallel = {
        tag: part for tag, part in read_xquad(folder / "data" / "xquad-dev").items() if tag in ("en", "th", "vi")
    }
    kept = [each for each in rotated(parallel, rotation) if each.number % LEFT_OUT]
    placed = {paragraph.number: paragraph.language for paragraph in kept}
    llm = Remembering(inner, replies)
    with tempfile.TemporaryDirectory() as home, Library.open(load_settings(home)) as library:
        fill(library, kept)
        warm(inner)
        assistant = Assistant(library)
        tasks = list(chosen(parallel, placed, each))
        runs, failures = one_by_one(tasks, lambda asked: ask(assistant, llm, asked, parallel, placed), "questions")
    withheld, corrected = sum(len(run.withheld) for run in runs), sum(run.corrected for run in runs)
    text = "\n\n".join(
        (
            f"{machine()} {inner.metadata.model_name}.",
            answer_table(runs),
            f"What became of {len(runs)} replies ({len(failures)} failed); {withheld} sentences were withheld, and the "
            f"citations of {corrected} put right:",
            outcome_table(runs),
            "Seconds are only worth something where the load is below the number of cores; the ratio always is.",
            time_table(runs),
        )
    )
    click.echo(text)
    saved = save("answers", {"failures": failures, "runs": [asdict(run) for run in runs]})
    click.echo(f"Every single outcome is in {saved}.", err=True)
    if docs:
        replace_section("answers", text)


if __name__ == "__main__":
    main()
