"""After any additions, changes and removals, a library in PostgreSQL has the same content and answers as one in SQLite."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.library_cli import doctor
from store.library import Library
from store.settings import load_settings
from store.types import Filter, ParsedDocument
from tests.postgresql import PostgresServer
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, parsed
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

TEXTS = [text for texts in SCRIPTS.values() for text in texts]
Step = Callable[[Library], object]


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    made = parsed(
        draw(st.sampled_from(["a.txt", "ข.txt", "đ.txt", "👩‍👩‍👧‍👦.txt"])),
        *draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4)),
        language=draw(st.sampled_from(["en", "th", "vi", "ar", "zh", "und"])),
        title=draw(st.sampled_from(["A title", "หัวข้อ"])),
        speaker=draw(st.sampled_from([None, "UN", "สมชาย"])),
        published=draw(st.sampled_from([None, "2023", "2023-06-14"])),
    )
    return replace(made, document=replace(made.document, collection=draw(st.sampled_from(["", "law"]))))


def _added(batch: list[ParsedDocument]) -> Step:
    return lambda library: add(library, *batch)


def _removed(number: int) -> Step:
    def remove(library: Library) -> str | None:
        held = library.documents().documents
        return library.remove(held[number % len(held)].id).uri if held else None

    return remove


def _rebuilt() -> Step:
    def rebuild(library: Library) -> None:
        if library.statistics().passages:
            library.rebuild()

    return rebuild


STEPS = st.one_of(
    st.lists(documents(), min_size=1, max_size=3).map(_added),
    st.integers(0, 10).map(_removed),
    st.just(_rebuilt()),
)
FILTERS = [
    Filter(),
    Filter(languages=("th", "vi")),
    Filter(speakers=("UN",), published_from="2023-02"),
    Filter(collections=("law",), published_to="2023"),
]


def _said(library: Library) -> Any:
    """What a library says of itself, and all that searches find: as a set, since near ties may swap."""
    found = {}
    for number, text in enumerate(TEXTS):
        where = FILTERS[number % len(FILTERS)]
        for hit in library.search(text, 100, where).hits:
            found[number, hit.passage.id] = (hit.text, hit.document, round(hit.dense, 3), round(hit.keyword, 3))
    facts = [library.documents(where=where).documents for where in FILTERS]
    return found, facts, library.statistics(), library.statistics(["law"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=2, max_size=8))
def test_any_changes_leave_the_same_library_on_both(postgresql: PostgresServer, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        base = load_settings(Path(name) / "sqlite")
        there = in_postgresql(base, postgresql.new_database(), Path(name), home=Path(name) / "postgresql")
        one, other = (
            stack.enter_context(Library.open(each, embedder=HashingEmbedder(dimensions=16))) for each in (base, there)
        )
        for step in steps:
            assert step(one) == step(other)
        assert contents(one) == contents(other)
        if one.statistics().passages:
            for library in (one, other):
                library.rebuild()
            _assert_near(_said(one), _said(other))


def _assert_near(one: Any, other: Any) -> None:
    assert one[1:] == other[1:]
    assert one[0].keys() == other[0].keys()
    for key, (text, document, *scores) in one[0].items():
        assert other[0][key][:2] == (text, document)
        assert list(other[0][key][2:]) == pytest.approx(scores, abs=0.01)


def test_doctor_names_the_database_and_not_its_password(
    postgresql: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.new_database()
    for opened in (
        in_postgresql(load_settings(tmp_path / "home"), url, tmp_path),
        load_settings(tmp_path / "home").model_copy(
            update={"database_url": url.set(drivername="postgresql").render_as_string(hide_password=False)}
        ),
    ):
        monkeypatch.setattr("store.ownership.ownership.Ownership._load_embedder", lambda _: HashingEmbedder())
        for arguments in ([], ["--json"]):
            ran = CliRunner().invoke(doctor, arguments, obj=opened, catch_exceptions=False)
            assert ran.exit_code == 0
            assert f"{url.database} at {url.host}" in ran.output
            assert str(url.password) not in ran.output
            assert "differently" not in ran.output
