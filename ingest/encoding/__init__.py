"""Decode bytes to text correctly, or refuse them."""

from ingest.encoding.decode import decode
from ingest.encoding.decoded import Decoded

__all__ = ["Decoded", "decode"]
