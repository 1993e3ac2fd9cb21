"""Start a real server over the samples, as programs use it, and one with people and tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import pytest

from assistant.accounts.sign_in import Accounts
from assistant.answer.pipeline import Assistant
from assistant.server.app import application
from assistant.server.auth.scoped_access import Assistant as ServedAssistant
from assistant.server.document_editor import DocumentEditor, ingest_into
from assistant.server.page_settings import DEFAULTS, PageSettings
from assistant.server.serve import bound, server
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.library import Library
from store.settings import Settings
from tests.security.conftest import bench_parts, servers

__all__ = ["bench_parts", "servers"]

QUESTION = "When did the World Conference in Vienna take place?"
THAI = "ทวีปแอฟริกามีกี่ที่นั่งในคณะมนตรีสิทธิมนุษยชน"


@dataclass(frozen=True)
class Served:
    """A running server and what stands behind it."""

    address: str
    library: Library
    conversations: Conversations
    accounts: Accounts

    @property
    def v1(self) -> str:
        return f"{self.address}/v1"

    def client(self, token: str | None = None) -> httpx.Client:
        """A client of this server; with `token` in its owner's name."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=240, trust_env=False)


@contextmanager
def serving(library: Library, home: Path, settings: PageSettings = DEFAULTS) -> Iterator[Served]:
    """Serve a library on a free port; who may come in is kept at `home`."""
    with (
        closing(Conversations.open(home / FILE)) as conversations,
        closing(Accounts.open(home)) as accounts,
        closing(bound("127.0.0.1", 0)) as listener,
    ):
        editor = DocumentEditor(library, ingest_into(library), home / "uploads")
        assistant = cast("ServedAssistant", Assistant(library))
        app = application(assistant, conversations, settings, editor=editor, accounts=accounts)
        ready = threading.Event()
        running = server(app, ready.set)
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900), "the server did not start"
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", library, conversations, accounts)
        running.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def library(new_sample_home: Callable[[], Path]) -> Iterator[Library]:
    """The samples, read by the real model."""
    with Library.open(Settings(home=new_sample_home())) as opened:
        yield opened


@pytest.fixture(scope="session")
def served(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without accounts: all on this machine may do everything."""
    with serving(library, tmp_path_factory.mktemp("open")) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as opened:
        yield opened
