"""Use the language model for answers: load it before the first, then write, translate and rewrite."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.answer.dialogue.followup_rewriting import rewrite
from assistant.answer.prompt import prompt
from assistant.answer.translate import Translation, Translations, foreign, translate
from assistant.answer.written_answer import MAX_TOKENS, Written, warm, write
from assistant.llm.base import explained
from assistant.types import Answer, ClaimChecked, Evidence, Message, Notice, NoticeCode, TextAdded, Waiting
from assistant.verify import Verifier
from prompts import phrase
from store.errors import LanguageModelError
from store.library import Library

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

log = logging.getLogger(__name__)

LoadModel = Callable[[], "LLM | None"]


class Writer:
    """Writes answers with one language model, loaded before the first of them. Safe to use from several threads."""

    def __init__(self, library: Library, load: LoadModel | None) -> None:
        self._library = library
        self._load = load
        self._llm: LLM | None = None
        self._lock = threading.Lock()

    @property
    def model_name(self) -> str | None:
        """The model that wrote; None until something is written."""
        return self._llm.metadata.model_name if self._llm else None

    def write(
        self, question: str, evidence: Sequence[Evidence], language: str
    ) -> Iterator[TextAdded | ClaimChecked | Waiting | Written]:
        """Yield what `written_answer.write` yields; if no model can be loaded, only a failure."""
        try:
            llm = self._model()
        except LanguageModelError as error:
            yield Written("failed", "", (), (), problem=error)
            return
        if llm is None:
            yield Written("failed", "", (), ())
            return
        verifier = Verifier(evidence, embedder=self._library.embedder)
        yield from write(question, evidence, language, llm, verifier=verifier)

    def translate(self, evidence: Sequence[Evidence], language: str) -> Iterator[Translation | Waiting | Translations]:
        """Yield what `translate.translate` yields; if no model can be loaded, only a failure."""
        try:
            llm = self._model()
        except LanguageModelError as error:
            yield Translations(problem=error, failed=True)
            return
        if llm is None:
            yield Translations(failed=True)
            return
        yield from translate(evidence, language, llm)

    def rewrite(self, question: str, history: Sequence[Message]) -> str | None:
        """Return what `followup_rewriting.rewrite` returns; None if no model can be loaded."""
        try:
            llm = self._model()
        except LanguageModelError:
            return None
        return None if llm is None else rewrite(question, history, llm)

    def prepare(self) -> None:
        """Load the model, and let a local one read the beginning that all prompts share.

        Raises LanguageModelError.
        """
        llm = self._model()
        if llm is not None and hasattr(llm, "quote_tokens"):
            warm(llm)

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """Return the role and text of each message from which the model wrote `answer`.

        Empty if no model wrote it, or if another one is used now, because the limits of the earlier one are unknown.
        Raises LanguageModelError.
        """
        llm = self._model() if answer.mode == "written" else None
        if llm is None or self.model_name != answer.model:
            return ()
        messages, _ = prompt(answer.standalone_question, answer.evidence, answer.language, llm, MAX_TOKENS)
        return tuple((message.role.value, str(message.content)) for message in messages)

    def _model(self) -> LLM | None:
        with self._lock:
            if self._llm is None and self._load is not None:
                self._llm = self._load()
            return self._llm


def written_notices(written: Written | None, language: str) -> tuple[Notice, ...]:
    """Return the notices about the writing; empty if all went well."""
    if written is None or written.outcome == "written":
        return ()
    code: NoticeCode = "incomplete"
    template = "quotes_alone"
    if written.outcome == "failed":
        code, template = "model_unavailable", "model_unavailable"
    elif written.outcome == "abstained":
        template = "model_abstains"
    elif written.outcome == "incomplete":
        template = "broken_off" if written.claims else "quotes_alone"
    message = phrase(template, language).render()
    return (Notice(code=code, message=_with_reason(message, written.problem, language)),)


def with_translations(answer: Answer, done: Translations, model: str | None) -> Answer:
    """Return `answer` with its translations, and with notices about them and about missing ones."""
    texts = {each.key: each.text for each in done.shown}
    evidence = tuple(each.model_copy(update={"translation": texts.get(each.key)}) for each in answer.evidence)
    notices = tuple(_translation_notices(evidence, done, answer.language, model))
    return answer.model_copy(update={"evidence": evidence, "notices": (*answer.notices, *notices)})


def _translation_notices(
    evidence: Sequence[Evidence], done: Translations, language: str, model: str | None
) -> Iterator[Notice]:
    if done.shown:
        yield Notice(code="translated", message=phrase("translated", language).render(model=model or "?"))
    if done.withheld:
        message = phrase("translation_withheld", language).render(keys=_markers(done.withheld))
        yield Notice(code="incomplete", message=message)
    if done.failed:
        tried = {*done.withheld, *(each.key for each in done.shown)}
        missing = [each.key for each in foreign(evidence, language) if each.key not in tried]
        message = phrase("translation_unavailable", language).render(keys=_markers(missing))
        yield Notice(code="model_unavailable", message=_with_reason(message, done.problem, language))


def _with_reason(message: str, problem: LanguageModelError | None, language: str) -> str:
    """Return `message` with the reason for the model's failure, in the same language; the log always has it."""
    if problem is None:
        return message
    log.warning("%s", problem)
    return " ".join(filter(None, (message, explained(problem, language))))


def _markers(keys: Sequence[int]) -> str:
    return " ".join(f"[{key}]" for key in keys)
