"""Which of Gradio's addresses are open: those that its page needs. The others serve files, proxies and tools."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from store.errors import NotFoundError

_READ = ("GET", "HEAD")
_PAGES = frozenset({"/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/pwa_icon"})
_API = frozenset({"/gradio_api/startup-events", "/gradio_api/app_id", "/gradio_api/info"})
_FOLDERS = ("/assets/", "/static/", "/pwa_icon/")


def is_open(method: str, path: str) -> bool:
    """Return whether a request may reach Gradio; `path` as the router sees it, unquoted once."""
    plain = path.rstrip("/") or "/"
    return method in _READ and (plain in _PAGES | _API or (path.startswith(_FOLDERS) and not _leaves_its_folder(path)))


def _leaves_its_folder(path: str) -> bool:
    """Whether a path may name something above or beside its folder, however often it is quoted."""
    for _ in range(3):
        path = unquote(path)
    return "\\" in path or "\0" in path or "//" in path or ".." in re.split("/", path)


class OpenPaths:
    """Wraps Gradio's application; whatever its page doesn't need isn't there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise NotFoundError for a closed address."""
        if scope["type"] == "http" and not is_open(scope["method"], scope["path"]):
            raise NotFoundError("There is nothing here.", code="not_found")
        await self._app(scope, receive, send)
