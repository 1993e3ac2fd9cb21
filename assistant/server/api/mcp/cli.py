"""`attest mcp`: run the MCP server over standard input and output, for hosts that start it themselves."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from store.settings import Settings


@click.command()
@click.pass_obj
def mcp(settings: Settings, /) -> None:
    """Serve one program that speaks MCP, over standard input and output, until it goes away.

    A host's configuration names it as a command: `attest` with the argument `mcp`.
    """
    from assistant.build import build_assistant
    from assistant.server.api.mcp.server import create_server
    from assistant.server.auth.authentication import LIBRARY_OWNER
    from assistant.server.services import services_of_command
    from store.catalog.catalog import FILE
    from store.catalog.conversations import Conversations
    from store.catalog.engine import location

    with (
        build_assistant(settings, read_only=True) as assistant,
        closing(Conversations.open(location(settings, FILE))) as conversations,
    ):
        services = services_of_command(assistant, conversations)
        create_server(services, lambda _: LIBRARY_OWNER).run("stdio")
