"""With TLS, the authority's certificate is checked, and a wrong one is reported in one sentence."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import URL

from store.catalog.engine import Database, location
from store.errors import LibraryError, SettingsError
from store.library import Library
from store.settings import Settings, load_settings
from tests.certificates import Certificates
from tests.postgresql import PostgresServer
from tests.servers import PATIENCE, chroma_running, free_port
from tests.store.building import SCRIPTS, HashingEmbedder, add, found, parsed

server = pytest.mark.server
TOKEN = "s3cret-t0ken"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("others"))


@pytest.fixture(scope="module")
def secure(postgresql: PostgresServer, certificates: Certificates) -> Iterator[URL]:
    """A database of a server that speaks TLS."""
    names = {"ssl_cert_file": certificates.certificate, "ssl_key_file": certificates.key}
    for name, file in names.items():
        postgresql.execute(f"ALTER SYSTEM SET {name} = '{postgresql.own(file)}'")
    postgresql.execute("ALTER SYSTEM SET ssl = on")
    postgresql.execute("SELECT pg_reload_conf()")
    yield postgresql.new_database()
    for name in ("ssl", *names):
        postgresql.execute(f"ALTER SYSTEM RESET {name}")
    postgresql.execute("SELECT pg_reload_conf()")


def _verified(url: URL, folder: Path, authority: Path, host: str = "localhost") -> Settings:
    """Settings for the server on this machine, by the name `host`."""
    (folder / "password").write_text(str(url.password))
    address = f"postgresql://{url.username}@{host}:{url.port}/{url.database}"
    return load_settings(
        folder / "home",
        database_url=f"{address}?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={authority}",
        database_password_file=folder / "password",
    )


def test_postgresql_is_reached_by_tls_and_its_authority_is_checked(
    secure: URL, certificates: Certificates, tmp_path: Path
) -> None:
    settings = _verified(secure, tmp_path, certificates.authority)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, parsed("th", *SCRIPTS["th"], language="th"))
        assert found(library, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]
    database = Database.connect(location(settings, "catalog.sqlite"))
    with database.reading() as connection:
        encrypted = connection.execute(sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar()
    database.close()
    assert encrypted is True


def test_a_certificate_of_another_authority_is_told(secure: URL, others: Certificates, tmp_path: Path) -> None:
    _assert_told(_verified(secure, tmp_path, others.authority))


def test_a_certificate_for_another_name_is_told(secure: URL, certificates: Certificates, tmp_path: Path) -> None:
    _assert_told(_verified(secure, tmp_path, certificates.authority, host="db.example.org"))


def test_an_authority_whose_file_is_missing_is_told(secure: URL, tmp_path: Path) -> None:
    _assert_told(_verified(secure, tmp_path, tmp_path / "nowhere.pem"))


def _assert_told(settings: Settings) -> None:
    with pytest.raises(
        LibraryError, match=r"can't be used by TLS .*certificate.*sslrootcert in database_url"
    ) as raised:
        Library.open(settings, embedder=HashingEmbedder())
    assert "\n" not in str(raised.value)
    password = settings.database_password_file
    assert password is not None
    assert password.read_text() not in str(raised.value)


@contextmanager
def _nginx(folder: Path, to: int, certificates: Certificates) -> Iterator[str]:
    """nginx, which speaks TLS and asks for a token, before a server at the port `to`."""
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("There is no nginx here.")
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
        daemon off; pid {folder}/pid; error_log stderr;
        events {{}}
        http {{
          access_log off; client_max_body_size 100m;
          client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
          uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
          server {{
            listen 127.0.0.1:{port} ssl;
            ssl_certificate {certificates.certificate}; ssl_certificate_key {certificates.key};
            location / {{
              if ($http_authorization != "Bearer {TOKEN}") {{ return 401; }}
              proxy_pass http://127.0.0.1:{to};
            }}
          }}
        }}""")
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder, "-e", "stderr"])
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"https://127.0.0.1:{port}", verify=False)  # noqa: S501 - only whether it answers
                break
            assert process.poll() is None, "nginx ended"
            assert time.monotonic() < deadline, "nginx didn't start"
            time.sleep(0.05)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[str]:
    """A Chroma server behind nginx."""
    with (
        chroma_running(tmp_path_factory.mktemp("chroma")) as running,
        _nginx(tmp_path_factory.mktemp("nginx"), running.port, certificates) as url,
    ):
        yield url


def _settings(folder: Path, url: str, authority: Path | None) -> Settings:
    (folder / "token").write_text(f"{TOKEN}\n")
    return load_settings(folder / "home", chroma_url=url, chroma_token_file=folder / "token", chroma_ca_file=authority)


@server
def test_chroma_is_reached_by_tls_with_an_authority_and_a_token_of_files(
    chroma: str, certificates: Certificates, tmp_path: Path
) -> None:
    with Library.open(_settings(tmp_path, chroma, certificates.authority), embedder=HashingEmbedder()) as library:
        add(library, *(parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()))
        for texts in SCRIPTS.values():
            assert found(library, texts[0], 1) == [texts[0]]
    (tmp_path / "token").write_text("another")
    with (
        Library.open(
            load_settings(
                tmp_path / "home",
                chroma_url=chroma,
                chroma_token_file=tmp_path / "token",
                chroma_ca_file=certificates.authority,
            ),
            embedder=HashingEmbedder(),
        ) as library,
        pytest.raises(LibraryError, match="refuses the token"),
    ):
        library.search("forum")


@server
@pytest.mark.parametrize("trusts", ["another authority", "public ones"])
def test_a_chroma_server_of_an_unknown_authority_is_told_at_once(
    chroma: str, others: Certificates, tmp_path: Path, trusts: str
) -> None:
    settings = _settings(tmp_path, chroma, others.authority if trusts == "another authority" else None)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        with pytest.raises(LibraryError) as raised:
            add(library, parsed("x", "One."))
        assert str(raised.value).startswith(f"The Chroma server at {chroma} shows a certificate that isn't trusted (")
        assert "chroma_ca_file" in str(raised.value)
        assert "\n" not in str(raised.value)
        assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    settings = _settings(tmp_path, "https://localhost:9", tmp_path / "ca.pem")
    with (
        Library.open(settings, embedder=HashingEmbedder()) as library,
        pytest.raises(SettingsError, match=r"chroma_ca_file names can't be read as certificates"),
    ):
        add(library, parsed("x", "One."))
