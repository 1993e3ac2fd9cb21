"""Open one library in a process and ask it: measure the cost of a question, and the memory.

    python -m evals.benchmarks.speed_probe LIBRARY QUESTIONS.json

prints one JSON object. It runs in its own process, so that filling the library, or another size, doesn't affect it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from assistant.answer.pipeline import Assistant
from assistant.types import AskOptions
from store.embedding.weights import load_embedder
from store.index.embedded_keywords import EmbeddedKeywordIndex
from store.index.keyword_index import KeywordEntry, KeywordIndex
from store.library import Library
from store.types import Filter

ENTRIES = 100
WARM = 10


def main() -> None:
    """Measure and print."""
    home, questions = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    embedder = load_embedder()
    embedder.embed_queries(questions[:2])
    before = resident_megabytes()
    with Library.open(home, embedder=embedder) as library:
        began = time.perf_counter()
        library.prepare()
        opened = time.perf_counter() - began
        with library.ownership.indexes() as indexes:
            keywords = _keywords(indexes.keywords, library, questions[0])
        asked = {name: _ask(library, questions, where) for name, where in _filters(library).items()}
        print(
            json.dumps(
                {
                    "passages": library.statistics().passages,
                    "megabytes": round(resident_megabytes() - before, 1),
                    "prepare_seconds": opened,
                    "questions": asked,
                    **keywords,
                }
            )
        )


def resident_megabytes() -> float:
    """Return the memory of this process alone, without file pages that the system may take back."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(kilobytes) / 1024


def _filters(library: Library) -> dict[str, Filter]:
    some = library.documents(limit=2).documents
    return {
        "no filter": Filter(),
        "two documents": Filter(documents=tuple(each.id for each in some)),
        "two speakers": Filter(speakers=("Speaker 3", "Speaker 4")),
        "two languages": Filter(languages=("th", "vi")),
        "three years": Filter(published_from="2001", published_to="2003"),
    }


def _ask(library: Library, questions: list[str], where: Filter) -> list[dict[str, float]]:
    """Return for each question the milliseconds of its parts; `own` is all except embedding it and asking Chroma."""
    assistant = Assistant(library)
    options = AskOptions(filter=where, mode="quotes")
    for question in questions[:WARM]:
        assistant.answer(question, options=options)
    measured = []
    for question in questions:
        spent = assistant.answer(question, options=options).timings_ms
        own = spent["total"] - spent["retrieve_embed"] - spent["retrieve_vectors"]
        measured.append({**spent, "own": own})
    return measured


def _keywords(index: KeywordIndex, library: Library, question: str) -> dict[str, Any]:
    """Measure opening the keyword index again, adding to it and removing from it."""
    folder = next((library.settings.home / "derived").glob("keywords-*"))
    began = time.perf_counter()
    EmbeddedKeywordIndex.open(folder, library.embedder.tokenize, read_only=True).search(question, 10)
    opened = time.perf_counter()
    index.add(KeywordEntry(f"probe-{n}", "probe", "en", None, None, f"{question} {n}") for n in range(ENTRIES))
    index.commit()
    added = time.perf_counter()
    index.remove_passages(f"probe-{n}" for n in range(ENTRIES))
    index.commit()
    return {
        "keywords_open_seconds": opened - began,
        "keywords_add_seconds": added - opened,
        "keywords_remove_seconds": time.perf_counter() - added,
    }


if __name__ == "__main__":
    main()
