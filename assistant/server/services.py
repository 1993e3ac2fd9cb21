"""Share objects among the routes of the page and the API: the assistant, its stores, and its answer threads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.accounts.account import Visitor
from assistant.answer.question import clean_question
from assistant.server.api.answer_runs import AnswerRuns
from assistant.server.auth.scoped_access import scoped_assistant, scoped_library
from assistant.types import AskOptions, Event, Message

if TYPE_CHECKING:
    from assistant.accounts.sign_in import Accounts
    from assistant.server.auth.scoped_access import Assistant
    from assistant.server.document_editor import DocumentEditor
    from assistant.server.evaluation_runs import EvaluationRuns
    from assistant.server.page.library_overview import LibraryOverview
    from assistant.server.page_settings import PageSettings
    from assistant.suggested_questions.saved import KeptQuestion, OfferedQuestions
    from store.catalog.conversations import Conversations
    from store.library_view import ReadableLibrary


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its history and its options."""

    question: str
    history: tuple[Message, ...] = ()
    options: AskOptions = AskOptions()


@dataclass(frozen=True, slots=True)
class Services:
    """Objects that the routes share."""

    assistant: Assistant
    conversations: Conversations
    editor: DocumentEditor
    settings: PageSettings
    runs: AnswerRuns
    evaluation_runs: EvaluationRuns | None = None
    accounts: Accounts | None = None
    offered: OfferedQuestions | None = None
    """Suggested questions."""
    overview: LibraryOverview | None = None
    """What the library and each document are about."""

    def library(self, caller: Visitor) -> ReadableLibrary:
        """Return the part of the library that `caller` may see."""
        return scoped_library(self.assistant.library, caller.collections)

    def offered_questions(self) -> tuple[KeptQuestion, ...]:
        """Return questions that documents are known to answer."""
        return self.offered.questions() if self.offered else ()

    def events(self, caller: Visitor, asked: Asked) -> AsyncIterator[Event]:
        """Yield the events of an answer from what `caller` may see.

        Raises QuestionError immediately, before any event; BusyError and what `Assistant.ask` raises later.
        """
        clean_question(asked.question)
        assistant = scoped_assistant(self.assistant, caller.collections)
        return self.runs.events(lambda: assistant.ask(asked.question, asked.history, asked.options))


def services_of_command(assistant: Assistant, conversations: Conversations) -> Services:
    """Return the services of a command that answers other programs during its own work: a few at once, no uploads."""
    from assistant.server.document_editor import DocumentEditor
    from assistant.server.page_settings import DEFAULTS

    editor = DocumentEditor(assistant.library, None, None)
    return Services(assistant, conversations, editor, DEFAULTS, AnswerRuns(at_once=4, most_waiting=100))
