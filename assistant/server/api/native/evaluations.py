"""``/api/evaluations``: run suites of questions and read their reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.server.api.native.errors import problems
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.dependencies import Words
from assistant.server.error_messages import error_message
from assistant.server.evaluation_runs import FEEDBACK, EvaluationRuns
from assistant.server.page.feedback_export import suite_of_feedback
from assistant.server.services import Services
from assistant.server.strings import Strings
from store.errors import AttestError, NotFoundError


class Evaluation(BaseModel):
    """A run of a suite."""

    name: str
    state: Literal["running", "passed", "failed", "stopped"]
    done: int
    total: int
    has_report: bool
    error: str


class Suite(BaseModel):
    """The suite to run."""

    model_config = ConfigDict(extra="forbid")

    suite: str


class Draft(BaseModel):
    """A case of a suite that nobody has looked through."""

    id: str
    question: str
    language: str | None
    answerable: bool | None
    answers: list[str]
    note: str
    """Its source."""


class Decision(BaseModel):
    """What becomes of a draft."""

    model_config = ConfigDict(extra="forbid")

    keep: bool
    """True: it counts from now on. False: it is removed."""
    question: str | None = Field(default=None, max_length=2000)
    """Its new question, if it is kept."""


def evaluations_router(services: Services) -> APIRouter:
    """Return the routes about evaluations."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("administer")], tags=["evaluations"])

    def evaluation_runs() -> EvaluationRuns:
        if services.evaluation_runs is None:
            raise NotFoundError("This server runs no evaluations.", code="no_evaluations")
        return services.evaluation_runs

    @router.get("/evaluations/suites", responses=problems(404))
    def suites() -> list[str]:
        """List the suites on offer."""
        return [*evaluation_runs().suites(), FEEDBACK]

    @router.get("/evaluations/suites/{suite}/drafts", responses=problems(400, 404))
    def drafts(suite: str) -> list[Draft]:
        """List the drafts of a suite of one's own, which lies in the folder `suites` of the home."""
        return [Draft(**draft) for draft in evaluation_runs().drafts(suite)]

    @router.post("/evaluations/suites/{suite}/drafts/{draft}", responses=problems(400, 404))
    def settle(suite: str, draft: str, body: Decision) -> list[Draft]:
        """Accept a draft, or take it out of its suite; list those that are left."""
        return [
            Draft(**left) for left in evaluation_runs().settle(suite, draft, keep=body.keep, question=body.question)
        ]

    @router.get("/evaluations", responses=problems(404))
    def runs(words: Words) -> list[Evaluation]:
        """List the runs, the latest first."""
        return [Evaluation(**asdict(run) | {"error": _told(run.error, words)}) for run in evaluation_runs().runs()]

    @router.post("/evaluations", status_code=202, responses=problems(400, 404))
    def start(body: Suite) -> Evaluation:
        """Run a suite. One runs at a time."""
        content = suite_of_feedback(services.conversations) if body.suite == FEEDBACK else None
        return Evaluation(**asdict(evaluation_runs().start(body.suite, content)))

    @router.post("/evaluations/stop", status_code=204, responses=problems(404))
    def stop() -> None:
        """Stop the run that is going on, if any; what it has is kept."""
        evaluation_runs().stop()

    page: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}

    @router.get("/evaluations/{name}/report", response_class=Response, responses=page | problems(404))
    def report(name: str) -> Response:
        """Read the report of a run, a page that needs nothing else."""
        return Response(evaluation_runs().report(name), media_type="text/html; charset=utf-8")

    @router.get("/evaluations/compare", response_class=Response, responses=page | problems(400, 404))
    def compare(before: str, after: str) -> Response:
        """Read what differs between two runs, a page that needs nothing else."""
        return Response(evaluation_runs().comparison(before, after), media_type="text/html; charset=utf-8")

    return router


def _told(error: str, words: Strings) -> str:
    """Return the message of a run's command, in the caller's language if possible."""
    return error_message(AttestError(error), words) if error else ""
