"""Execute a whole run: ask chosen cases of suites in their libraries, and save the results in a folder.

session = Session.start(suites, settings, request)   or   Session.resume(folder, settings)
session.ask(...)
report = score(session.folder)
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path

from assistant.types import AskOptions
from evals.ask import OnResult, RunConfig, open_tasks, run_cases
from evals.environment import environment, library_facts, model_facts
from evals.formats import Suite, Texts, load
from evals.gold_lookup import GoldLookup, look_up
from evals.libraries import OnProgress, library_of
from evals.run_store import CASES, RUN, RunFolder, RunInfo, RunOptions, SuiteInfo, run_name
from evals.systems.base import External, System, UnreachableError
from evals.systems.registry import ATTEST, Build
from evals.types import Case
from store.errors import NotFoundError, RequestError, SuiteError
from store.settings import Settings, settings_facts

OnNote = Callable[[str], None]
"""Called with a sentence about a suite's data for the user."""
FOLDER = "evaluations"
"""The folder of runs in the home."""
FILTERS = ("suite", "language", "tag", "id")


@dataclass(frozen=True, slots=True)
class Session:
    """A run in progress."""

    folder: RunFolder
    settings: Settings
    suites: tuple[Suite, ...]
    cases: tuple[Case, ...]

    @classmethod
    def start(
        cls, suites: Sequence[Suite], settings: Settings, options: RunOptions, path: Path | None = None
    ) -> Session:
        """Return a new run in the folder `path`, or a new one in the home.

        Raises SuiteError if no case is left after filtering, RequestError for an unknown filter or if `path` already
        has a run.
        """
        cases = tuple(case for suite in suites for case in chosen(suite.cases, options.filters, options.limit))
        if not cases:
            total = sum(len(suite.cases) for suite in suites)
            raise SuiteError(f"None of the {total} cases matches {' and '.join(options.filters)}; nothing was asked.")
        name = path.name if path is not None else run_name()
        own = options.system == ATTEST
        info = RunInfo(
            name=name,
            started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            suites=tuple(_info(suite) for suite in suites),
            options=options,
            environment=environment() | (model_facts(settings, options.mode) if own else {}),
            settings=settings_facts(settings) if own else {},
        )
        folder = RunFolder.create(path or free_folder(settings, name), info, cases)
        return cls(folder, settings, tuple(suites), cases)

    @classmethod
    def resume(cls, folder: RunFolder, settings: Settings) -> Session:
        """Return a stopped run, to continue with the same suites and options.

        Raises RequestError if a suite or a setting has changed since or the folder is damaged, SuiteError if a suite is
        gone.
        """
        suites = tuple(load(Path(suite.path)) for suite in folder.info().suites)
        for before, now in zip(folder.info().suites, suites, strict=True):
            if before.sha256 != now.sha256:
                raise RequestError(f"{now.path} has changed since this run began: start a new run without --resume.")
        were, are = folder.info().settings, settings_facts(settings)
        changed = [name for name in were if name in are and were[name] != are[name]]
        if changed:
            name = changed[0]
            raise RequestError(
                f"This run was begun with {name} {were[name]}, and now it is {are[name]}: "
                "set it as it was, or start a new run without --resume."
            )
        folder.mend()
        return cls(folder, settings, suites, folder.cases())

    @property
    def total(self) -> int:
        """The number of cases to ask, including repetitions."""
        return len(self.cases) * self.folder.info().options.repeat

    @property
    def done(self) -> int:
        """How many of these have a result."""
        return self.total - len(open_tasks(self.cases, self.folder.info().options.repeat, self.folder.results()))

    @property
    def resume_command(self) -> str:
        """The command that continues a stopped run."""
        return f"attest eval run --resume {shlex.quote(str(self.folder.path))}"

    def discard_if_empty(self) -> None:
        """Remove the folder of a run that was stopped before anything was asked."""
        if not self.folder.results():
            for name in (RUN, CASES):
                (self.folder.path / name).unlink(missing_ok=True)
            with suppress(OSError):  # Keep the user's own files in it.
                self.folder.path.rmdir()

    def ask(
        self,
        build: Build,
        *,
        cache: Path,
        on_result: OnResult = lambda case, result: None,
        on_progress: OnProgress = lambda name, done, known: None,
        on_note: OnNote = lambda note: None,
    ) -> None:
        """Ask what has no result yet, library by library.

        Raises UnreachableError, SuiteError for a document that a library doesn't have, RequestError if the library has
        changed since the run began, and the errors of opening a library.
        """
        for suites in self._by_library():
            with library_of(suites[0], self.settings, cache, on_progress) as theirs, build(theirs) as system:
                names = {suite.name for suite in suites}
                # Another assistant may have its own documents that match the suite's names.
                others = isinstance(system, External)
                may_lack = {suite.name for suite in suites if others or isinstance(suite.documents, Texts)}
                cases = [case for case in self.cases if case.suite in names]
                looked_up = look_up(system.library, cases, may_lack=may_lack)
                if looked_up.missing and not others:
                    on_note(_missing(suites, looked_up.missing))
                self._note(suites, looked_up, theirs, system)
                for suite in suites:
                    self._ask_suite(suite, system, looked_up, on_result)
        results = self.folder.results()
        if results and all(result.unreachable for result in results):
            raise UnreachableError("The system could not be reached for any of the cases.")

    def _ask_suite(self, suite: Suite, system: System | External, looked_up: GoldLookup, on_result: OnResult) -> None:
        options = self.folder.info().options
        cases = [case for case in self.cases if case.suite == suite.name]
        run_cases(
            system,
            open_tasks(cases, options.repeat, self.folder.results()),
            self.folder,
            RunConfig(
                options=AskOptions(mode=options.mode, max_quotes=self.settings.max_quotes),
                depth=suite.retrieval_depth,
                found=looked_up.found,
            ),
            jobs=options.jobs,
            on_result=on_result,
        )

    def _by_library(self) -> Iterator[tuple[Suite, ...]]:
        """Yield suites that share a library together, if they have something left to ask."""
        repeat = self.folder.info().options.repeat
        left = {task.case.suite for task in open_tasks(self.cases, repeat, self.folder.results())}
        for _, suites in groupby((suite for suite in self.suites if suite.name in left), lambda suite: suite.documents):
            yield tuple(suites)

    def _note(
        self, suites: Sequence[Suite], looked_up: GoldLookup, settings: Settings, system: System | External
    ) -> None:
        """Record the library of these suites; refuse a changed library."""
        own = not isinstance(system, External)
        prepare = getattr(system.library, "prepare", None)
        if own and prepare is not None:
            prepare()  # otherwise the first answer's latency would include loading the model
        facts = library_facts(
            looked_up,
            settings,
            embedder=getattr(system.library, "embedder", None) if own else None,
        )
        names = {suite.name for suite in suites}
        info = self.folder.info()
        for suite in info.suites:
            if suite.name in names and suite.library and suite.library["fingerprint"] != facts["fingerprint"]:
                raise RequestError(
                    f"The library of {suite.name} has changed since this run began: start a new run without --resume."
                )
        noted = tuple(
            suite.model_copy(update={"library": facts}) if suite.name in names else suite for suite in info.suites
        )
        self.folder.save(info.model_copy(update={"suites": noted}))


