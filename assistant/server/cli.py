"""``attest serve``: serve the chat page until Ctrl-C. Heavy imports wait until it runs."""

from __future__ import annotations

import sys
import threading
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.server.workers import Inherited, Supervisor

if TYPE_CHECKING:
    from assistant.answer.instrumentation import InstrumentedAssistant
    from assistant.server.evaluation_runs import EvaluationRuns
    from store.settings import Settings


@click.command()
@click.option("--host", help="The address to listen on; the loopback unless set.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 7860 unless set.")
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Processes that answer; more than one over PostgreSQL only."
)
@click.option("--inherited", hidden=True, type=Inherited.parse)
@click.pass_obj
def serve(
    settings: Settings, /, host: str | None, port: int | None, workers: int | None, inherited: Inherited | None
) -> int:
    """Open the chat page, until Ctrl-C."""
    where = host or settings.host
    number = settings.port if port is None else port
    if workers is not None and workers > 1:
        return _supervise(settings, where, number, workers)
    from assistant.accounts.sign_in import Accounts, accounts_location
    from assistant.build import build_assistant
    from assistant.llm.registry import is_there
    from assistant.server.auth.authentication import Access
    from assistant.server.page.library_overview import LibraryOverview
    from assistant.server.page_settings import PageSettings
    from assistant.server.serve import admitted
    from assistant.server.serve import serve as serve_page
    from assistant.suggested_questions.saved import OfferedQuestions
    from store.catalog.catalog import FILE
    from store.catalog.conversations import Conversations
    from store.catalog.engine import Database, location
    from store.settings import default_mode

    access = Access(settings.user_header, settings.trusted_proxies, settings.public_hosts)
    with closing(Accounts.open(accounts_location(settings))) as accounts:
        admitted(where, accounts, access)
        with (
            build_assistant(settings) as assistant,
            closing(Conversations.open(location(settings, FILE))) as kept,
            closing(Database.connect(location(settings, FILE), "serving"))
            if settings.is_shared
            else nullcontext() as shared,
        ):
            threading.Thread(target=_prepare_writing, args=(assistant,), name="preparing", daemon=True).start()
            if inherited is not None:
                inherited.end_with_supervisor()
            serve_page(
                assistant,
                kept,
                host=where,
                port=number,
                settings=PageSettings(
                    written_mode=default_mode(settings) == "written",
                    translations=is_there(settings),
                    web_uploads=settings.web_uploads,
                    requests_per_minute=settings.requests_per_minute,
                ),
                uploads=settings.home / "uploads",
                evaluation_runs=_bench(settings),
                accounts=accounts,
                access=access,
                offered=OfferedQuestions(assistant.library),
                overview=LibraryOverview(assistant.library),
                owner_socket=assistant.library.socket,
                loading=(lambda: None) if inherited else _tell_loading,
                announce=(lambda _: inherited.tell()) if inherited else (lambda address: _announce(address, where)),
                inherited=inherited,
                shared=shared,
            )
    return 0


def _supervise(settings: Settings, host: str, port: int, workers: int) -> int:
    """Serve with several processes. Raises RequestError for a library that only one can serve."""
    from assistant.accounts.sign_in import Accounts, accounts_location
    from assistant.server.auth.authentication import Access
    from assistant.server.serve import address, admitted, bound
    from store.errors import RequestError

    if not settings.is_shared:
        raise RequestError(
            "One process owns a library in a folder. For several workers, move it to PostgreSQL and a Chroma server first "
            "(`attest move`), and set database_url and chroma_url."
        )
    with closing(Accounts.open(accounts_location(settings))) as accounts:
        admitted(host, accounts, Access(settings.user_header, settings.trusted_proxies, settings.public_hosts))

    def command(inherited: Inherited) -> list[str]:
        return [*_program(settings), "serve", "--host", host, "--port", str(port), "--inherited", str(inherited)]

    with closing(bound(host, port)) as listener:
        _tell_loading()
        shown = address(host, listener.getsockname()[1])
        return Supervisor(command, listener, workers, lambda: _announce(shown, host)).run()


def _prepare_writing(assistant: InstrumentedAssistant) -> None:
    from store.errors import LanguageModelError

    # The first answer that needs the model says why it can't be used.
    with suppress(LanguageModelError):
        assistant.prepare_writing()


def _tell_loading() -> None:
    click.echo("Loading the models and the page ...", err=True)


def _announce(address: str, host: str) -> None:
    from assistant.server.serve import is_loopback

    click.echo(f"The page is at {address} until you press Ctrl-C.")
    if not is_loopback(host):
        click.echo("Passwords can be read on their way here, unless a proxy with https stands before it.", err=True)


def _program(settings: Settings) -> list[str]:
    """Return the command that starts `attest` again with the same library."""
    program = "import sys; from assistant.cli import main; sys.exit(main())"
    return [sys.executable, "-c", program, "--home", str(settings.home)]


def _bench(settings: Settings) -> EvaluationRuns:
    """Return `attest eval` for the page, in separate processes, over the suites shipped with Attest and the home's."""
    from importlib.resources import files

    from assistant.server.evaluation_runs import EvaluationRuns

    return EvaluationRuns(
        _program(settings), Path(str(files("evals.suites"))), settings.home / "evaluations", settings.home / "suites"
    )
