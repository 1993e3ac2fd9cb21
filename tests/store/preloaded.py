"""Import slow modules that start no thread, once in the server from which tests' processes are forked."""

from __future__ import annotations

import chromadb
import tantivy

import store.library
import store.search.engine
from store.text.dates import date_terms

date_terms("1 June 2023")  # reads the names of months in all languages

__all__ = ["chromadb", "store", "tantivy"]
