"""Bytes to text: decoded rightly, or refused."""

from ingest.encoding.decode import decode
from ingest.encoding.decoded import Decoded

__all__ = ["Decoded", "decode"]
