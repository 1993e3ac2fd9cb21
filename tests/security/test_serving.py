"""`attest serve` in its own process is never open to others by mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.accounts.database import FILE
from assistant.accounts.sign_in import Accounts
from store.errors import SettingsError
from store.settings import load_settings
from tests.security.conftest import PASSWORD, Client

MAIN = "from assistant.cli import main; main()"


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")}
    return kept | {"ATTEST_HOME": str(home)} | more


def serve(home: Path, *arguments: str, **more: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "serve", "--port", "0", *arguments],
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "more"),
    [(["--host", "0.0.0.0"], {}), (["--host", "::"], {}), ([], {"ATTEST_HOST": "192.168.0.4"})],  # noqa: S104
)
def test_beyond_the_loopback_it_does_not_start_without_accounts(
    arguments: list[str], more: dict[str, str], tmp_path: Path
) -> None:
    code, shown, said = serve(tmp_path, *arguments, **more)
    assert (code, shown) == (2, "")
    assert len(said.splitlines()) == 1
    assert "attest users add NAME" in said
    assert not (tmp_path / "catalog.sqlite").exists(), "before anything is made or loaded"


def test_a_header_that_no_proxy_could_send_is_refused(tmp_path: Path) -> None:
    code, _, said = serve(tmp_path, ATTEST_USER_HEADER="X User", ATTEST_HOST="0.0.0.0")  # noqa: S104
    assert code == 2
    assert "user_header" in said


def test_lists_are_written_with_commas_in_the_environment_and_as_lists_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "attest.toml").write_text('public_hosts = ["docs.example.org", "docs"]\n', encoding="utf-8")
    monkeypatch.setenv("ATTEST_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    settings = load_settings(tmp_path)
    assert settings.public_hosts == ("docs.example.org", "docs")
    assert settings.trusted_proxies == ("10.0.0.0/8", "2001:db8::1")
    monkeypatch.setenv("ATTEST_TRUSTED_PROXIES", "the proxy")
    with pytest.raises(SettingsError, match=r"trusted_proxies is not allowed.*'the proxy'"):
        load_settings(tmp_path)


@pytest.mark.hard
def test_a_real_server_beyond_the_loopback_asks_everyone_and_logs_no_secret(tmp_path: Path) -> None:
    accounts = Accounts.open(tmp_path)
    accounts.register.add("Lan", PASSWORD)
    accounts.close()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", "--host", "0.0.0.0", "--port", "0"],  # noqa: S104
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        client = Client(line.split()[4] + "/")
        assert client.request("/attest/start").status == 401
        assert client.sign_in("Lan", "not the password").status == 401
        assert client.sign_in("Lan").status == 303
        assert client.request("/attest/start").json["user"] == "Lan"
        listing = subprocess.run(
            [sys.executable, "-c", MAIN, "users", "password", "Lan", "--password-stdin"],
            input="four new bells ring",
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=True,
        )
        assert "sign in again" in listing.stdout
        assert client.request("/attest/start").status == 401
        token = client.cookies["attest_session"]
    finally:
        process.terminate()
        shown, said = process.communicate(timeout=120)
    assert "Passwords can be read on their way" in said
    for secret in (PASSWORD, "not the password", token, "argon2"):
        assert secret not in line + shown + said
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert PASSWORD.encode() not in content, path
            assert token.encode() not in content, path
            assert b"$argon2" not in content or path.name.startswith(FILE), path
