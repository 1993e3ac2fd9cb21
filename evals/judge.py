"""Let a language model judge answers: optional, separate from the model under test, and no gate by default.

It runs after the run, on request, for saved answers. Its judgements are saved with them, with its name and the digest
of its prompt, so scoring again with the same judge asks nothing again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import regex

from evals.run_store import RunFolder
from evals.text import without_markers
from evals.types import Judgement, Turn, TurnResult
from store.errors import LanguageModelError, RequestError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from store.settings import Settings

JUDGEMENTS = "judgements.jsonl"
PROMPT = Path(__file__).with_name("judge_prompt.txt")
MAX_TOKENS = 100
MOST_CHARACTERS = 4_000
"""Per answer: small models read no more, and the relevant part is at its beginning."""
_VERDICT = regex.compile(r"\W*(RIGHT|WRONG)\b\W*(.*)", regex.IGNORECASE | regex.DOTALL)

Key = tuple[str, int, int]
"""Case key, repeat and turn."""


class Judge(Protocol):
    """Grades one answer."""

    @property
    def name(self) -> str:
        """The model and the version of its instructions."""
        ...

    def judge(self, question: str, reference: tuple[str, ...], answer: str) -> Judgement | None:
        """Return the grade; None if the reply has no clear one. Raises LanguageModelError."""
        ...


class ModelJudge:
    """Asks a language model, at temperature 0, for RIGHT or WRONG."""

    def __init__(self, llm: LLM, model: str) -> None:
        self.llm = llm
        self._instructions = PROMPT.read_text(encoding="utf-8")
        self.name = f"{model} ({sha256(self._instructions.encode()).hexdigest()[:8]})"

    def judge(self, question: str, reference: tuple[str, ...], answer: str) -> Judgement | None:
        """See `Judge.judge`."""
        from llama_index.core.llms import ChatMessage

        from assistant.llm.base import stream_text

        asked = (
            f"QUESTION: {question}\n\nREFERENCE: {' / '.join(reference)}\n\n"
            f"ANSWER: {without_markers(answer)[:MOST_CHARACTERS]}"
        )
        messages = [
            ChatMessage(role="system", content=self._instructions),
            ChatMessage(role="user", content=asked),
        ]
        reply = "".join(stream_text(self.llm, messages, max_tokens=MAX_TOKENS, temperature=0.0))
        return read_verdict(reply, self.name)


def read_verdict(reply: str, judge: str) -> Judgement | None:
    """Return the grade in a model's reply, which must begin with it; None if it doesn't."""
    match = _VERDICT.match(reply)
    if match is None:
        return None
    reason = " ".join(match[2].split())[:500]
    return Judgement(judge=judge, score=float(match[1].upper() == "RIGHT"), reason=reason)


def load_judge(settings: Settings, model: str, url: str | None) -> ModelJudge:
    """Return the judge with the user's name for it, in the form of the setting `model`. Raises LanguageModelError."""
    from assistant.llm.registry import load_model

    theirs = settings.model_copy(update={"model": model, "base_url": url, "mode": "written"})
    llm = load_model(theirs)
    if llm is None:
        raise LanguageModelError(f"The judge `{model}` can't be loaded: name a file, or an endpoint's model.")
    return ModelJudge(llm, model)


def judge_run(folder: RunFolder, judge: Judge, told: Callable[[], None] = lambda: None) -> dict[Key, Judgement]:
    """Return the judge's grades for a run's answers: the saved ones, and new ones for the rest.

    Only answers to questions with a gold answer or expected words are graded. Raises RequestError if the judge is the
    model under test, LanguageModelError if it can't be reached.
    """
    model = judge.name.rsplit(" (", 1)[0]
    wrote = {turn.answer.model for result in folder.results() for turn in result.turns if turn.answer is not None}
    if {Path(model).name, Path(model).stem} & {Path(name).name for name in wrote if name}:
        raise RequestError(f"{model} wrote these answers and can't judge them: name another model with --judge.")
    graded = saved_judgements(folder, judge.name)
    with (folder.path / JUDGEMENTS).open("a", encoding="utf-8") as file:
        for key, turn, result in _gradable(folder):
            if key not in graded and result.answer is not None:
                judgement = judge.judge(result.answer.standalone_question, reference_of(turn), result.answer.text)
                if judgement is not None:
                    graded[key] = judgement
                    file.write(json.dumps([*key, judgement.model_dump()], ensure_ascii=False) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            told()
    return graded


def saved_judgements(folder: RunFolder, judge: str | None = None) -> dict[Key, Judgement]:
    """Return the grades saved in a run's folder, by the given judge or by the last one."""
    path = folder.path / JUDGEMENTS
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    found = [((key, repeat, turn), Judgement.model_validate(value)) for key, repeat, turn, value in whole]
    name = judge or (found[-1][1].judge if found else None)
    return {key: judgement for key, judgement in found if judgement.judge == name}


def reference_of(turn: Turn) -> tuple[str, ...]:
    """Return what a right answer says, as far as the suite shows it."""
    expect = turn.expect
    return (
        turn.answers
        or expect.answer_equals
        or (*expect.answer_contains, *expect.quote_contains)
        or (*expect.answer_contains_any, *expect.quote_contains_any)
    )


def _gradable(folder: RunFolder) -> Iterator[tuple[Key, Turn, TurnResult]]:
    cases = {case.key: case for case in folder.cases()}
    for result in folder.results():
        if result.key in cases:
            for number, (turn, came) in enumerate(zip(cases[result.key].turns, result.turns, strict=False)):
                if came.answer is not None and came.answer.answered and reference_of(turn):
                    yield (result.key, result.repeat, number), turn, came
