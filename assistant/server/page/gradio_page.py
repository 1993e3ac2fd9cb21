"""Contain everything that only Gradio needs: its page, and the closing of its other addresses."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.routing import Mount

from assistant.server.auth.route_guard import RequireRight
from assistant.server.page_settings import TITLE
from store.errors import NotFoundError

if TYPE_CHECKING:
    import gradio
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from assistant.server.page_settings import PageSettings

STATIC = Path(__file__).parent / "static"
_SECONDS_BETWEEN_LOOKS = 60.0
"""Nothing enters Gradio's queue."""
_STYLES = ("page", "library", "sizes")
"""In the order in which they override each other."""
_MOUNT = """
import(new URL('attest/static/page.js', document.baseURI).href).then(page => page.mount(element));
"""
_READ = ("GET", "HEAD")
_PAGES = frozenset({"/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/pwa_icon"})
_API = frozenset({"/gradio_api/startup-events", "/gradio_api/app_id", "/gradio_api/info"})
_FOLDERS = ("/assets/", "/static/", "/pwa_icon/")


def mount_page(app: FastAPI, settings: PageSettings) -> None:
    """Mount the page at the root of `app`. Call it last, because it takes all remaining addresses."""
    # No analytics, no version check, no external files: set before Gradio is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio

    page = _page()
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
    # It would look for questions a thousand times a second, which takes three percent of a processor.
    page._queue.sleep_when_free = _SECONDS_BETWEEN_LOOKS
    page._queue.progress_update_sleep_when_free = _SECONDS_BETWEEN_LOOKS
    mounted.app = RequireRight(OpenPaths(mounted.app), "ask")


def _page() -> gradio.Blocks:
    """Return one component that is the page; its requests use our own routes."""
    import gradio

    page: gradio.Blocks
    with gradio.Blocks(analytics_enabled=False, title=TITLE, fill_width=True) as page:
        gradio.HTML(
            value={},
            html_template=(STATIC / "shell.html").read_text(encoding="utf-8"),
            js_on_load=_MOUNT,
            apply_default_css=False,
            elem_id="attest-page",
        )
    return page


def is_open(method: str, path: str) -> bool:
    """Return whether a request may reach Gradio; `path` as the router sees it, unquoted once.

    Only what the page needs is open. Gradio's other addresses serve files, proxies and tools.
    """
    plain = path.rstrip("/") or "/"
    return method in _READ and (plain in _PAGES | _API or (path.startswith(_FOLDERS) and not _leaves_its_folder(path)))


def _leaves_its_folder(path: str) -> bool:
    """Return whether a path may name something outside its folder, however often it is quoted."""
    for _ in range(3):
        path = unquote(path)
    return "\\" in path or "\0" in path or "//" in path or ".." in re.split("/", path)


class OpenPaths:
    """Wraps Gradio's application and hides everything that its page doesn't need."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise NotFoundError for a closed address."""
        if scope["type"] == "http" and not is_open(scope["method"], scope["path"]):
            raise NotFoundError("There is nothing here.", code="not_found")
        await self._app(scope, receive, send)
