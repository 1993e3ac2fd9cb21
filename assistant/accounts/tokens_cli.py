"""`attest tokens`: manage which programs may ask for whom. Changes take effect at once, also in a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.accounts.account import Right
    from assistant.accounts.sign_in import Accounts
    from assistant.accounts.tokens import Token
    from store.settings import Settings


@click.group()
def tokens() -> None:
    """Give programs tokens with which they ask in somebody's name."""


@tokens.command()
@click.argument("name")
@click.option(
    "--right",
    type=click.Choice(["ask", "add", "administer"]),
    default="ask",
    show_default=True,
    help="Each includes those before it; never more than NAME has.",
)
@click.option("--collection", "collections", multiple=True, help="Reach only this collection. Repeatable.")
@click.option("--until", help="The last day on which it is valid, as 2027-01-31; else until it is removed.")
@click.option("--label", default="", help="What it is for.")
@click.pass_obj
def add(
    settings: Settings, /, name: str, right: Right, collections: tuple[str, ...], until: str | None, label: str
) -> None:
    """Make a token of NAME and print it. It is shown this once."""
    with _accounts(settings) as accounts:
        account = accounts.register.account(name)
        made, secret = accounts.tokens.add(account, right, collections or None, until, label)
    click.echo(f"Keep this token now, it is not shown again: {_described(made)}.", err=True)
    click.echo(secret)


@tokens.command("list")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_tokens(settings: Settings, /, name: str | None, as_json: bool) -> None:
    """List the tokens, or those of NAME."""
    with _accounts(settings) as accounts:
        found = accounts.tokens.all(None if name is None else accounts.register.account(name))
    if as_json:
        click.echo(json.dumps({"tokens": [asdict(token) for token in found]}, ensure_ascii=False, indent=2))
        return
    for token in found:
        click.echo(_described(token))
    if not found:
        click.echo("There are no tokens; make one with `attest tokens add NAME`.", err=True)


@tokens.command()
@click.argument("token_id", metavar="ID")
@click.pass_obj
def remove(settings: Settings, /, token_id: str) -> None:
    """Make the token ID invalid, at once. `attest tokens list` names the ids."""
    with _accounts(settings) as accounts:
        removed = accounts.tokens.remove(token_id)
    click.echo(f"Removed {removed.id} of {removed.name}.")


@contextmanager
def _accounts(settings: Settings) -> Iterator[Accounts]:
    from assistant.accounts.sign_in import Accounts, accounts_location

    with closing(Accounts.open(accounts_location(settings))) as accounts:
        yield accounts


def _described(token: Token) -> str:
    label = f" ({token.label})" if token.label else ""
    where = "" if token.collections is None else f" in {', '.join(token.collections)}"
    ends = f", until {token.ends}" if token.ends else ""
    used = f", last used {token.used}" if token.used else ", never used"
    return f"{token.id} of {token.name}{label}: {token.right}{where}{ends}{used}"
