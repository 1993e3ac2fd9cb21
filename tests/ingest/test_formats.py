"""Every format that the registry names is offered wherever documents come in."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from assistant.server.settings import PageSettings
from ingest.cli import ingest
from ingest.readers import READERS
from ingest.readers.base import Reader


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.suffixes[0])
def test_the_page_takes_every_format_and_the_command_names_it(reader: Reader) -> None:
    assert set(reader.suffixes) <= set(PageSettings().upload_suffixes)
    told = CliRunner().invoke(ingest, ["--help"]).output.split("Formats:")[1]
    assert re.search(rf"{reader.name} +{re.escape(' '.join(reader.suffixes))}\n", told)
