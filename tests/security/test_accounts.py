"""Accounts are stored next to the library and can be changed while a server runs, and nobody can read their passwords."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.accounts.account import Account, checked_name, checked_password, folded_name
from assistant.accounts.attempts import Attempts
from assistant.accounts.database import FILE, Database
from assistant.accounts.sessions import HOUR, Lifetime
from assistant.accounts.sign_in import Accounts, Refused, SignedIn
from store.errors import LibraryError, NotFoundError, RequestError, SchemaVersionError

PASSWORD = "three old bells ring"
MAIN = "from assistant.cli import main; main()"


class Clock:
    """The time as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    with closing(Accounts.open(tmp_path, Lifetime(idle=2 * HOUR, whole=24 * HOUR), clock)) as opened:
        yield opened


def signed_in(accounts: Accounts, name: str = "Lan") -> str:
    """The token of a new session."""
    return accounts.sessions.begin(accounts.register.account(name))


def run(*arguments: str, home: Path, stdin: str | None = None) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "users", *arguments],
        env=environment | {"ATTEST_HOME": str(home)},
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.sqlite
def test_the_file_is_closed_to_other_users_of_the_machine_and_holds_no_password(
    accounts: Accounts, tmp_path: Path
) -> None:
    accounts.register.add("Lan", PASSWORD)
    token = signed_in(accounts)
    held = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
    assert [path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{FILE}*")] == [0o600] * 3
    assert b"$argon2id$" in held
    assert PASSWORD.encode() not in held
    assert token.encode() not in held


@pytest.mark.sqlite
def test_a_file_that_was_left_open_to_others_is_closed(tmp_path: Path) -> None:
    Accounts.open(tmp_path).close()
    (tmp_path / FILE).chmod(0o644)
    Accounts.open(tmp_path).close()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("Lan", "  lan "),
        ("Nguyễn Thị Lan", "nguyê\u0303n thi\u0323 lan"),
        ("สมชาย", "สมชาย"),
        ("Straße", "STRASSE"),
        ("李明", "李明"),
        ("a.b@example.org", "A.B@EXAMPLE.ORG"),
    ],
)
def test_a_name_is_found_however_it_is_typed_and_given_once(accounts: Accounts, kept: str, typed: str) -> None:
    added = accounts.register.add(kept, PASSWORD)
    assert accounts.register.account(typed) == added
    with pytest.raises(RequestError, match="There is an account named"):
        accounts.register.add(typed, PASSWORD)


@pytest.mark.parametrize("name", ["", " \t", "x" * 65, "a\u202eb", "a\0b", "<b>", "a/b", "a\u200bb", "😀"])
def test_a_name_that_could_deceive_is_refused(name: str) -> None:
    with pytest.raises(RequestError):
        checked_name(name)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025, "Nguyễn Thị Lan"])
def test_an_easy_password_is_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(RequestError) as refused:
        checked_password(password, "nguyễn thị lan")
    assert not password or password not in str(refused.value)


def test_a_password_is_the_same_however_its_accents_are_composed(accounts: Accounts) -> None:
    accounts.register.add("Lan", "mật khẩu rất dài")
    assert accounts.register.verified("lan", "mâ\u0323t khâ\u0309u râ\u0301t da\u0300i") is not None
    assert accounts.register.verified("lan", "mat khau rat dai") is None


def test_a_session_lasts_while_it_is_used_and_ends_when_it_is_left(accounts: Accounts, clock: Clock) -> None:
    accounts.register.add("Lan", PASSWORD)
    token = signed_in(accounts)
    for _ in range(11):
        clock.now += 1.9 * HOUR
        assert accounts.sessions.find(token) is not None
    clock.now += 2.1 * HOUR
    assert accounts.sessions.find(token) is None
    clock.now -= 1 * HOUR
    assert accounts.sessions.find(token) is None, "it is over once it is over"


def test_a_session_ends_at_all_events(accounts: Accounts, clock: Clock) -> None:
    accounts.register.add("Lan", PASSWORD)
    token = signed_in(accounts)
    began = clock.now
    while clock.now < began + 23 * HOUR:
        clock.now += HOUR
        assert accounts.sessions.find(token) is not None
    clock.now = began + 24 * HOUR + 1
    assert accounts.sessions.find(token) is None


def test_a_clock_set_back_ends_no_session_and_shuts_nobody_out(accounts: Accounts, clock: Clock) -> None:
    accounts.register.add("Lan", PASSWORD)
    token = signed_in(accounts)
    for _ in range(10):
        assert accounts.attempts.begin("Lan", "192.0.2.1") == 0
    assert accounts.attempts.begin("Lan", "192.0.2.1") > 0
    clock.now -= HOUR
    assert accounts.sessions.find(token) is not None
    assert isinstance(accounts.sign_in("Lan", PASSWORD, "192.0.2.1"), SignedIn)


def test_another_password_ends_all_sessions(accounts: Accounts) -> None:
    accounts.register.add("Lan", PASSWORD)
    tokens = [signed_in(accounts) for _ in range(3)]
    accounts.register.set_password("Lan", "four new bells ring")
    assert [accounts.sessions.find(token) for token in tokens] == [None] * 3
    assert accounts.sign_in("Lan", PASSWORD, "192.0.2.1") == Refused()