def _missing(suites: Sequence[Suite], names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    counted = "They count as never found."
    return f"{suites[0].path}: relevant documents that the corpus lacks: {len(names)} ({shown}). {counted}"


def _info(suite: Suite) -> SuiteInfo:
    return SuiteInfo(
        name=suite.name,
        path=str(suite.path.resolve()),
        sha256=suite.sha256,
        kind=suite.kind,
        retrieval_depth=suite.retrieval_depth,
    )


def runs_folder(settings: Settings) -> Path:
    """Return the default folder for runs."""
    return settings.home / FOLDER


def free_folder(settings: Settings, name: str) -> Path:
    """Return a folder for a new run; runs in the same second get a number."""
    folder, number = runs_folder(settings) / name, 2
    while folder.exists():
        folder, number = runs_folder(settings) / f"{name}-{number}", number + 1
    return folder


def find_run(settings: Settings, named: str) -> RunFolder:
    """Return a run by its path, by its name in the home, or ``latest``. Raises NotFoundError."""
    if Path(named).is_dir():
        return RunFolder.open(Path(named))
    runs = runs_folder(settings)
    if named == "latest" and runs.is_dir():
        names = sorted(path.name for path in runs.iterdir() if path.is_dir())
        named = names[-1] if names else named
    if named == "latest":
        raise NotFoundError(f"There is no run in {runs} yet: name a run's folder.")
    return RunFolder.open(runs / named)


def thresholds_of(suites: Sequence[Suite], options: Mapping[str, float], *, whole: bool) -> dict[str, float]:
    """Return the command line's thresholds and, for whole suites, the suites' own.

    A suite's own thresholds apply to the whole suite, not to a part of it. Unless the user allows errors, there must be
    none, because a run in which everything crashed is not a success.
    """
    found: dict[str, float] = {}
    for suite in suites if whole else ():
        for name, value in suite.thresholds.items():
            found[name if "[" in name else f"{name}[suite:{suite.name}]"] = value
    if not any(name.startswith("error_rate") for name in (*options, *found)):
        found["error_rate"] = 0.0
    return found | dict(options)


def chosen(cases: Sequence[Case], filters: Sequence[str], limit: int | None) -> tuple[Case, ...]:
    """Return the cases that match every kind of filter, at most `limit` of them.

    A filter is ``suite=``, ``language=``, ``tag=`` or ``id=`` with a pattern like ``th-*``, or only a pattern for the
    id; among several of one kind, one match is enough. Raises RequestError for another kind.
    """
    by_kind: dict[str, list[str]] = {}
    for text in filters:
        kind, equals, pattern = text.partition("=")
        if not equals:
            kind, pattern = "id", text
        if kind not in FILTERS:
            raise RequestError(f"`{text}` is no filter: write {', '.join(f'{name}=...' for name in FILTERS)}.")
        by_kind.setdefault(kind, []).append(pattern)
    admitted = (case for case in cases if all(_admits(case, kind, by_kind[kind]) for kind in by_kind))
    return tuple(admitted)[:limit]


def _admits(case: Case, kind: str, patterns: Sequence[str]) -> bool:
    values = {
        "suite": (case.suite,),
        "language": tuple(turn.language or "" for turn in case.turns),
        "tag": case.tags,
        "id": (case.id, case.key),
    }[kind]
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)
