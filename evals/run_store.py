"""Store a run in its folder: the questions, the system, and the results. Each result is on disk before it is reported.

run.json        how it was run; rewritten whole, by renaming
cases.jsonl     the cases, as the suites had them
results.jsonl   one line a case, appended and flushed to the disk
report.json     the latest scores; made from the others, and made again by `attest eval score`
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, Field, ValidationError

from assistant.types import Mode, Value
from evals.types import Case, CaseResult
from store.errors import NotFoundError, RequestError

Kind = TypeVar("Kind", bound=BaseModel)

RUN, CASES, RESULTS, REPORT = "run.json", "cases.jsonl", "results.jsonl", "report.json"


class SuiteInfo(Value):
    """A suite, as it was when the run began."""

    name: str
    path: str
    sha256: str
    kind: str
    retrieval_depth: int
    library: dict[str, str | int | float | None] = Field(default={})
    """Facts about the library; empty until the suite's first question."""


class RunOptions(Value):
    """The user's choices that affect the results."""

    mode: Mode | None = None
    filters: tuple[str, ...] = ()
    limit: int | None = None
    repeat: int = 1
    jobs: int = 1
    thresholds: dict[str, float] = Field(default={})
    seed: int = 0
    system: str = "attest"
    """The system asked, in the form of ``--system``."""


class RunInfo(Value):
    """How a run was made."""

    schema_: str = Field(default="attest.run/1", alias="schema")
    name: str
    started: str
    """ISO 8601, in UTC."""
    suites: tuple[SuiteInfo, ...]
    options: RunOptions
    environment: dict[str, str | int | float | None] = Field(default={})
    """Versions of the software used."""
    settings: dict[str, str | int | float | None] = Field(default={})
    """The system's settings, without its secret and the page's address."""

    model_config = Value.model_config | {"populate_by_name": True}


class RunFolder:
    """Reads and writes a run's folder. One process writes; anything may read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, info: RunInfo, cases: Sequence[Case]) -> Self:
        """Return a new folder for a run. Raises RequestError if it already has a run."""
        folder = cls(path)
        if (path / RUN).exists():
            raise RequestError(f"{path} holds a run already: give another --out, or go on with --resume {path}.")
        path.mkdir(parents=True, exist_ok=True)
        folder.write_text(CASES, "".join(case.model_dump_json(exclude_defaults=True) + "\n" for case in cases))
        folder.save(info)
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the folder of an earlier run. Raises NotFoundError."""
        if not (path / RUN).is_file():
            raise NotFoundError(f"There is no run at {path}: {RUN} is missing there.")
        return cls(path)

    def info(self) -> RunInfo:
        """Return how the run was made. Raises RequestError if the file is damaged."""
        try:
            return RunInfo.model_validate_json((self.path / RUN).read_text(encoding="utf-8"))
        except ValidationError as error:
            raise RequestError(f"{self.path / RUN} is damaged or from another version; run the suite again.") from error

    def save(self, info: RunInfo) -> None:
        """Save how the run is made."""
        self.write_text(RUN, info.model_dump_json(by_alias=True, indent=2) + "\n")

    def cases(self) -> tuple[Case, ...]:
        """Return the cases in their order. Raises RequestError if the file is damaged or missing."""
        if not (self.path / CASES).exists():
            raise RequestError(f"{self.path / CASES} is gone: run the suite again.")
        return tuple(self._lines(CASES, Case, cut_off_is_fine=False))

    def results(self) -> tuple[CaseResult, ...]:
        """Return the results so far, without an incomplete last line.

        For a case that was asked again, the last result counts. Raises RequestError if another line is damaged.
        """
        if not (self.path / RESULTS).exists():
            return ()
        found = self._lines(RESULTS, CaseResult, cut_off_is_fine=True)
        return tuple({(result.key, result.repeat): result for result in found}.values())

    def append(self, result: CaseResult) -> None:
        """Append a result; it is on the disk when this returns. Call from one thread."""
        with (self.path / RESULTS).open("ab") as file:
            file.write(result.model_dump_json(by_alias=True, exclude_defaults=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def mend(self) -> None:
        """Remove an incomplete last line, so that the next result begins on a new line."""
        path = self.path / RESULTS
        if not path.exists():
            return
        with path.open("rb+") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)

    def write_text(self, name: str, text: str) -> Path:
        """Write a file of the folder, completely or not at all."""
        path = self.path / name
        beside = path.with_suffix(path.suffix + ".new")
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        return path

    def _lines(self, name: str, kind: type[Kind], *, cut_off_is_fine: bool) -> Iterator[Kind]:
        path = self.path / name
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if cut_off_is_fine and not line.endswith("\n"):
                    return
                try:
                    yield kind.model_validate_json(line)
                except ValidationError as error:
                    remedy = "delete the line, then resume" if cut_off_is_fine else "run the suite again"
                    raise RequestError(f"{path}, line {number} is damaged: {remedy}.") from error


def run_name(now: datetime | None = None) -> str:
    """Return a name that sorts by time: ``20240607-081530``."""
    return (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
