"""Build the values and tables of `evals.benchmarks.answers`: three answers to a question, scored, and Markdown of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from evals.benchmarks.figures import share, table

SYSTEMS = ("quotes", "written, unchecked", "written, verified")


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer as a reader sees it, scored."""

    system: str
    text: str
    answered: bool
    says_so: bool
    """Whether it says that nothing was found that answers."""
    contained: float | None
    """Whether the text contains a gold answer."""
    on_page: float | None
    """Whether the text or the quotes next to it contain one."""
    f1: float | None
    cited_right: float | None
    """Share of the cited documents that contain the answer."""
    cites_gold: float | None
    """Whether the document that contains the answer is cited."""
    unsupported: tuple[str, ...]
    """Sentences of the model with a number or name that the cited paragraphs don't have."""
    sentences: int
    """The number of the model's sentences."""


@dataclass(frozen=True, slots=True)
class Run:
    """One question with its three answers and their times, in seconds."""

    question: str
    language: str
    quote_language: str
    answerable: bool
    outcome: str
    shown: tuple[Shown, ...]
    said: str = ""
    withheld: tuple[tuple[str, str | None], ...] = ()
    corrected: int = 0
    first_quote: float = 0.0
    first_word: float | None = None
    end: float | None = None
    overhead: float | None = None
    """Time from the question to the reply's end, divided by llama.cpp's own time for the same tokens."""
    tokens: tuple[int, int] | None = None
    """Tokens read, beyond those already cached, and tokens written."""
    load: float = 0.0
    golds: tuple[str, ...] = ()
    quotes: tuple[dict[str, Any], ...] = ()
    claims: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """The model's sentences, with what each cited."""


def parts_of(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs by their paragraph: in their language, in another, or not in the library."""
    return {
        "within": [run for run in runs if run.answerable and run.language == run.quote_language],
        "across": [run for run in runs if run.answerable and run.language != run.quote_language],
        "no answer": [run for run in runs if not run.answerable],
    }


def answer_table(runs: Sequence[Run]) -> str:
    """Return one row per system and part of the questions; a dash if a measure does not apply."""
    header = ("part", "answer", "n", "gold in text", "gold on page", "F1", "cited right", "gold cited")
    rows = []
    for part, members in parts_of(runs).items():
        for place, system in enumerate(SYSTEMS):
            shown = [run.shown[place] for run in members]
            if shown:
                sentences, wrong = sum(each.sentences for each in shown), sum(len(each.unsupported) for each in shown)
                rows.append(
                    (
                        part,
                        system,
                        str(len(shown)),
                        *(
                            _average([getattr(each, name) for each in shown])
                            for name in ("contained", "on_page", "f1", "cited_right", "cites_gold")
                        ),
                        f"{wrong} of {sentences}",
                        _average([float(not each.answered) for each in shown]),
                        _average([float(each.says_so) for each in shown]),
                    )
                )
    return table((*header, "unsupported, of the model's", "abstains", "says it found none"), rows)


def outcome_table(runs: Sequence[Run]) -> str:
    """Return the outcome of the model's replies, by part."""
    names = sorted({run.outcome for run in runs})
    rows = [
        (part, str(len(members)), *(str(sum(run.outcome == name for run in members)) for name in names))
        for part, members in parts_of(runs).items()
    ]
    return table(("part", "n", *(name.replace("_", " ") for name in names)), rows)


def time_table(runs: Sequence[Run]) -> str:
    """Return seconds from the question on, and the machine's load meanwhile."""
    wrote = [run for run in runs if run.end is not None]
    rows = []
    for name, values in (
        ("first quote, s", [run.first_quote for run in wrote]),
        ("first word, s", [run.first_word for run in wrote if run.first_word is not None]),
        ("end, s", [run.end for run in wrote if run.end is not None]),
        ("time by llama.cpp's own for the same tokens", [run.overhead for run in wrote if run.overhead is not None]),
        ("tokens read", [float(run.tokens[0]) for run in wrote if run.tokens]),
        ("tokens written", [float(run.tokens[1]) for run in wrote if run.tokens]),
        ("load average", [run.load for run in wrote]),
    ):
        if values:
            ordered = sorted(values)
            rows.append((name, f"{median(ordered):.2f}", f"{ordered[int(0.9 * (len(ordered) - 1))]:.2f}"))
    return table(("", "median", "p90"), rows)


def _average(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return share(mean(known) if known else None)
