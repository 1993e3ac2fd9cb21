"""The word lists by which names are told from other capitalized words, and Thai ones from other Thai words."""

from __future__ import annotations

from pathlib import Path

import yaml

LISTS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8")).items()
}