def meanwhile(accounts: Accounts, deed: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `deed` done right after the next password was found right, as another thread or a command may do it."""
    verify = accounts.register.verified

    def verified(name: str, password: str) -> Account | None:
        found = verify(name, password)
        deed()
        return found

    monkeypatch.setattr(accounts.register, "verified", verified)


def test_who_knows_only_the_former_password_gets_no_session_that_outlives_the_change(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.register.add("Lan", PASSWORD)
    meanwhile(accounts, lambda: accounts.register.set_password("Lan", "four new bells ring"), monkeypatch)
    assert accounts.sign_in("Lan", PASSWORD, "192.0.2.1") == Refused()
    monkeypatch.undo()
    assert isinstance(accounts.sign_in("Lan", "four new bells ring", "192.0.2.1"), SignedIn)


def test_a_password_that_was_set_meanwhile_is_not_set_back(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts.register.add("Lan", PASSWORD)
    meanwhile(accounts, lambda: accounts.register.set_password("Lan", "four new bells ring"), monkeypatch)
    assert accounts.change_password("Lan", PASSWORD, "chosen by a stranger", "192.0.2.1") == Refused()
    monkeypatch.undo()
    assert isinstance(accounts.sign_in("Lan", "four new bells ring", "192.0.2.1"), SignedIn)


@pytest.mark.parametrize("change", [False, True])
def test_an_account_that_is_removed_while_somebody_enters_lets_nobody_in(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, change: bool
) -> None:
    accounts.register.add("Lan", PASSWORD)
    meanwhile(accounts, lambda: accounts.register.remove("Lan"), monkeypatch)
    if change:
        assert accounts.change_password("Lan", PASSWORD, "four new bells ring", "192.0.2.1") == Refused()
    else:
        assert accounts.sign_in("Lan", PASSWORD, "192.0.2.1") == Refused()


def test_a_removed_account_is_out_at_once_and_its_name_is_somebody_else(accounts: Accounts) -> None:
    former = accounts.register.add("Lan", PASSWORD)
    token = signed_in(accounts)
    accounts.register.remove("lan")
    assert accounts.sessions.find(token) is None
    assert accounts.register.add("Lan", PASSWORD).id != former.id


def test_another_right_counts_at_once_for_those_who_are_signed_in(accounts: Accounts) -> None:
    accounts.register.add("Lan", PASSWORD)
    token = signed_in(accounts)
    accounts.register.change("Lan", "administer", None, everything=False)
    found = accounts.sessions.find(token)
    assert found is not None
    assert found.right == "administer"


def test_ten_wrong_passwords_close_a_name_for_a_while_over_a_restart(
    accounts: Accounts, clock: Clock, tmp_path: Path
) -> None:
    accounts.register.add("Lan", PASSWORD)
    for number in range(9):
        assert accounts.attempts.begin("Lan", f"192.0.2.{number}") == 0
    assert accounts.sign_in("Lan", "wrong password", "192.0.2.9") == Refused()
    with closing(Accounts.open(tmp_path, clock=clock)) as restarted:
        refused = restarted.sign_in("LAN", PASSWORD, "198.51.100.1")
        assert isinstance(refused, Refused)
        assert 0 < refused.wait <= 15 * 60
        clock.now += refused.wait + 1
        assert isinstance(restarted.sign_in("Lan", PASSWORD, "198.51.100.1"), SignedIn)


def test_one_address_cannot_try_one_name_after_the_other(tmp_path: Path, clock: Clock) -> None:
    attempts = Attempts(Database.open(tmp_path), clock)
    waits = [attempts.begin(f"name {number}", f"2001:db8::{number:x}") for number in range(41)]
    assert [wait > 0 for wait in waits] == [False] * 40 + [True]
    assert attempts.begin("name 41", "2001:db8:0:1::1") == 0, "another network may"


def test_a_success_grants_no_new_guesses(accounts: Accounts) -> None:
    accounts.register.add("Lan", PASSWORD)
    for _ in range(9):
        accounts.attempts.begin("Lan", "192.0.2.1")
    assert isinstance(accounts.sign_in("Lan", PASSWORD, "192.0.2.1"), SignedIn)
    assert accounts.sign_in("Lan", "wrong password", "192.0.2.1") == Refused()
    refused = accounts.sign_in("Lan", PASSWORD, "192.0.2.1")
    assert isinstance(refused, Refused)
    assert refused.wait > 0


def test_an_unknown_name_takes_as_long_as_a_wrong_password(accounts: Accounts) -> None:
    accounts.register.add("Lan", PASSWORD)
    accounts.register.add("Proxy", None)

    def seconds(work: Callable[[], object]) -> float:
        started = time.process_time()  # the clock on the wall tells what else this machine was doing
        work()
        return time.process_time() - started

    for name in ("Lan", "Proxy", "nobody"):  # What is made once is made.
        accounts.register.verified(name, "wrong password")
    took = {
        name: min(seconds(lambda: accounts.register.verified(name, "wrong password")) for _ in range(2))  # noqa: B023
        for name in ("Lan", "Proxy", "nobody")
    }
    assert max(took.values()) < 2 * min(took.values()), took
    assert min(took.values()) > 0.005, "a hash that is quick to make is quick to guess"


@pytest.mark.sqlite
def test_a_file_of_another_program_or_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(LibraryError, match="another program"):
        Accounts.open(tmp_path)
    (tmp_path / FILE).unlink()
    Accounts.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaVersionError, match="newer Attest"):
        Accounts.open(tmp_path)


@pytest.mark.sqlite
def test_accounts_are_added_listed_changed_and_removed_by_command(tmp_path: Path, accounts: Accounts) -> None:
    assert run("add", "Lan", "--password-stdin", home=tmp_path, stdin=f"{PASSWORD}\n") == (
        0,
        "Added Lan, who may ask.\n",
        "From now on the page asks everyone to sign in.\n",
    )
    token = signed_in(accounts)  # the server that runs meanwhile knows it
    assert run("add", "สมชาย", "--right", "add", "--no-password", home=tmp_path)[0] == 0
    assert run("change", "lan", "--collection", "Luật", "--collection", "", home=tmp_path) == (
        0,
        "Changed Lan, who may ask, in Luật, documents without a collection only.\n",
        "",
    )
    assert run("change", "lan", "--right", "administer", "--all-collections", home=tmp_path)[0] == 0
    code, shown, _ = run("list", "--json", home=tmp_path)
    listed = [{**user, "created": None} for user in json.loads(shown)["users"]]
    assert code == 0
    assert "argon2" not in shown
    assert [(user["name"], user["right"], user["password"]) for user in listed] == [
        ("Lan", "administer", True),
        ("สมชาย", "add", False),
    ]
    assert run("password", "Lan", "--password-stdin", home=tmp_path, stdin="four new bells ring")[0] == 0
    assert accounts.sessions.find(token) is None
    assert run("remove", "Lan", "--conversations", home=tmp_path)[0] == 0
    with pytest.raises(NotFoundError):
        accounts.register.account("Lan")


def test_an_account_may_be_limited_to_collections_and_freed_again(accounts: Accounts) -> None:
    register = accounts.register
    assert register.add("Lan", PASSWORD, "add", ["Luật", " Luật ", ""]).collections == ("Luật", "")
    assert register.change("Lan", "ask", None, everything=False).collections == ("Luật", "")
    assert register.change("Lan", None, ["กฎหมาย"], everything=False).collections == ("กฎหมาย",)
    for right, collections in (("administer", None), ("administer", ["x"]), ("ask", []), ("ask", ["a\0"])):
        with pytest.raises(RequestError):
            register.change("Lan", right, collections, everything=False)  # type: ignore[arg-type]
    assert register.account("Lan").collections == ("กฎหมาย",)
    assert register.change("Lan", "administer", None, everything=True).collections is None
    with pytest.raises(RequestError, match="sees all collections"):
        register.add("Ada", PASSWORD, "administer", ["Luật"])


def test_a_password_typed_at_a_terminal_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["ATTEST_HOME"] = str(tmp_path)
        os.execv(sys.executable, [sys.executable, "-c", MAIN, "users", "add", "Lan"])  # noqa: S606
    shown = b""
    for asked in (b"Password for Lan: ", b"Once more: ", b"Added Lan"):
        if shown:
            os.write(terminal, PASSWORD.encode() + b"\n")
        while asked not in shown:
            shown += os.read(terminal, 1000)
    assert os.waitpid(pid, 0)[1] == 0
    assert PASSWORD.encode() not in shown


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["add", "Lan"], None, "There is no terminal to ask for the password: give it with --password-stdin."),
        (["add", "Lan", "--password-stdin"], "short\n", "it needs at least 12"),
        (["add", "", "--password-stdin"], PASSWORD, "The name is empty"),
        (["add", "Lan", "--right", "all"], None, "'all' is not one of"),
        (["password", "nobody", "--password-stdin"], PASSWORD, "no account named 'nobody'"),
        (["change", "nobody"], None, "Say what changes: --right, --collection or --all-collections."),
        (["add", "Lan", "--right", "administer", "--collection", "x"], None, "sees all collections"),
        (["change", "nobody", "--right", "ask"], None, "no account named 'nobody'"),
        (["remove", "nobody"], None, "no account named 'nobody'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.sqlite
def test_a_wrong_command_gets_one_sentence(arguments: list[str], stdin: str | None, says: str, tmp_path: Path) -> None:
    code, shown, said = run(*arguments, home=tmp_path, stdin=stdin)
    assert (code, shown) == (2, "")
    assert len(said.splitlines()) == 1
    assert said.startswith("attest: ")
    assert says in said


def test_folding_a_name_twice_changes_nothing() -> None:
    for name in ("ẞ", "ﬁn", "İstanbul", "Ａｂｃ", "ǰ", "สำ"):
        assert folded_name(folded_name(name)) == folded_name(name)
