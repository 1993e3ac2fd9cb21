"""The rankings of a run as files that other tools read: TREC's run and qrels formats.

A line of the run is ``query Q0 document rank score attest``, one of the judgements ``query 0 document grade``.
Only questions with relevant documents are in them. Ids are percent-encoded where they hold white space.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from evals.metrics.retrieval import best_per_document
from evals.run_store import RunFolder
from evals.types import CaseResult

RUN, QRELS = "run.trec", "qrels.trec"


def write_trec(folder: RunFolder, target: Path) -> tuple[Path, Path]:
    """Write both files into the folder `target`; of repeated cases, the first time counts."""
    target.mkdir(parents=True, exist_ok=True)
    results = [result for result in folder.results() if result.repeat == 0]
    paths = target / RUN, target / QRELS
    for path, lines in zip(paths, (_run, _qrels), strict=True):
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for result in results for line in lines(result))
    return paths


def _run(result: CaseResult) -> Iterator[str]:
    for number, turn in enumerate(result.turns):
        ranking = best_per_document(ranked.document_id for ranked in turn.ranking or ())
        for rank, document in enumerate(ranking, 1):
            # Tools order by the score, not by the rank: it must not tie.
            yield f"{_query(result, number)} Q0 {_id(document)} {rank} {1 / rank:.9f} attest"


def _qrels(result: CaseResult) -> Iterator[str]:
    for number, turn in enumerate(result.turns):
        if turn.ranking is not None:
            for gold in turn.gold:
                if gold.document_id is not None:
                    yield f"{_query(result, number)} 0 {_id(gold.document_id)} {gold.grade}"


def _query(result: CaseResult, turn: int) -> str:
    return _id(f"{result.key}#{turn + 1}" if len(result.turns) > 1 else result.key)


def _id(text: str) -> str:
    return quote(text, safe="/#:@!$&'()*+,;=-._~") if any(letter.isspace() for letter in text) else text
