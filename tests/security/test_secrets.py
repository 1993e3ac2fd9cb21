"""Keys in the environment are used and never revealed in errors, logs, exports, reports, backups or on the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.answer.pipeline import Assistant
from assistant.server.page.export import FORMATS, exported
from assistant.server.strings import strings
from store.backup.create import back_up
from store.backup.restore import restore
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.errors import SettingsError
from store.library import Library
from store.settings import Settings, load_settings, settings_facts
from tests.conftest import ROOT
from tests.reliability.conftest import QUESTION, endpoint, library
from tests.reliability.endpoints import Endpoint

__all__ = ["endpoint", "library"]

SECRETS = {
    "ATTEST_API_KEY": "refused-0123456789",
    "HF_TOKEN": "hf-secret-0123456789",
    "OPENAI_API_KEY": "openai-secret-0123456789",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=otlp-secret-0123456789",
}
COMMAND = "import sys; from assistant.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def home(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    back_up(library.settings.home, folder / "library.zip")
    restore(folder / "library.zip", folder / "home")
    return folder / "home"


@pytest.fixture
def told(home: Path, endpoint: Endpoint) -> Iterator[list[str]]:
    """Whatever is put in here must be free of secrets."""
    said: list[str] = []
    yield said
    assert said
    for text in said:
        for secret in SECRETS.values():
            assert secret.rpartition("=")[2] not in text


def _attest(home: Path, endpoint: Endpoint, model: str, *arguments: str, key: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")} | SECRETS
    environment |= {
        "ATTEST_HOME": str(home),
        "ATTEST_BASE_URL": endpoint.url,
        "ATTEST_MODEL": model,
        "ATTEST_LOG_LEVEL": "debug",
        "ATTEST_LOG_FORMAT": "json",
    }
    if key is not None:
        environment["ATTEST_API_KEY"] = key
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.stdout + done.stderr


def test_commands_and_their_logs_don_t_tell_the_key(home: Path, endpoint: Endpoint, told: list[str]) -> None:
    told.append(_attest(home, endpoint, "works", "ask", QUESTION, "--mode", "written", "--json"))
    assert "refused the key" in told[-1]
    told.append(_attest(home, endpoint, "works", "models", "list", "--json"))
    assert endpoint.url in told[-1]


@pytest.mark.hard
@pytest.mark.parametrize("model", ["401", "500", "works"])
def test_an_endpoint_that_repeats_the_key_is_not_repeated(
    home: Path, endpoint: Endpoint, told: list[str], model: str
) -> None:
    key = "accepted-0123456789"
    told.append(_attest(home, endpoint, model, "ask", QUESTION, "--mode", "written", "--json", key=key))
    told.append(_attest(home, endpoint, model, "doctor", "--json", key=key))
    assert not any(key in text for text in told)
    assert endpoint.asked, "the endpoint was never asked"


def test_the_page_and_its_exports_don_t_tell_the_key(
    library: Library, endpoint: Endpoint, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.llm.registry import load_model

    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for kind in ("401", "500", "works"):
        settings = load_settings(tmp_path, base_url=endpoint.url, model=kind)
        assert settings.api_key is not None
        answer = Assistant(library, lambda settings=settings: load_model(settings), "written").answer(QUESTION)  # type: ignore[misc]
        told.append(answer.to_json())
        with closing(Conversations.open(tmp_path / FILE)) as kept:
            conversation = kept.start("somebody", QUESTION)
            turn = kept.ask(conversation.id, None, QUESTION, "{}")
            kept.close_turn(turn.id, "finished", answer.to_json())
            turns = kept.branch(conversation.id)
            told.extend(exported(conversation, turns, form, strings("en")) for form in FORMATS)


def test_settings_reports_and_backups_don_t_hold_the_key(
    home: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(home)
    told += [repr(settings), str(settings), settings.model_dump_json(), json.dumps(settings_facts(settings))]
    back_up(home, tmp_path / "a.zip")
    told.append((tmp_path / "a.zip").read_bytes().decode("latin-1"))


@pytest.mark.parametrize("name", ["base_url", "chroma_url"])
def test_a_password_in_an_address_is_refused_without_repeating_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"name or password.*ATTEST_API_KEY") as caught:
        load_settings(tmp_path, **{name: "http://lan:pa55word@127.0.0.1:9/v1"})
    assert "pa55word" not in str(caught.value)
    assert load_settings(tmp_path, base_url="http://127.0.0.1:9/@v1").base_url
    assert Settings(home=tmp_path).base_url is None
