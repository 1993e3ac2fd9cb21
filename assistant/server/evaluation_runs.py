"""Run evaluations for the page: `attest eval` in its own process, watched through the files that it writes.

This package may not import `evals`, so it runs the command and reads its folder.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from store.errors import NotFoundError, RequestError

FEEDBACK = "feedback"
RunState = Literal["running", "passed", "failed", "stopped"]
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,80}")
_COMPARE_SECONDS = 120
_REVIEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Run:
    """An evaluation run, as a row on the page."""

    name: str
    state: RunState
    done: int
    total: int
    has_report: bool
    error: str = ""


class EvaluationRuns:
    """Runs suites one at a time, and finds earlier runs."""

    def __init__(self, command: Sequence[str], suites: Path, runs: Path, own: Path | None = None) -> None:
        """`command` is ``attest`` with its library; `suites` has the available suites, `runs` the runs' folders.

        `own` has the suites of the library's administrator, whose drafts can be reviewed.
        """
        self._command = list(command)
        self._suites = suites
        self._own = own
        self._runs = runs
        self._lock = threading.Lock()
        self._running: tuple[str, subprocess.Popen[str]] | None = None
        self._ends: dict[str, tuple[int, str]] = {}

    def suites(self) -> tuple[str, ...]:
        """Return the names of the available suites: those shipped with Attest, then the user's own."""
        own = sorted(path.stem for path in self._own.glob("*.yaml")) if self._own is not None else []
        shipped = sorted(path.stem for path in self._suites.glob("*.yaml"))
        return (*shipped, *(name for name in own if name not in shipped and _NAME.fullmatch(name)))

    def drafts(self, suite: str) -> list[dict[str, Any]]:
        """Return the drafts of a suite, as ``attest eval review`` lists them; none for a shipped one.

        Raises RequestError for an unreadable suite.
        """
        path = self._own_path(suite)
        return [] if path is None else self._review(path)

    def settle(self, suite: str, identity: str, *, keep: bool, question: str | None = None) -> list[dict[str, Any]]:
        """Accept a draft, unchanged or with another `question`, or drop it; return the remaining ones.

        Raises NotFoundError for a shipped suite, RequestError with the command's own reason.
        """
        path = self._own_path(suite)
        if path is None:
            raise NotFoundError("There is no suite named {name}.", code="no_suite", name=f"{suite[:60]!r}")
        if "\0" in f"{identity}{question}":  # no command accepts that
            raise NotFoundError("There is no draft named {name}.", code="no_draft", name=f"{identity[:60]!r}")
        wording = [f"--question={question}"] if keep and question is not None else []
        return self._review(path, f"--{'accept' if keep else 'drop'}={identity}", *wording)

    def _own_path(self, suite: str) -> Path | None:
        if self._own is None or not _NAME.fullmatch(suite) or (self._suites / f"{suite}.yaml").is_file():
            return None
        path = self._own / f"{suite}.yaml"
        return path if path.is_file() else None

    def _review(self, path: Path, *arguments: str) -> list[dict[str, Any]]:
        done = subprocess.run(  # noqa: S603 - our own command; values are bound to their options by `=`
            [*self._command, "eval", "review", str(path), "--json", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_REVIEW_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RequestError(_last_line(done.stderr) or "The suite can't be looked through.")
        drafts: list[dict[str, Any]] = json.loads(done.stdout)
        return drafts

    def runs(self) -> tuple[Run, ...]:
        """Return all runs, latest first."""
        if not self._runs.is_dir():
            return ()
        names = sorted((path.name for path in self._runs.iterdir() if (path / "run.json").is_file()), reverse=True)
        running = self._running[0] if self._running else None
        if running and running not in names:  # still preparing
            names.insert(0, running)
        return tuple(self._run(name) for name in names)

    def start(self, suite: str, content: str | None = None) -> Run:
        """Run a suite by name, or the one with the text `content`.

        Raises RequestError while another one runs, NotFoundError for an unknown name.
        """
        if content is None and suite not in self.suites():
            raise NotFoundError("There is no suite named {name}.", code="no_suite", name=f"{suite[:60]!r}")
        with self._lock:
            if self._running is not None:
                raise RequestError("Another suite is running; wait for it, or stop it.", code="suite_running")
            self._runs.mkdir(parents=True, exist_ok=True)
            name = self._free_name(suite)
            path = self._own_path(suite) or self._suites / f"{suite}.yaml"
            if content is not None:
                path = self._runs / f"{name}.suite.yaml"
                path.write_text(content, encoding="utf-8")
            folder = self._runs / name
            arguments = ["eval", "run", str(path), "--out", str(folder), "--html", str(self._runs / f"{name}.html")]
            process = subprocess.Popen(  # noqa: S603 - our own command; the name was checked above
                [*self._command, *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
            )
            self._running = (name, process)
        threading.Thread(target=self._wait, args=(name, process), name="evaluation", daemon=True).start()
        return self._run(name)

    def stop(self) -> None:
        """Stop the current run, if any; its results so far are kept."""
        with self._lock:
            if self._running is not None:
                self._running[1].terminate()

    def report(self, name: str) -> str:
        """Return the report of a run as a page. Raises NotFoundError."""
        path = self._runs / f"{_checked(name)}.html"
        if not path.is_file():
            raise NotFoundError("This run has no report.", code="no_report")
        return path.read_text(encoding="utf-8")

    def comparison(self, before: str, after: str) -> str:
        """Return a page that compares two runs. Raises NotFoundError, RequestError."""
        target = self._runs / f"{_checked(before)}.{_checked(after)}.comparison.html"
        folders = [str(self._runs / name) for name in (before, after)]
        done = subprocess.run(  # noqa: S603 - as above
            [*self._command, "eval", "compare", *folders, "--html", str(target)],
            capture_output=True,
            text=True,
            timeout=_COMPARE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if not target.is_file():
            if reason := _last_line(done.stderr):
                raise RequestError(reason)
            raise RequestError("These runs can't be compared.", code="not_compared")
        content = target.read_text(encoding="utf-8")
        target.unlink()
        return content

    def _wait(self, name: str, process: subprocess.Popen[str]) -> None:
        _, errors = process.communicate()
        with self._lock:
            self._ends[name] = (process.returncode, _last_line(errors))
            self._running = None

    def _run(self, name: str) -> Run:
        folder, running = self._runs / name, self._running
        total, done = _lines(folder / "cases.jsonl"), _lines(folder / "results.jsonl")
        has_report = (self._runs / f"{name}.html").is_file()
        if running is not None and running[0] == name:
            return Run(name, "running", done, total, False)
        code, error = self._ends.get(name, (None, ""))
        if has_report:
            return Run(name, "failed" if code == 1 else "passed", done, total, True)
        return Run(name, "stopped", done, total, False, error)

    def _free_name(self, suite: str) -> str:
        from datetime import UTC, datetime

        stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{suite}"
        number, name = 2, stem
        while (self._runs / name).exists():
            name, number = f"{stem}-{number}", number + 1
        return name


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise NotFoundError("There is no such run.", code="no_run")
    return name


def _lines(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except FileNotFoundError:
        return 0


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""
