"""Read suites from files: Attest's own in YAML, JSONL and CSV, SQuAD's JSON, BEIR's folders, and those of other tools.

`load` recognizes them by their content, not by their names.
"""

from evals.formats.load import load, load_all
from evals.formats.suite import Folder, SourceText, Suite, Texts

__all__ = ["Folder", "SourceText", "Suite", "Texts", "load", "load_all"]
