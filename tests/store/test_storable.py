"""Both kinds of database refuse NUL, which PostgreSQL's text lacks, and halves of surrogate pairs, which have no UTF-8."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant.accounts.database import Database as AccountsDatabase
from assistant.accounts.register import Register
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.derived_texts import note, noted
from store.errors import AttestError, RequestError
from store.library import Library
from store.library_view import View
from store.settings import load_settings
from store.types import Filter, ParsedDocument
from tests.postgresql import PostgresServer
from tests.store.building import HashingEmbedder, add, parsed
from tests.store.whole_library import in_postgresql

HOSTILE = ["'; DROP TABLE documents; --", '" OR 1=1', "%s%(id)s", ":id", "\\", "{id}", "$1", "_%"]
NAUGHTY = st.lists(st.sampled_from([*"aก\0\ud800\udfff\uffff\n👩‍", *HOSTILE]), min_size=1, max_size=4).map("".join)


@dataclass(frozen=True)
class Place:
    library: Library
    conversations: Conversations
    register: Register


@pytest.fixture(scope="module")
def places(postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Place]]:
    folder = tmp_path_factory.mktemp("both")
    base = load_settings(folder / "sqlite")
    url = postgresql.new_database()
    there = in_postgresql(base, url, folder, home=folder / "postgresql")
    with ExitStack() as stack:
        made = []
        for kept, where in ((base, base.home), (there, url)):
            library = stack.enter_context(Library.open(kept, embedder=HashingEmbedder()))
            add(library, parsed("forum", "The forum opened in Beijing.", id="forum"))
            catalog = base.home / FILE if where is base.home else url
            made.append(
                Place(
                    library,
                    stack.enter_context(closing(Conversations.open(catalog))),
                    Register(stack.enter_context(closing(AccountsDatabase.open(where)))),
                )
            )
        yield made[0], made[1]


def _add_document(place: Place, text: str, field: str) -> object:
    made = parsed("b", "Words.")
    if field == "text":
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        made = ParsedDocument(replace(made.document, text_sha256=digest, passage_count=0), text, (), 1)
    elif field == "language of a passage":
        made = replace(made, passages=(replace(made.passages[0], language=text),))
    else:
        changed: dict[str, Any] = {field: text}
        made = replace(made, document=replace(made.document, **changed))
    (result,) = place.library.add_many([made])
    kept = place.library.document(result.document.id)
    place.library.remove(kept.id)
    return kept, result.outcome


def _talk(place: Place, text: str) -> object:
    started = place.conversations.start("Lan", text)
    turn = place.conversations.ask(started.id, None, text, "{}")
    place.conversations.close_turn(turn.id, "finished", text)
    place.conversations.give_feedback(turn.id, "good", comment=text)
    kept = place.conversations.turn(turn.id)
    place.conversations.delete(started.id)
    return started.title, kept.question, kept.answer


def _noted(place: Place, text: str) -> object:
    note(place.library, "n", text, 0)
    found = noted(place.library, "n")
    return found and found.text


STEPS: dict[str, Callable[[Place, str], object]] = {
    **{
        f"a document's {field}": lambda place, text, field=field: _add_document(place, text, field)  # type: ignore[misc]
        for field in (
            "text",
            "title",
            "uri",
            "speaker",
            "collection",
            "language",
            "media_type",
            "language of a passage",
        )
    },
    "a conversation": _talk,
    "a note": _noted,
    "looking up a document": lambda place, text: place.library.document(text),
    "looking up an address": lambda place, text: place.library.find_document(text),
    "looking up a conversation": lambda place, text: place.conversations.conversation(text),
    "searching conversations": lambda place, text: place.conversations.of("Lan", text),
    "an account": lambda place, text: place.register.add(text, "three old bells ring").name,
    "finding an account": lambda place, text: place.register.find(text),
    "a filter": lambda place, text: place.library.search("forum", 3, Filter(speakers=(text,))).hits,
    "a filter of languages": lambda place, text: place.library.search("forum", 3, Filter(languages=(text,))).hits,
    "listing": lambda place, text: place.library.documents(where=Filter(collections=(text,))).documents,
    "a page of the list": lambda place, text: place.library.documents(after=text).documents,
    "a question": lambda place, text: [hit.passage.id for hit in place.library.search(text, 3).hits],
    "spellings": lambda place, text: place.library.spellings([text]),
}


def _outcome(place: Place, step: str, text: str) -> Any:
    try:
        return STEPS[step](place, text)
    except AttestError as error:
        return type(error).__name__, str(error)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(STEPS)), NAUGHTY)
@example("a conversation", "\0")
@example("a document's title", "a\0b")
@example("a document's uri", "\ud800")
@example("a filter", "a\0b")
@example("looking up a document", "a\0")
@example("looking up an address", "\ud800")
@example("a page of the list", "\0")
@example("a question", "a\0b")
@example("a question", "forum \ud800")
@example("spellings", "a\0")
@example("spellings", "\ud800")
@example("searching conversations", "\ud800")
@example("finding an account", "\ud800")
def test_both_take_the_same_text_and_refuse_the_same(places: tuple[Place, Place], step: str, text: str) -> None:
    one, other = (_outcome(place, step, text) for place in places)
    assert one == other


@pytest.mark.parametrize("step", sorted(set(STEPS) - {"a question", "spellings", "searching conversations"}))
@pytest.mark.parametrize("character", ["\0", "\ud800", "\udfff"])
def test_what_can_t_be_stored_is_refused_by_name(places: tuple[Place, Place], step: str, character: str) -> None:
    for place in places:
        with pytest.raises(RequestError) as raised:
            STEPS[step](place, f"a{character}b")
        assert f"U+{ord(character):04X}" in str(raised.value) or repr(character) in str(raised.value)
        str(raised.value).encode()


def test_who_may_see_no_collection_finds_nothing(places: tuple[Place, Place]) -> None:
    for place in places:
        view = View(place.library, ())
        assert view.search("forum").hits == ()
        assert view.documents().documents == ()
        assert view.statistics().documents == 0
