"""Puts Gradio's page into the application, behind what keeps its other addresses and its sessions closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.routing import Mount

from assistant.accounts.account import Visitor
from assistant.server.auth.permissions import RequireRight
from assistant.server.page.answer_stream import PageAnswers
from assistant.server.page.gradio.cleanup import QueueCleanup
from assistant.server.page.gradio.paths import OpenPaths
from assistant.server.page.gradio.sessions import OwnSessions
from assistant.server.settings import PageSettings

_SECONDS_BETWEEN_LOOKS = 0.02
"""A question waits half as long on average until Gradio's queue sees it."""
_SECONDS_BETWEEN_PROGRESS = 1.0
"""The page shows no progress of Gradio's."""
_STYLES = ("page", "library", "sizes")
"""In the order in which they override each other."""


def mount_page(
    app: FastAPI, answering: PageAnswers, settings: PageSettings, identify: Callable[[HTTPConnection], Visitor | None]
) -> None:
    """Mount the page at the root of `app`; call it last, since it takes every address that is left."""
    _quiet_gradio()
    import gradio

    from assistant.server.page.gradio.page import create_page

    page = create_page(answering, settings)
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=settings.max_upload_bytes,
        theme=gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        head="".join(f'<link rel="stylesheet" href="attest/static/{name}.css">' for name in _STYLES),
    )
    mounted = app.router.routes[-1]
    assert isinstance(mounted, Mount)  # noqa: S101 - Gradio has just put it there
    # It would look for questions a thousand times a second, which takes three hundredths of a processor.
    page._queue.sleep_when_free = _SECONDS_BETWEEN_LOOKS
    page._queue.progress_update_sleep_when_free = _SECONDS_BETWEEN_PROGRESS
    inner = QueueCleanup(mounted.app, page._queue)
    mounted.app = RequireRight(OpenPaths(OwnSessions(inner, identify)), "ask")


def _quiet_gradio() -> None:
    """No analytics, no version check, nothing fetched from elsewhere: set before Gradio is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Its queue would keep a record of 10,000 questions, and make a table of all of them after each: no page shows it.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
