"""`attest users`: manage who may sign in, and with which right. Changes take effect at once, also in a running server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.accounts.account import Account
    from assistant.accounts.register import Register
    from store.settings import Settings

_RIGHTS = click.Choice(["ask", "add", "administer"])
_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, its first line.")

_collection = click.option(
    "--collection", "collections", multiple=True, help="See only this collection's documents. Repeatable."
)


@click.group()
def users() -> None:
    """Say who may sign in to the page, and what for."""


@users.command()
@click.argument("name")
@click.option("--right", type=_RIGHTS, default="ask", show_default=True, help="Each includes those before it.")
@click.option(
    "--no-password", is_flag=True, help="Only a reverse proxy lets this one in (see the setting user_header)."
)
@_collection
@_stdin
@click.pass_obj
def add(
    settings: Settings,
    /,
    name: str,
    right: str,
    collections: tuple[str, ...],
    no_password: bool,
    password_stdin: bool,
) -> None:
    """Let NAME sign in. The password is asked for."""
    from assistant.accounts.account import check_reach, checked_name

    plain = checked_name(name)
    with _register(settings) as register:
        was_first = register.is_empty()
        _refuse_known(register, plain)
        check_reach(right, collections or None)  # type: ignore[arg-type] # click has checked it
        password = None if no_password else _password(plain, from_stdin=password_stdin)
        added = register.add(plain, password, right, collections or None)  # type: ignore[arg-type]
    click.echo(f"Added {_described(added)}.")
    if was_first:
        click.echo("From now on the page asks everyone to sign in.", err=True)


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_users(settings: Settings, /, as_json: bool) -> None:
    """List who may sign in."""
    with _register(settings) as register:
        found = register.all()
    if as_json:
        click.echo(json.dumps({"users": [_listed(account) for account in found]}, ensure_ascii=False, indent=2))
        return
    for account in found:
        click.echo(_described(account))
    if not found:
        click.echo("There are no accounts; let somebody in with `attest users add NAME`.", err=True)


@users.command()
@click.argument("name")
@_stdin
@click.pass_obj
def password(settings: Settings, /, name: str, password_stdin: bool) -> None:
    """Give NAME another password. All their sessions end."""
    with _register(settings) as register:
        account = register.account(name)
        register.set_password(name, _password(account.name, from_stdin=password_stdin))
    click.echo(f"{account.name} has another password, and must sign in again everywhere.")


@users.command()
@click.argument("name")
@click.option("--right", type=_RIGHTS, help="Each includes those before it.")
@_collection
@click.option("--all-collections", is_flag=True, help="From now on all collections.")
@click.pass_obj
def change(
    settings: Settings, /, name: str, right: str | None, collections: tuple[str, ...], all_collections: bool
) -> None:
    """Give NAME another right or other collections, at once."""
    if right is None and not collections and not all_collections:
        raise click.UsageError("Say what changes: --right, --collection or --all-collections")
    if collections and all_collections:
        raise click.UsageError("--collection and --all-collections don't go together")
    with _register(settings) as register:
        changed = register.change(name, right, collections or None, everything=all_collections)  # type: ignore[arg-type]
    click.echo(f"Changed {_described(changed)}.")


@users.command()
@click.argument("name")
@click.option("--conversations", "with_conversations", is_flag=True, help="Also delete what NAME asked.")
@click.pass_obj
def remove(settings: Settings, /, name: str, with_conversations: bool) -> None:
    """Remove NAME. All their sessions end. Their conversations stay, but nobody can see them; see --conversations."""
    with _register(settings) as register:
        removed = register.remove(name)
        was_last = register.is_empty()
    if with_conversations:
        _forget(settings, removed)
    click.echo(f"Removed {removed.name}.")
    if was_last:
        click.echo("That was the last account: a page on the loopback now asks nobody to sign in.", err=True)


def _forget(settings: Settings, account: Account) -> None:
    from assistant.accounts.account import owner_of_account
    from store.catalog.catalog import FILE
    from store.catalog.conversations import Conversations
    from store.catalog.engine import location

    where = location(settings, FILE)
    if not isinstance(where, Path) or where.exists():
        with closing(Conversations.open(where)) as conversations:
            conversations.delete_all(owner_of_account(account))


@contextmanager
def _register(settings: Settings) -> Iterator[Register]:
    from assistant.accounts.sign_in import Accounts, accounts_location

    with closing(Accounts.open(accounts_location(settings))) as accounts:
        yield accounts.register


def _refuse_known(register: Register, name: str) -> None:
    """Refuse a known name before the password is typed twice."""
    from store.errors import RequestError

    if (known := register.find(name)) is not None:
        raise RequestError(
            f"There is an account named {known.name} already; "
            "`attest users change` and `attest users password` change it."
        )


def _password(name: str, *, from_stdin: bool) -> str:
    from assistant.accounts.account import checked_password

    if from_stdin:
        return checked_password(sys.stdin.readline().rstrip("\r\n"), name)
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password: give it with --password-stdin")
    given: str = click.prompt(
        f"Password for {name}",
        hide_input=True,
        confirmation_prompt="Once more",
        err=True,
        value_proc=lambda typed: checked_password(typed, name),
    )
    return given


def _described(account: Account) -> str:
    may = {"ask": "may ask", "add": "may ask and add documents", "administer": "may do everything"}[account.right]
    how = "" if account.has_password else ", let in by a proxy only"
    where = ""
    if account.collections is not None:
        where = f", in {', '.join(name or 'documents without a collection' for name in account.collections)} only"
    return f"{account.name}, who {may}{where}{how}"


def _listed(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "right": account.right,
        "collections": account.collections,
        "password": account.has_password,
        "created": account.created,
    }
