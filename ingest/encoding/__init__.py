"""Bytes to text, rightly or not at all."""

from ingest.encoding.decode import decode
from ingest.encoding.decoded import Decoded

__all__ = ["Decoded", "decode"]
