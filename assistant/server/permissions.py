"""Which right each address needs. What isn't named here is for those who administer, so that nothing is open by oversight."""

from __future__ import annotations

import re

from assistant.accounts.account import Right

_READ = ("GET", "HEAD")
_ID = r"[^/]+"

_NEEDED: tuple[tuple[Right, tuple[str, ...], str], ...] = (
    ("ask", _READ, r"/attest/static/.*"),
    ("ask", (*_READ, "POST"), r"/attest/password"),
    ("ask", _READ, r"/attest/(start|examples|conversations)"),
    ("ask", (*_READ, "PATCH", "DELETE"), rf"/attest/conversations/{_ID}"),
    ("ask", _READ, rf"/attest/conversations/{_ID}/export"),
    ("ask", ("POST",), rf"/attest/conversations/{_ID}/branch"),
    ("ask", _READ, rf"/attest/turns/{_ID}/(source|page)/{_ID}"),
    ("ask", _READ, rf"/attest/turns/{_ID}/(found|suggestions)"),
    ("ask", ("POST",), rf"/attest/turns/{_ID}/feedback"),
    ("ask", _READ, rf"/attest/documents/{_ID}/(more|reader)"),
    ("ask", _READ, r"/attest/library/(documents|map)"),
    ("add", ("POST",), r"/attest/library/(files|address)"),
    ("add", _READ, r"/attest/library/intake"),
    ("add", ("PATCH", "DELETE"), rf"/attest/library/documents/{_ID}"),
    ("add", ("POST",), rf"/attest/library/documents/{_ID}/back"),
    # Gradio's page and the few of its endpoints that the guard leaves open.
    ("ask", _READ, r"/"),
    ("ask", _READ, r"/(assets|static)/.*"),
    ("ask", _READ, r"/(config/?|theme\.css|favicon\.ico|manifest\.json|robots\.txt|pwa_icon(/.*)?)"),
    ("ask", ("POST",), r"/gradio_api/(queue/join|cancel|reset)/?"),
    ("ask", _READ, r"/gradio_api/(queue/data|heartbeat/[^/]+|startup-events|app_id|info)/?"),
)
_COMPILED = tuple((right, methods, re.compile(path)) for right, methods, path in _NEEDED)


def needed(method: str, path: str) -> Right:
    """The right that a request needs; `path` as the router sees it, unquoted once."""
    for right, methods, pattern in _COMPILED:
        if method in methods and pattern.fullmatch(path):
            return right
    return "administer"
