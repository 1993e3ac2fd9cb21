"""Load settings: few, strict, and layered: defaults < `attest.toml` in the home < ``ATTEST_*`` < flags.

    settings = load_settings(home="~/papers", port=8000)

An unknown key is an error that names the nearest known one. `docs/settings.md` lists them all.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from store.errors import SettingsError

FILE = "attest.toml"
PREFIX = "ATTEST_"
OTHER_VARIABLES = frozenset({"ATTEST_SHARED"})
"""Variables with this prefix that are not settings."""
SECRETS = frozenset({"api_key"})
"""Settings that are read from the environment only, because other people see files and command lines."""
SERVING = frozenset(
    {
        "host",
        "log_format",
        "log_level",
        "port",
        "public_hosts",
        "requests_per_minute",
        "trusted_proxies",
        "web_uploads",
        "user_header",
    }
)
"""Settings of the server and of the log, which answers don't depend on."""
SEARCHING = ("embedding_model", "ranking", "reranker")
"""Settings that search results depend on."""
INGESTING = ("embedding_model", "passage_tokens")
"""Settings that the reading of a file depends on."""
ASKING = frozenset({"max_quotes", "mode"})
"""Settings that come with each question."""


def _listed(value: object) -> object:
    """Split a list in the environment's form: ``one, another``."""
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        ip_network(name, strict=False)  # raises ValueError, which pydantic reports
    return value


Networks = Annotated[Names, AfterValidator(_networks)]


