"""The PostgreSQL roles in the documentation work, with only the permissions that they need."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from store.library import Library
from store.settings import Settings, load_settings
from tests.conftest import ROOT
from tests.postgresql import PostgresServer
from tests.reliability.test_serving_killed import attest
from tests.servers import chroma_running
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

QUESTION = "When was the harbour bell cast?"
DENIED = "doesn't let this role do that"


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def documented(
    postgresql: PostgresServer, stack: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Path]]:
    """The homes of the roles of `docs/scaling.md` over one library, by name, and that of its owner."""
    folder = tmp_path_factory.mktemp("roles")
    (folder / "harbour.txt").write_text("The harbour bell was cast in 1823 by two brothers.", encoding="utf-8")
    chroma = stack.enter_context(chroma_running(folder / "chroma"))
    base = load_settings(folder / "owner", chroma_url=chroma.url)
    settings = in_postgresql(base, postgresql.new_database(), folder)
    database = str(settings.database_url).rpartition("/")[2]
    homes = {"owner": _home(folder / "owner", settings)}
    assert attest(homes["owner"], "ingest", str(folder / "harbour.txt")).wait() == 0
    page = (ROOT / "docs/scaling.md").read_text("utf-8")
    (statements,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    names = re.findall(r"CREATE ROLE (\w+) LOGIN", statements)
    try:
        for statement in filter(None, map(str.strip, statements.split(";"))):
            postgresql.execute(statement, database)
        for name in names:
            password = secrets.token_hex(8)
            postgresql.execute(f"ALTER ROLE {name} PASSWORD '{password}'")
            (folder / name).write_text(password)
            address = str(settings.database_url).replace("//attest@", f"//{name}@")
            other = {"database_url": address, "database_password_file": folder / name}
            homes[name] = _home(folder / f"home-{name}", settings.model_copy(update=other))
        yield homes
    finally:
        for name in names:
            postgresql.execute(f"DROP OWNED BY {name}", database)
        for name in names:
            postgresql.execute(f"DROP ROLE {name}")


def _home(folder: Path, settings: Settings) -> Path:
    """Make a home of its own for a role, as on a machine of its own."""
    folder.mkdir(exist_ok=True)
    names = ("database_url", "database_password_file", "chroma_url")
    lines = (f"{name} = {json.dumps(str(getattr(settings, name)))}\n" for name in names)
    (folder / "attest.toml").write_text("".join(lines), encoding="utf-8")
    return folder


def _said(home: Path, *arguments: str) -> tuple[int, str]:
    with attest(home, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = process.communicate()[0]
    return process.returncode, said


def test_a_reader_may_ask_and_search_and_nothing_else(documented: dict[str, Path], tmp_path: Path) -> None:
    home = documented["attest_reader"]
    code, said = _said(home, "ask", QUESTION)
    assert (code, "1823" in said) == (0, True), said
    for question in ("What is this library about?", "What can you do?"):
        assert DENIED not in _said(home, "ask", question)[1]
    assert "1823" in _said(home, "search", QUESTION)[1]
    assert "harbour" in _said(home, "documents", "list")[1]
    (tmp_path / "other.txt").write_text("The ferry leaves at noon.", encoding="utf-8")
    code, said = _said(home, "ingest", str(tmp_path / "other.txt"))
    assert (code, DENIED in said) == (3, True), said
    for arguments in (("users", "list"), ("users", "remove", "Lan")):
        assert DENIED in _said(home, *arguments)[1]
    with Library.open(load_settings(documented["owner"])) as library:
        assert library.statistics().documents == 1


@contextmanager
def _served(home: Path) -> Iterator[httpx.Client]:
    with attest(home, "serve", "--port", "0", stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            said = next(line for line in server.stdout if "The page is at" in line)
            address = next(word.rstrip(".") for word in said.split() if word.startswith("http"))
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                yield client
        finally:
            server.terminate()
            server.wait(60)


def test_a_page_may_keep_conversations_and_change_no_document(documented: dict[str, Path]) -> None:
    with _served(documented["attest_page"]) as client:
        reply = client.post("/api/ask", json={"question": QUESTION})
        assert reply.status_code == 200
        assert "1823" in reply.text
        assert len(client.get("/api/conversations").json()["conversations"]) == 1
        (document,) = client.get("/api/documents").json()["documents"]
        refused = client.delete(f"/api/documents/{document['id']}")
        assert (refused.status_code, DENIED in refused.text) == (503, True)
        assert client.get(f"/api/documents/{document['id']}").status_code == 200


def test_a_server_that_may_not_read_accounts_says_so(documented: dict[str, Path]) -> None:
    with _served(documented["attest_reader"]) as client:
        for path in ("/", "/api/documents"):
            reply = client.get(path)
            assert (reply.status_code, DENIED in reply.json()["message"]) == (503, True)
