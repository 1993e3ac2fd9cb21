"""Write the rankings of a run as files for other tools: TREC's run and qrels formats.

A line of the run is ``query Q0 document rank score attest``, one of the judgements ``query 0 document grade``. Queries
and documents have the data set's ids, so that its own judgements can be used with the run. Only questions with relevant
documents are included. White space in ids, which the formats can't contain, is percent-encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from evals.metrics.retrieval import best_per_document
from evals.run_store import RunFolder
from evals.types import CaseResult

RUN, QRELS = "run.trec", "qrels.trec"


def write_trec(folder: RunFolder, target: Path) -> tuple[Path, ...]:
    """Write both files into the folder `target`, or into one folder per suite if there are several.

    For repeated cases, the first repetition counts. Returns the paths that were written.
    """
    results = [result for result in folder.results() if result.repeat == 0]
    suites = list(dict.fromkeys(result.suite for result in results))
    written = []
    for suite in suites:
        place = target / quote(suite, safe="") if len(suites) > 1 else target
        own = [result for result in results if result.suite == suite]
        written += [*_write(own, place)]
    return tuple(written)


def _write(results: list[CaseResult], target: Path) -> tuple[Path, Path]:
    target.mkdir(parents=True, exist_ok=True)
    names = {gold.key: gold.name for result in results for turn in result.turns for gold in turn.gold}
    paths = target / RUN, target / QRELS
    for path, lines in zip(paths, (_run, _qrels), strict=True):
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for result in results for line in lines(result, names))
    return paths


def _run(result: CaseResult, names: Mapping[str, str]) -> Iterator[str]:
    for number, turn in enumerate(result.turns):
        addresses = {ranked.document_id: ranked.uri or ranked.document_id for ranked in turn.ranking or ()}
        for rank, document in enumerate(best_per_document(addresses), 1):
            # Tools order by the score, not by the rank, so it must have no ties.
            name = names.get(document, addresses[document])
            yield f"{_query(result, number)} Q0 {_id(name)} {rank} {1 / rank:.9f} attest"


def _qrels(result: CaseResult, names: Mapping[str, str]) -> Iterator[str]:
    for number, turn in enumerate(result.turns):
        if turn.ranking is not None:
            for gold in turn.gold:
                yield f"{_query(result, number)} 0 {_id(names[gold.key])} {gold.grade}"


def _query(result: CaseResult, turn: int) -> str:
    return _id(f"{result.case_id}#{turn + 1}" if len(result.turns) > 1 else result.case_id)


def _id(text: str) -> str:
    return quote(text, safe="/#:@!$&'()*+,;=-._~") if any(letter.isspace() for letter in text) else text