class Settings(BaseSettings):
    """All settings of one run. To add one, add a field here and a line to `docs/settings.md`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Path = Field(default_factory=lambda: user_data_path("attest", appauthor=False))
    """The folder of the library and of `attest.toml`."""
    embedding_model: str | None = None
    """A folder or a Hugging Face name; None means the first of the default models that is installed."""
    reranker: str | None = None
    """A cross-encoder that reranks the best passages: a folder or a Hugging Face name; None means none."""
    ranking: Path | None = None
    """A JSON file with weights of the ranking; None means those of the embedding model."""
    passage_tokens: Annotated[int, Field(ge=32, le=8192)] = 200
    """The most tokens of the embedding model in one passage."""
    database_url: str | None = None
    """A PostgreSQL database for catalog, conversations and accounts, like ``postgresql://attest@host/attest``; None
    means SQLite files in the home."""
    database_password_file: Path | None = None
    """A file with the password for that database, and nothing else."""
    chroma_url: str | None = None
    """A Chroma server, like ``http://host:8000``; None means in the process, in the home."""
    chroma_tenant: str = "default_tenant"
    """The tenant on that server."""
    chroma_database: str = "default_database"
    """The tenant's database with the vectors."""
    chroma_token_file: Path | None = None
    """A file with the token that the server, or a proxy before it, requires."""
    chroma_ca_file: Path | None = None
    """A file with the certificate of the authority of an ``https://`` server; None means the public ones."""
    mode: Literal["quotes", "written", "auto"] = "auto"
    """How answers are made; auto: written if a language model is set, quotes otherwise."""
    max_quotes: Annotated[int, Field(ge=1, le=20)] = 5
    """The most quotes in one answer."""
    model: str | None = None
    """The language model: a name at `base_url`, or a file."""
    base_url: str | None = None
    """An OpenAI-compatible endpoint, like ``http://127.0.0.1:11434/v1``."""
    api_key: SecretStr | None = None
    """The key for that endpoint; from ``ATTEST_API_KEY`` only."""
    host: str = "127.0.0.1"
    """The address at which the page listens."""
    port: Annotated[int, Field(ge=0, le=65535)] = 7860
    """0 means any free one."""
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """For the API, per token or person."""
    public_hosts: Names = ()
    """Names under which a proxy serves the page, like ``docs.example.org``."""
    trusted_proxies: Networks = ("127.0.0.1", "::1")
    """Addresses and networks that may state who a visitor is and where they come from."""
    user_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] | None = None
    """The header in which a proxy names its signed-in user, like ``X-Forwarded-User``."""
    web_uploads: Literal["off", "public", "any"] = "off"
    """Whether documents may be added from web addresses: public ones, or any, including those inside this network."""
    log_format: Literal["text", "json"] = "text"
    """The form of the log on standard error: lines of text, or JSON objects."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """The level of Attest's own log; info logs every answer, without questions or quotes."""

    @property
    def is_shared(self) -> bool:
        """Whether nothing of the library is in the home, so that any number of processes may change it at once."""
        return self.database_url is not None and self.chroma_url is not None

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        """Refuse another kind of address, and a password in it, because errors and reports show it."""
        if value is None:
            return None
        from sqlalchemy import exc, make_url

        try:
            url = make_url(value)
        except (exc.ArgumentError, ValueError) as error:
            raise ValueError("it must look like postgresql://user@host/database") from error
        if url.get_backend_name() not in ("postgresql", "postgres") or not (url.host or url.database or url.query):
            raise ValueError("it must look like postgresql://user@host/database")
        if url.password is not None or "password" in url.query:
            raise ValueError("it holds a password: put that alone into a file, and name it in database_password_file")
        return value

    @field_validator("chroma_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        """Refuse text that is no web address, without repeating it, because it may contain a password."""
        try:
            parts = urlsplit(value or "http://host")
            sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # an invalid port
            sound = False
        if not sound:
            raise ValueError("it must look like http://host:8000")
        return value

    @field_validator("base_url", "chroma_url")
    @classmethod
    def _without_credentials(cls, value: str | None) -> str | None:
        """Refuse a name or password in an address, because errors and reports show it."""
        if value is not None and "@" in value.partition("://")[2].partition("/")[0]:
            raise ValueError("it holds a name or password: take that out, and set ATTEST_API_KEY if there is a key")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only flags and the environment; the file depends on the home, so `load_settings` reads it."""
        return init_settings, env_settings


def load_settings(home: Path | str | None = None, **flags: object) -> Settings:
    """Load the settings of this run. Flags that are None count as not given.

    Raises SettingsError for an unknown key or an invalid value, with its source.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    _refuse_unknown(given, "the flags")
    environment = _environment()
    _refuse_unknown(environment, "the environment", prefix=PREFIX)
    folder = Path(str(home or environment.get("home") or _default_home())).expanduser().absolute()
    file = read_file(folder / FILE)
    # pydantic reads the environment too, but prefers its arguments, so leave out what the environment has.
    beneath = {name: value for name, value in file.items() if name not in environment}
    try:
        return Settings(**(beneath | given | {"home": folder}))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise SettingsError(f"The setting {name} is not allowed: {reason[0].lower()}{reason[1:]}.") from None


def default_mode(settings: Settings) -> Literal["quotes", "written"]:
    """Return quotes, unless the settings ask for written answers or name a model to write them."""
    if settings.mode != "auto":
        return settings.mode
    return "written" if settings.model or settings.base_url else "quotes"


def settings_facts(settings: Settings) -> dict[str, str | int | float | None]:
    """Return the settings that answers depend on, without any secret."""
    given = settings.model_dump(mode="json", exclude={"home", *SECRETS, *SERVING})
    return {name: value if isinstance(value, str | int | float) else None for name, value in given.items()}


def facts_for_answers(settings: Settings) -> dict[str, str | int | float | None]:
    """Return those that are the same for every question: two processes with the same values answer alike."""
    return {name: value for name, value in settings_facts(settings).items() if name not in ASKING}


def facts_for_ingest(settings: Settings) -> dict[str, str | int | float | None]:
    """Return those that the reading of a file depends on."""
    return {name: value for name, value in settings_facts(settings).items() if name in INGESTING}


def facts_for_search(settings: Settings) -> dict[str, str | int | float | None]:
    """Return those that search results depend on."""
    return {name: value for name, value in settings_facts(settings).items() if name in SEARCHING}


def _default_home() -> Path:
    try:
        return user_data_path("attest", appauthor=False)
    except (KeyError, RuntimeError) as error:  # a user without a home directory
        raise SettingsError("There is no home directory for the library: give one with --home.") from error


def _environment() -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES and value != ""
    }


def read_file(path: Path) -> dict[str, Any]:
    """Read the settings file at `path`; empty if there is none. Raises SettingsError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:  # not only TOMLDecodeError: also numbers of 5,000 digits
        raise SettingsError(f"{path} can't be read as TOML: {error}.") from error
    _refuse_unknown(content, str(path))
    for name in SECRETS & content.keys():
        raise SettingsError(f"{path} holds {name}: take it out, and set {PREFIX}{name.upper()} instead.")
    if "home" in content:
        raise SettingsError(f"{path} sets home, but lies in the home: use --home or {PREFIX}HOME.")
    return content


def _refuse_unknown(names: Mapping[str, object] | Iterable[str], where: str, prefix: str = "") -> None:
    known = Settings.model_fields
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            shown = [prefix + (text.upper() if prefix else text) for text in (name, *near)]
            hint = f"did you mean {shown[1]}?" if near else f"known are {', '.join(known)}."
            raise SettingsError(f"There is no setting {shown[0]} (in {where}); {hint}")
