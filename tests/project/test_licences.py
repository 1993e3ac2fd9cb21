"""All installed packages may be used and shared, and the list of licences matches the pinned packages."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.project.licences import ALLOWED, licensed


def test_every_licence_is_one_that_is_allowed() -> None:
    found = [each for each in licensed() if each.licence is not None]
    assert len(found) > 100
    assert {each.name: each.licence for each in found if not each.parts or each.parts - ALLOWED} == {}


FOR_A_BENCHMARK = {
    "llama-index-embeddings-huggingface",
    "narwhals",
    "scikit-learn",
    "sentence-transformers",
    "threadpoolctl",
}
"""What `make bench-speed` alone installs, to compare with."""
FOR_CLIENTS = {
    "click-default-group",
    "condense-json",
    "graphql-core",
    "harfile",
    "hypothesis-graphql",
    "jsonpatch",
    "jsonpointer",
    "jsonschema-rs",
    "langchain-core",
    "langchain-openai",
    "langchain-protocol",
    "langsmith",
    "llm",
    "puremagic",
    "pyrate-limiter",
    "python-ulid",
    "requests-toolbelt",
    "schemathesis",
    "sqlite-fts4",
    "sqlite-utils",
    "uuid-utils",
    "werkzeug",
    "xxhash",
    "zstandard",
}
"""What `make test-hard` alone installs: other programs' clients of the API."""
FOR_SERVERS = {"ray", "msgpack"}
"""What `make test-server` alone installs."""


def test_what_can_t_be_looked_into_here_is_for_other_machines() -> None:
    absent = {each.name for each in licensed() if each.licence is None}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    unmarked = {line.partition("==")[0] for line in lines if ";" not in line}
    assert absent & unmarked <= {"hf-xet", "cuda-toolkit", *FOR_A_BENCHMARK, *FOR_CLIENTS, *FOR_SERVERS}, (
        "install what is pinned: `make test` does"
    )


def test_the_list_of_licences_is_that_of_the_pins() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| ([a-z0-9.-]+) \| [^|]* \| ([^|]+) \|$", text, re.MULTILINE))
    found = {each.name: each.licence for each in licensed() if each.licence is not None}
    for heading in ("package", "---"):
        listed.pop(heading, None)
    assert found.items() <= listed.items(), "run `make licences`"
    assert listed.keys() - {each.name for each in licensed()} == set(), "run `make licences`"
