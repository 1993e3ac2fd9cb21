"""``attest serve``: the chat page, until Ctrl-C. Heavy imports wait until it runs."""

from __future__ import annotations

import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.answer.instrumentation import InstrumentedAssistant
    from assistant.server.evaluation_runs import EvaluationRuns
    from store.settings import Settings


@click.command()
@click.option("--host", help="The address to listen on; the loopback unless set.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 7860 unless set.")
@click.pass_obj
def serve(settings: Settings, /, host: str | None, port: int | None) -> int:
    """Open the chat page, until Ctrl-C."""
    from assistant.accounts.sessions import HOUR, Lifetime
    from assistant.accounts.sign_in import Accounts, accounts_location
    from assistant.build import build_assistant
    from assistant.llm.registry import is_there
    from assistant.server.auth.authentication import Access
    from assistant.server.page.library_overview import LibraryOverview
    from assistant.server.serve import admitted
    from assistant.server.serve import serve as serve_page
    from assistant.server.settings import PageSettings
    from assistant.suggested_questions.saved import OfferedQuestions
    from store.catalog.catalog import FILE
    from store.catalog.conversations import Conversations
    from store.catalog.engine import location
    from store.settings import default_mode

    where = host or settings.host
    access = Access(settings.user_header, settings.trusted_proxies, settings.public_hosts)
    lifetime = Lifetime(settings.session_idle_hours * HOUR)
    with closing(Accounts.open(accounts_location(settings), lifetime)) as accounts:
        admitted(where, accounts, access)
        with build_assistant(settings) as assistant, closing(Conversations.open(location(settings, FILE))) as kept:
            threading.Thread(target=_prepare_writing, args=(assistant,), name="preparing", daemon=True).start()
            serve_page(
                assistant,
                kept,
                host=where,
                port=settings.port if port is None else port,
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
                loading=_tell_loading,
                announce=lambda address: _announce(address, where),
            )
    return 0


def _prepare_writing(assistant: InstrumentedAssistant) -> None:
    from store.errors import LanguageModelError

    # The answer that needs the model says why it can't be used.
    with suppress(LanguageModelError):
        assistant.prepare_writing()


def _tell_loading() -> None:
    click.echo("Loading the models and the page ...", err=True)


def _announce(address: str, host: str) -> None:
    from assistant.server.serve import is_loopback

    click.echo(f"The page is at {address} until you press Ctrl-C.")
    if not is_loopback(host):
        click.echo("Passwords can be read on their way here, unless a proxy with https stands before it.", err=True)


def _bench(settings: Settings) -> EvaluationRuns:
    """Return `attest eval` for the page, in processes of its own, over the suites that come with it and the home's."""
    from importlib.resources import files

    from assistant.server.evaluation_runs import EvaluationRuns

    program = "import sys; from assistant.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "--home", str(settings.home)]
    return EvaluationRuns(
        command, Path(str(files("evals.suites"))), settings.home / "evaluations", settings.home / "suites"
    )
