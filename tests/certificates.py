"""Make certificates for tests with OpenSSL: an authority, and a server certified by it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificates:
    """Files in PEM."""

    authority: Path
    certificate: Path
    """Of the server at 127.0.0.1 and localhost."""
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Make an authority and a server's certificate in an empty folder. Skips where there is no OpenSSL."""
        if shutil.which("openssl") is None:
            pytest.skip("There is no `openssl` here.")
        made = cls(folder / "authority.pem", folder / "server.pem", folder / "server.key")
        own = folder / "authority.key"
        _request("-keyout", own, "-out", made.authority, "-subj", f"/CN=An authority of tests in {folder.name}")
        _request(
            *("-keyout", made.key, "-out", made.certificate, "-subj", "/CN=localhost", "-CA", made.authority),
            *("-CAkey", own, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
        )
        return made


def _request(*options: str | Path) -> None:
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *_NEW_KEY, *options], check=True, capture_output=True)
