"""A library keeps whole documents and exact texts, embeds nothing twice, and finds nothing after its removal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.catalog.packing import BLOCK, text_sha256
from store.errors import EmbedderMismatchError, LibraryError, NotFoundError, QuestionError, RequestError
from store.library import Library
from store.types import Chunk, Filter, ParsedDocument, Span
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, found, many, parsed

GOOD = parsed("a.txt", "The forum opened.")


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def library(tmp_path: Path, embedder: HashingEmbedder) -> Iterator[Library]:
    with Library.open(tmp_path / "home", embedder=embedder) as library:
        yield library


def test_a_document_is_found_by_its_words_in_every_script(library: Library) -> None:
    add(library, *(parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()))
    for texts in SCRIPTS.values():
        for text in texts:
            assert found(library, text, 1) == [text]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from([words for texts in SCRIPTS.values() for words in texts])
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        min_size=1,
        max_size=12,
    ),
    repeats=st.integers(1, 80),
    bounds=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_any_text_comes_back_whole_and_in_part(
    library: Library, pieces: list[str], repeats: int, bounds: tuple[float, float]
) -> None:
    text = "\n".join(pieces * repeats)
    whole = parsed("any", text)
    (result,) = library.add_many([replace(whole, text=text)])
    key = result.document.id
    assert library.text(key) == text
    start, end = (int(bound * len(text)) for bound in bounds)
    assert library.text(key, start, end) == text[start:end]
    assert library.text(key, start) == text[start:]
    assert text_sha256(library.text(key)) == result.document.text_sha256
    (passage,) = library.passages(key)
    with library.snapshot() as snapshot:
        stored = snapshot.stored_passages([passage.id])[passage.id]
    assert stored.text == text[passage.start : passage.end]


def test_passages_and_sentences_keep_their_offsets(library: Library) -> None:
    given = parsed("x", "One. Two.", "สาม. สี่.", heading="Numbers", published="2023-06", speaker="UN", title="T")
    (result,) = library.add_many([given])
    kept = library.passages(result.document.id)
    wanted = [(n, p.start, p.end, p.language, p.sentences, p.heading) for n, p in enumerate(given.passages)]
    assert [(p.ordinal, p.start, p.end, p.language, p.sentences, p.heading) for p in kept] == wanted
    assert library.document(result.document.id) == given.document
    assert {passage.document_id for passage in kept} == {given.document.id}


def test_the_same_file_twice_changes_nothing(library: Library, embedder: HashingEmbedder) -> None:
    document = parsed("a.txt", "The forum opened.", "It closed.")
    assert add(library, document) == ["added"]
    before = contents(library)
    assert add(library, document) == ["unchanged"]
    assert contents(library) == before
    assert embedder.embedded == 2


def test_one_ingest_may_name_the_same_file_twice(library: Library) -> None:
    first, second = parsed("a.txt", "Version one."), parsed("a.txt", "Version two.")
    assert add(library, first, second, second) == ["added", "updated", "unchanged"]
    assert found(library, "Version one.", 10) == ["Version two."]


def test_an_edited_file_replaces_its_passages_and_keeps_its_id(library: Library, embedder: HashingEmbedder) -> None:
    add(library, parsed("a.txt", "The forum opened.", "Nobody came."))
    former = library.find_document("a.txt")
    assert add(library, parsed("a.txt", "The forum opened.", "Everybody came.", id="other")) == ["updated"]
    now = library.find_document("a.txt")
    assert former is not None
    assert now is not None
    assert now.id == former.id
    assert sorted(found(library, "Nobody came.", 10)) == ["Everybody came.", "The forum opened."]
    assert embedder.embedded == 3, "the unchanged paragraph was embedded again"
    assert len(contents(library)["vectors"]) == 2  # type: ignore[arg-type]


def test_a_renamed_file_is_not_embedded_twice(library: Library, embedder: HashingEmbedder) -> None:
    add(library, parsed("old.txt", "The forum opened.", "It closed."))
    add(library, parsed("new.txt", "The forum opened.", "It closed."))
    old = library.find_document("old.txt")
    assert old is not None
    library.remove(old.id)
    assert embedder.embedded == 2
    assert [hit.document.uri for hit in library.search("The forum opened.").hits] == ["new.txt", "new.txt"]


def test_other_metadata_is_taken_over_without_embedding(library: Library, embedder: HashingEmbedder) -> None:
    add(library, parsed("a.txt", "The forum opened."))
    renamed = parsed("a.txt", "The forum opened.", title="Forum", speaker="UN", published="2023")
    assert add(library, renamed) == ["updated"]
    assert embedder.embedded == 1
    for where in (Filter(speakers=("UN",)), Filter(published_from="2023-05", published_to="2023-06")):
        assert [hit.document.title for hit in library.search("forum", where=where).hits] == ["Forum"]
    assert not library.search("forum", where=Filter(speakers=("Nobody",))).hits


def test_other_cuts_of_the_same_text_replace_the_passages(library: Library, embedder: HashingEmbedder) -> None:
    add(library, parsed("a.txt", "One. Two.", "Three."))
    whole = parsed("a.txt", "One. Two.\nThree.")
    assert add(library, whole) == ["updated"]
    assert found(library, "Two", 10) == ["One. Two.\nThree."]


def test_a_newer_normalization_that_changes_nothing_is_only_noted(library: Library) -> None:
    document = parsed("a.txt", "The forum opened.")
    add(library, document)
    sha = document.document.original_sha256
    assert library.is_current("a.txt", sha, 1)
    assert not library.is_current("a.txt", sha, 2)
    assert add(library, replace(document, normalization=2)) == ["unchanged"]
    assert library.is_current("a.txt", sha, 2)
    assert not library.is_current("a.txt", "0" * 64, 2)
    assert not library.is_current("b.txt", sha, 2)


def test_a_removed_document_is_never_found_again(library: Library, tmp_path: Path, embedder: HashingEmbedder) -> None:
    add(library, parsed("a", "The forum opened."), parsed("b", "The forum closed."))
    document = library.find_document("a")
    assert document is not None
    assert library.remove(document.id) == document
    for check in (library.document, library.text, library.passages, library.remove):
        with pytest.raises(NotFoundError, match=document.id):
            check(document.id)
    assert found(library, "The forum opened.", 10) == ["The forum closed."]
    held = contents(library)
    assert len(held["rows"]) == len(held["vectors"]) == len(held["keywords"]) == 1  # type: ignore[arg-type]
    library.close()
    with Library.open(tmp_path / "home", embedder=embedder) as again:
        assert found(again, "The forum opened.", 10) == ["The forum closed."]
        assert again.statistics().documents == 1


def test_removing_leaves_the_catalog_as_if_it_had_never_been_there(library: Library) -> None:
    add(library, *many(5))
    before = contents(library)
    add(library, parsed("x", "ข้อความหนึ่ง", "Another text.", language="th"))
    document = library.find_document("x")
    assert document is not None
    library.remove(document.id)
    assert contents(library) == before


def test_two_documents_that_ask_for_one_id_get_two(library: Library) -> None:
    add(library, parsed("a", "One.", id="same"), parsed("b", "Two.", id="same"), parsed("c", "Three.", id="same"))
    ids = [document.id for document in library.documents().documents]
    assert len(set(ids)) == 3
    assert "same" in ids


def test_boilerplate_is_embedded_once(library: Library, embedder: HashingEmbedder) -> None:
    add(library, *(parsed(f"{number}", "All rights reserved.") for number in range(20)))
    assert embedder.embedded == 1
    assert len(library.search("All rights reserved.", 50).hits) == 20


def test_a_heading_is_part_of_what_is_embedded(library: Library, embedder: HashingEmbedder) -> None:
    add(library, parsed("a", "Same words.", heading="First"), parsed("b", "Same words.", heading="Second"))
    assert embedder.embedded == 2


def test_documents_are_listed_in_pages(library: Library) -> None:
    add(library, *many(7, passages=1), parsed("zz", "เก้า", language="th", speaker="UN", published="2023-06-14"))
    uris: list[str] = []
    after = None
    while True:
        page = library.documents(after, limit=3)
        uris += [document.uri for document in page.documents]
        after = page.next
        if after is None:
            break
        assert len(page.documents) == 3
    assert uris == sorted(uris)
    assert len(uris) == 8
    for where in (
        Filter(languages=("th",)),
        Filter(speakers=("UN", "EU")),
        Filter(published_from="2023", published_to="2023-06"),
        Filter(documents=(page.documents[-1].id,)),
    ):
        assert [document.uri for document in library.documents(where=where).documents] == ["zz"]
    assert not library.documents(where=Filter(published_to="2022")).documents


def test_filters_reach_the_search(library: Library) -> None:
    add(
        library,
        parsed("a", "The forum opened.", speaker="UN", published="2021"),
        parsed("b", "The forum opened.", speaker="EU", published="2023-06-14"),
        parsed("c", "The forum opened.", language="vi"),
    )
    by_uri = {document.uri: document.id for document in library.documents().documents}
    for where, uris in (
        (Filter(), {"a", "b", "c"}),
        (Filter(speakers=("UN",)), {"a"}),
        (Filter(speakers=("UN", "EU")), {"a", "b"}),
        (Filter(languages=("vi",)), {"c"}),
        (Filter(documents=(by_uri["b"], by_uri["c"])), {"b", "c"}),
        (Filter(published_from="2022"), {"b"}),
        (Filter(published_to="2023"), {"a", "b"}),
        (Filter(published_from="2021-05", published_to="2021-06"), {"a"}),
        (Filter(speakers=("UN",), published_from="2022"), set()),
    ):
        assert {hit.document.uri for hit in library.search("forum", 10, where).hits} == uris


def test_progress_counts_every_passage_up_to_all_of_them(library: Library) -> None:
    calls: list[tuple[int, int]] = []
    list(library.add_many(many(120, passages=5), lambda done, known: calls.append((done, known))))
    assert calls[-1] == (600, 600)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert all(done <= known for done, known in calls)


def test_statistics_count_what_is_there(library: Library) -> None:
    add(library, *many(3), parsed("t", "ก", "ข", language="th", speaker="UN"))
    counts = library.statistics()
    assert (counts.documents, counts.passages, counts.languages, counts.speakers) == (
        4,
        11,
        {"en": 9, "th": 2},
        {"UN": 1},
    )
    assert counts.characters == sum(len(library.text(d.id)) for d in library.documents().documents)


def test_an_empty_library_answers_with_nothing(library: Library) -> None:
    assert library.search("anything").hits == ()
    assert library.statistics().documents == 0
    library.rebuild()
    assert library.search("anything").hits == ()


def test_a_blank_question_is_refused(library: Library) -> None:
    with pytest.raises(QuestionError, match="empty"):
        library.search(" \n")


def test_a_filter_with_a_malformed_date_is_refused(library: Library) -> None:
    add(library, GOOD)
    for where in (Filter(published_from="June"), Filter(published_to="2023-13")):
        with pytest.raises(RequestError, match="date"):
            library.search("forum", where=where)
        with pytest.raises(RequestError, match="date"):
            library.documents(where=where)


@pytest.mark.parametrize("k", [-1, 0, 1, 10**9])
def test_any_number_of_hits_may_be_asked_for(library: Library, k: int) -> None:
    add(library, *many(4))
    assert len(library.search("Finding", k).hits) == min(max(k, 1), 12)


def test_an_empty_document_is_a_document(library: Library) -> None:
    (result,) = library.add_many([parsed("empty")])
    assert result.outcome == "added"
    assert library.text(result.document.id) == ""
    assert library.passages(result.document.id) == ()
    assert library.search("anything").hits == ()
    library.remove(result.document.id)


def test_two_threads_may_add_the_same_documents(library: Library) -> None:
    documents = many(60)
    outcomes: list[str] = []
    threads = [threading.Thread(target=lambda: outcomes.extend(add(library, *documents))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added"] * 60 + ["unchanged"] * 180
    assert library.statistics().passages == len(contents(library)["keywords"]) == 180  # type: ignore[arg-type]


def _spoilt(document: ParsedDocument, **changes: object) -> ParsedDocument:
    return replace(document, document=replace(document.document, **changes))  # type: ignore[arg-type]


def _with_passage(document: ParsedDocument, **changes: object) -> ParsedDocument:
    passages: tuple[Chunk, ...] = (replace(document.passages[0], **changes),)  # type: ignore[arg-type]
    return replace(document, passages=passages)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (_spoilt(GOOD, uri=""), "uri"),
        (_spoilt(GOOD, published="last June"), "last June"),
        (_spoilt(GOOD, text_sha256="0" * 64), "text_sha256"),
        (replace(GOOD, text="\ud800"), r"text holds the character U\+D800"),
        (_with_passage(GOOD, end=500), "outside the text"),
        (_with_passage(GOOD, start=-1), "outside the text"),
        (_with_passage(GOOD, sentences=(Span(5, 90),)), "sentence"),
        (_with_passage(GOOD, sentences=(Span(5, 9), Span(3, 9))), "sentence"),
        (_with_passage(GOOD, heading=Span(-4, 2)), "heading"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused_whole(
    library: Library, wrong: ParsedDocument, named: str
) -> None:
    add(library, parsed("before", "Fine."))
    with pytest.raises(RequestError, match=named):
        add(library, parsed("just before", "Fine too."), wrong, parsed("after", "Never reached."))
    assert [document.uri for document in library.documents().documents] == ["before", "just before"]
    assert len(found(library, "Fine", 10)) == 2


class FailingEmbedder(HashingEmbedder):
    """Breaks down at the n-th call."""

    calls_left = 1

    def embed_passages(self, *arguments, **options):  # type: ignore[no-untyped-def] # noqa: ANN002, ANN003, ANN201
        self.calls_left -= 1
        if self.calls_left < 0:
            raise RuntimeError("out of memory")
        return super().embed_passages(*arguments, **options)


def test_a_model_that_breaks_down_leaves_what_was_done_and_nothing_half(tmp_path: Path) -> None:
    embedder = FailingEmbedder()
    documents = many(200)
    with Library.open(tmp_path, embedder=embedder) as library:
        results = []
        with pytest.raises(RuntimeError, match="memory"):
            for result in library.add_many(documents):
                results.append(result)  # noqa: PERF402
        assert 0 < len(results) < 200
        assert library.statistics().documents == len(results)
        embedder.calls_left = 100
        add(library, *documents)
        held = contents(library)
    with Library.open(tmp_path / "clean", embedder=HashingEmbedder()) as clean:
        add(clean, *documents)
        assert held == contents(clean)


class NaNEmbedder(HashingEmbedder):
    def _vector(self, text: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        return super()._vector(text) * float("nan")


def test_vectors_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    from store.errors import EmbeddingModelError

    with Library.open(tmp_path, embedder=NaNEmbedder()) as library:
        with pytest.raises(EmbeddingModelError, match="isn't a number"):
            add(library, GOOD)
        assert library.statistics().documents == 0


def test_vectors_of_another_model_are_refused_with_the_command(tmp_path: Path, embedder: HashingEmbedder) -> None:
    with Library.open(tmp_path, embedder=embedder) as library:
        add(library, GOOD)
    for other in (HashingEmbedder("other"), HashingEmbedder("wide", dimensions=128)):
        with pytest.raises(EmbedderMismatchError, match="attest rebuild --embed"):
            Library.open(tmp_path, embedder=other)
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        assert found(library, "forum") == ["The forum opened."]


def test_rebuild_gives_identical_answers_without_embedding(library: Library, embedder: HashingEmbedder) -> None:
    add(library, *many(40), *(parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()))
    questions = [texts[0] for texts in SCRIPTS.values()]
    library.rebuild()
    before = [library.search(question, 20).hits for question in questions]
    held, embedded = contents(library), embedder.embedded
    calls: list[tuple[int, int]] = []
    library.rebuild(progress=lambda done, total: calls.append((done, total)))
    assert [library.search(question, 20).hits for question in questions] == before
    assert contents(library) == held
    assert embedder.embedded == embedded
    assert calls[-1] == (library.statistics().passages, library.statistics().passages)


def test_only_one_generation_stays_on_the_disk(library: Library, tmp_path: Path, vectors: str) -> None:
    add(library, *many(4))
    library.rebuild()
    library.rebuild()
    kinds = sorted(path.name.split("-")[0] for path in (tmp_path / "home" / "derived").iterdir())
    assert kinds == (["keywords", "vectors"] if vectors == "embedded" else ["keywords"])


def test_the_indexes_follow_when_a_language_s_mean_moves(library: Library, tmp_path: Path) -> None:
    """Vectors are centered by language means; as the library grows, these become its own."""
    add(library, *many(60))
    with library.snapshot() as snapshot:
        assert snapshot.centering_statistics().keys() == {"en"}
        assert snapshot.centering_statistics()["en"].count == 180


def test_a_closed_library_says_so(tmp_path: Path) -> None:
    library = Library.open(tmp_path, embedder=HashingEmbedder())
    library.close()
    library.close()
    with pytest.raises(LibraryError, match="closed"):
        library.search("anything")
    with pytest.raises(LibraryError, match="closed"):
        library.documents()


def test_a_text_longer_than_many_blocks_is_read_in_part(library: Library) -> None:
    long = ("กขค🇹🇭 " * BLOCK)[: BLOCK * 5 + 17]
    (result,) = library.add_many([parsed("long", long)])
    assert library.text(result.document.id, BLOCK - 3, BLOCK * 2 + 3) == long[BLOCK - 3 : BLOCK * 2 + 3]
    assert library.text(result.document.id, len(long) - 2, len(long) + 50) == long[-2:]
