"""Puts Gradio's page into the application, behind what keeps its other addresses closed."""

from __future__ import annotations

import os

from fastapi import FastAPI
from starlette.routing import Mount

from assistant.server.auth.permissions import RequireRight
from assistant.server.page.gradio.paths import OpenPaths
from assistant.server.settings import PageSettings

_SECONDS_BETWEEN_LOOKS = 60.0
"""Nothing comes into Gradio's queue."""
_STYLES = ("page", "library", "sizes")
"""In the order in which they override each other."""


def mount_page(app: FastAPI, settings: PageSettings) -> None:
    """Mount the page at the root of `app`; call it last, since it takes every address that is left."""
    _quiet_gradio()
    import gradio

    from assistant.server.page.gradio.page import create_page

    page = create_page(settings)
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
    page._queue.progress_update_sleep_when_free = _SECONDS_BETWEEN_LOOKS
    mounted.app = RequireRight(OpenPaths(mounted.app), "ask")


def _quiet_gradio() -> None:
    """No analytics, no version check, nothing fetched from elsewhere: set before Gradio is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
