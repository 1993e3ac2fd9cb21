"""A question from the page always ends with a readable result, whatever happens on the server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from assistant.accounts.account import Visitor
from assistant.server.page.answer_stream import PageAnswers
from assistant.server.page_settings import PageSettings
from store.catalog.conversations import Conversations
from store.errors import LibraryError
from tests.page.scripted import ScriptedAssistant

GUEST = Visitor("browser", None, "administer")


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Conversations whose catalog another process has locked."""
    catalog = tmp_path / "catalog.sqlite"
    monkeypatch.setattr("store.catalog.engine.BUSY_SECONDS", 0)
    with closing(Conversations.open(catalog)) as conversations, closing(sqlite3.connect(catalog)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield conversations


def test_a_locked_catalog_is_said_to_be_busy(locked: Conversations) -> None:
    answering = PageAnswers(cast("Any", ScriptedAssistant()), locked, PageSettings())
    (state,) = answering.states({"ticket": "1", "question": "When do the bells ring?", "ui": "en"}, GUEST)
    assert state["stage"] == "refused"
    assert "stayed busy" in state["message"]


def test_conversations_raise_errors_of_ours(locked: Conversations) -> None:
    with pytest.raises(LibraryError, match="stayed busy"):
        locked.start("browser", "A title")


@pytest.mark.parametrize("what", ["close_turn", "siblings", "conversation"])
def test_an_answer_that_can_t_be_saved_ends_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with closing(Conversations.open(tmp_path / "catalog.sqlite")) as conversations:
        answering = PageAnswers(cast("Any", ScriptedAssistant()), conversations, PageSettings())
        states = answering.states({"ticket": "1", "question": "When do the bells ring?", "ui": "en"}, GUEST)
        assert next(states)["stage"] == "searching"

        def gone(*_: object) -> None:
            raise LibraryError("The database can't be reached.")

        monkeypatch.setattr(conversations, what, gone)
        *_, last = states
    assert (last["stage"], last["message"]) == ("failed", "The database can't be reached.")
