"""Measure how well the verifier separates claims that their quotes support from claims that they don't.

``python -m evals.benchmarks.claims`` runs it over ``evals/benchmarks/data/claims.jsonl``: true claims over sentences of
the samples, in English, Thai and Vietnamese and across them; copies of each, corrupted in one way; and sentences that a
real small model wrote, labelled by hand. Thresholds were set on the part ``tune``; ``report`` gives the result. If the
folder with collections exists, claims over them are added, see `evals.benchmarks.parallel_claims`.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.types import Evidence, Source
from assistant.verify import Verdict, Verifier
from evals.benchmarks.figures import replace_section, share
from evals.benchmarks.figures import table as markdown

if TYPE_CHECKING:
    from store.embedding.centering import Centering
    from store.embedding.embedder import Embedder

SUITE = Path(__file__).parent / "data" / "claims.jsonl"


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim over some evidence, and whether the quotes it cites support it."""

    id: str
    part: str
    kind: str
    language: str
    quote_language: str
    supported: bool
    claim: str
    citations: tuple[int, ...]
    evidence: tuple[Evidence, ...]

    @property
    def is_across(self) -> bool:
        """Whether claim and quote are in different languages."""
        return self.language != self.quote_language


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled claim with its verdict."""

    case: LabelledClaim
    verdict: Verdict

    @property
    def is_right(self) -> bool:
        """Whether the verdict agrees with the label; a nonexistent key only has to be dropped."""
        if self.case.kind == "missing_citation":
            return not set(self.case.citations) & set(self.verdict.citations) and bool(self.verdict.dropped)
        return (self.verdict.support != "unsupported") == self.case.supported


def load(path: Path = SUITE) -> Iterator[LabelledClaim]:
    """Yield the labelled claims in the order of their file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        evidence = tuple(_evidence(key, quote) for key, quote in enumerate(case.pop("evidence"), 1))
        yield LabelledClaim(citations=tuple(case.pop("citations")), evidence=evidence, **case)


def _evidence(key: int, quote: dict[str, str]) -> Evidence:
    source = Source(
        id=quote["title"],
        title=quote["title"],
        speaker=quote.get("speaker"),
        published=quote.get("published"),
        language=quote["language"],
        sha256="",
    )
    return Evidence(
        key=key,
        document=source,
        passage_id=str(key),
        start=0,
        end=len(quote["quote"]),
        quote=quote["quote"],
        language=quote["language"],
        score=1.0,
    )


def judge(
    cases: Sequence[LabelledClaim], embedder: Embedder | None = None, centering: Centering | None = None
) -> list[Judged]:
    """Return the verdict on each case; one verifier serves the cases that share their evidence."""
    verifiers: dict[tuple[str, ...], Verifier] = {}
    judged = []
    for case in cases:
        quotes = tuple(each.quote for each in case.evidence)
        if quotes not in verifiers:
            verifiers[quotes] = Verifier(case.evidence, embedder=embedder, centering=centering)
        verdict = verifiers[quotes].verify(case.claim, case.citations, language=case.language)
        judged.append(Judged(case, verdict))
    return judged


def caught(judged: Sequence[Judged]) -> float | None:
    """Return the share of the unsupported claims that were found; None if there are none."""
    wrong = [each for each in judged if not each.case.supported]
    return sum(each.is_right for each in wrong) / len(wrong) if wrong else None


def withheld(judged: Sequence[Judged]) -> float | None:
    """Return the share of the true claims that were wrongly judged unsupported; None if there are none."""
    true = [each for each in judged if each.case.supported]
    return sum(not each.is_right for each in true) / len(true) if true else None


def precision(judged: Sequence[Judged]) -> float | None:
    """Return the share of really unsupported claims among those found; None if none was found."""
    found = [each for each in judged if each.verdict.support == "unsupported"]
    return sum(not each.case.supported for each in found) / len(found) if found else None


def table(judged: Sequence[Judged]) -> list[tuple[str, str, int, float]]:
    """Return rows of (part, kind, claims, share judged right), by kind, by language and across."""
    groups: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for each in judged:
        case = each.case
        label = "true" if case.supported else "false"
        for kind in (case.kind, f"{label} in {case.language}", f"{label} {'across' if case.is_across else 'within'}"):
            groups[case.part, kind].append(each.is_right)
    return [(part, kind, len(right), sum(right) / len(right)) for (part, kind), right in sorted(groups.items())]


def kind_table(judged: Sequence[Judged]) -> str:
    """Return shares judged right, one row per part and kind of claims."""
    return markdown(
        ("part", "claims", "n", "told right"),
        [(part, kind, str(n), share(right)) for part, kind, n, right in table(judged)],
    )


def part_table(judged: Sequence[Judged]) -> str:
    """Return what is caught, how much of it rightly, and what is withheld wrongly, one row per part."""
    rows = []
    for name in sorted({each.case.part for each in judged}):
        some = [each for each in judged if each.case.part == name]
        rows.append((name, str(len(some)), share(caught(some)), share(precision(some)), share(withheld(some))))
    return markdown(("part", "n", "false ones caught", "of those caught, false", "true ones wrongly withheld"), rows)


@click.command()
@click.option("--words-only", is_flag=True, help="Without the embedding model.")
@click.option("--part", default=None, help="Only this part: tune or report.")
@click.option("--wrong", is_flag=True, help="Also print the claims that were judged wrongly.")
@click.option("--shared", type=click.Path(path_type=Path), default=None, help="The folder with the collections.")
@click.option("--step", default=2, show_default=True, help="Every how many paragraphs of the parallel collection.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/answers.json"), show_default=True)
@click.option("--docs", is_flag=True, help="Rewrite the page of figures.")
def main(
    words_only: bool, part: str | None, wrong: bool, shared: Path | None, step: int, runs: Path, docs: bool
) -> None:
    """Print how many claims the verifier judges rightly, by kind."""
    cases = [case for case in (*load(), *_from_outside(shared, step, runs)) if part in (None, case.part)]
    embedder, centering = (None, None) if words_only else _embedding()
    judged = judge(cases, embedder, centering)
    text = f"{kind_table(judged)}\n\n{part_table(judged)}"
    click.echo(text)
    if docs:
        replace_section("claims", text)
    if wrong:
        for each in judged:
            if not each.is_right:
                click.echo(f"{each.case.id} {each.case.citations}: {each.case.claim} -> {each.verdict.reason}")


def _from_outside(shared: Path | None, step: int, runs: Path) -> Iterator[LabelledClaim]:
    """Yield claims made from the collections, and those in the output of the benchmark of answers, if it ran."""
    from evals.benchmarks.parallel_claims import LANGUAGES, model_claims, translated_claims
    from evals.benchmarks.questions import read_xquad

    folder = (shared or Path(os.environ.get("ATTEST_SHARED", "../shared"))) / "data" / "xquad-dev"
    parallel = {tag: part for tag, part in read_xquad(folder).items() if tag in LANGUAGES} if folder.is_dir() else {}
    if len(parallel) == len(LANGUAGES):
        yield from translated_claims(parallel, step)
        if runs.is_file():
            yield from model_claims(runs, parallel)


def _embedding() -> tuple[Embedder, Centering]:
    from store.embedding.centering import Centering, load_means
    from store.embedding.weights import load_embedder

    embedder = load_embedder()
    return embedder, Centering(load_means(embedder.name, embedder.dimensions))


if __name__ == "__main__":
    main()
