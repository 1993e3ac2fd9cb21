"""Define the command `attest`: its subcommands, and the commands that ask. Heavy imports wait until a command runs."""

from __future__ import annotations

import codecs
import importlib
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from store.settings import Settings
    from store.types import Filter, SearchResult

# Named, not imported: other packages' commands are imported when they are called, so that `attest --help` answers at
# once, and `assistant` doesn't depend on `evals`.
COMMANDS = {
    "ask": ("assistant.cli:ask", "Ask a question; the answer is quotes with their sources."),
    "serve": ("assistant.server.cli:serve", "Open the chat page."),
    "ingest": ("ingest.cli:ingest", "Put files and folders into the library."),
    "documents": ("assistant.documents_cli:documents", "List, show or remove documents."),
    "search": ("assistant.cli:search", "Find passages, best first."),
    "eval": ("evals.cli:evaluate", "Run scripted questions, score and compare runs."),
    "mcp": ("assistant.server.api.mcp.cli:mcp", "Serve a program that speaks MCP."),
    "models": ("assistant.llm.cli:models", "List or install language models."),
    "users": ("assistant.accounts.cli:users", "Say who may sign in to the page, and what for."),
    "tokens": ("assistant.accounts.tokens_cli:tokens", "Give programs tokens with which they ask."),
    "prepare": ("ingest.cli:prepare", "Add the samples to an empty library."),
    "doctor": ("ingest.library_cli:doctor", "Check the library, and mend it."),
    "backup": ("store.backup.cli:backup", "Write the whole library to one file."),
    "restore": ("store.backup.cli:restore", "Bring a library back from a backup."),
    "move": ("store.moving.cli:move", "Move the library to PostgreSQL, or back."),
    "rebuild": ("store.cli:rebuild", "Make vectors and keywords again from the catalog."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all commands, the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list in `--help` without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the library lives; else ATTEST_HOME, else your data folder.",
)
@click.version_option(package_name="attest")
@click.pass_context
def attest(context: click.Context, home: Path | None) -> None:
    """Answers from your own documents, each statement proved by the exact words behind it."""
    if any(flag in sys.argv for flag in context.help_option_names):
        return  # Help needs no settings, and is most useful when they are wrong.
    from assistant.build import answer_other_processes
    from store.logs import configure
    from store.settings import load_settings

    context.obj = load_settings(home)
    configure(context.obj)
    answer_other_processes()


def main() -> None:
    """Run `attest` and exit: 0 done, 1 the answer is no, 2 the request was wrong, 3 something is out of reach."""
    from store.errors import AttestError

    _escape_what_cannot_be_printed()
    if any("\ud800" <= character <= "\udfff" for argument in sys.argv[1:] for character in argument):
        click.echo(
            "attest: An argument is not valid UTF-8: set a locale such as LC_ALL=C.UTF-8, or rename the file.", err=True
        )
        sys.exit(2)
    try:
        code = attest.main(prog_name="attest", standalone_mode=False)
    except AttestError as error:
        click.echo(f"attest: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"attest: {_in_one_line(error)}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("attest: stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # The reader of our output is gone, so there is nobody to tell.
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _escape_what_cannot_be_printed() -> None:
    """Escape letters that the encoding of a terminal or a pipe can't print, instead of failing."""
    codecs.register_error("attest.escape", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors="attest.escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Escape letters as JSON does, so that JSON stays valid: two escapes for those beyond the first plane."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end


def _in_one_line(error: click.ClickException) -> str:
    """Return click's message about a wrong command line, and where to read more, on one line instead of four."""
    said = error.format_message()
    if not said.endswith((".", "?")):
        said += "."
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} See `{context.command_path} --help`." if context else said


def _checked_date(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from store.text.date_ranges import day_range

    if value is not None:
        try:
            day_range(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return value


def _checked_language(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    import re

    if value is not None and not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", value):
        raise click.BadParameter("a language is named by its tag, as th, vi or pt-BR")
    return value


def filter_options(command: Any) -> Any:  # noqa: ANN401 - what click decorates has no type of its own
    """Add options for which documents a question may use."""
    for option in (
        click.option("--document", "documents", multiple=True, help="Only this document, by its id. Repeatable."),
        click.option("--speaker", "speakers", multiple=True, help="Only this speaker. Repeatable."),
        click.option("--language", "languages", multiple=True, help="Only passages in this language. Repeatable."),
        click.option("--collection", "collections", multiple=True, help="Only this collection. Repeatable."),
        click.option(
            "--from",
            "published_from",
            callback=_checked_date,
            help="Only documents published since, as 2023, 2023-06 or 2023-06-14.",
        ),
        click.option("--to", "published_to", callback=_checked_date, help="Only documents published until."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("question", required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer object.")
@click.option("--mode", type=click.Choice(["quotes", "written"]), help="Quotes alone, or written by a language model.")
@click.option("--answer-language", callback=_checked_language, help="The language to answer in; else the question's.")
@click.option("--max-quotes", type=click.IntRange(1, 20), help="The most quotes to show.")
@click.option("--as-typed", is_flag=True, help="Take QUESTION letter by letter: mend no typo.")
@click.option("--translate", is_flag=True, help="Add machine translations of quotes in other languages.")
@filter_options
@click.pass_obj
def ask(
    settings: Settings,
    /,
    question: str,
    as_json: bool,
    mode: str | None,
    answer_language: str | None,
    max_quotes: int | None,
    as_typed: bool,
    translate: bool,
    **conditions: Any,  # noqa: ANN401 - as click hands them over
) -> int:
    """Ask QUESTION; exit code 1 if the sources don't answer it. "-" reads it from standard input."""
    from assistant.answer.question import clean_question
    from assistant.remote_assistant import open_assistant
    from assistant.terminal import print_answer
    from assistant.types import AskOptions, finished

    question = _read(question)
    clean_question(question)  # report invalid options before loading an assistant
    options = AskOptions(
        mode=mode,  # type: ignore[arg-type]  # click has checked it
        answer_language=answer_language,
        filter=_filter(conditions),
        max_quotes=max_quotes or settings.max_quotes,
        translate=translate,
        as_typed=as_typed,
    )
    with open_assistant(settings) as assistant:
        if as_json:
            answer = finished(assistant.ask(question, (), options))
            click.echo(answer.to_json(indent=2))
        else:
            answer = print_answer(assistant.ask(question, (), options))
    return 0 if answer.answered else 1


@click.command()
@click.argument("question", required=True)
@click.option("--json", "as_json", is_flag=True, help="Print hits as JSON.")
@click.option("-k", "count", type=click.IntRange(1, 1000), default=10, show_default=True, help="The most hits.")
@filter_options
@click.pass_obj
def search(settings: Settings, /, question: str, as_json: bool, count: int, **conditions: Any) -> int:  # noqa: ANN401
    """Find the passages nearest to QUESTION; exit code 1 if there is none."""
    from store.library import Library

    with Library.open(settings, read_only=True) as library:
        found = library.search(_read(question), count, _filter(conditions))
    if as_json:
        click.echo(json.dumps(_hits(found), ensure_ascii=False, indent=2))
    else:
        for hit in found.hits:
            click.echo(f"{hit.rank:>3}  {hit.score:.3f}  {hit.document.title} [{hit.passage.language}]")
            click.echo(f"     {' '.join(hit.text.split())[:300]}")
    return 0 if found.hits else 1


def _read(question: str) -> str:
    return sys.stdin.read() if question == "-" else question


def _filter(conditions: dict[str, Any]) -> Filter:
    from store.types import Filter

    return Filter(
        documents=tuple(conditions["documents"]),
        speakers=tuple(conditions["speakers"]),
        languages=tuple(conditions["languages"]),
        published_from=conditions["published_from"],
        published_to=conditions["published_to"],
        collections=tuple(conditions["collections"]),
    )


def _hits(found: SearchResult) -> dict[str, object]:
    return {
        "query": found.query,
        "language": found.language,
        "hits": [
            {
                "rank": hit.rank,
                "score": hit.score,
                "document_id": hit.document.id,
                "passage_id": hit.passage.id,
                "start": hit.passage.start,
                "end": hit.passage.end,
                "text": hit.text,
                "language": hit.passage.language,
            }
            for hit in found.hits
        ],
    }
