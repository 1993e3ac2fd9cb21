"""Encode a file as a browser's form sends it."""

from __future__ import annotations

import secrets


def form_with_file(name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the body of a form whose field ``file`` is a file, and its headers (RFC 7578)."""
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
