"""Every format that the registry names is offered wherever documents come in."""

from __future__ import annotations

import pytest

from assistant.server.settings import PageSettings
from ingest.readers import READERS
from ingest.readers.base import Reader
from tests.conftest import ROOT


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.suffixes[0])
def test_the_page_takes_every_format_and_the_readme_names_it(reader: Reader) -> None:
    assert set(reader.suffixes) <= set(PageSettings().upload_suffixes)
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{reader.name} ({', '.join(f'`{suffix}`' for suffix in reader.suffixes)})" in readme
