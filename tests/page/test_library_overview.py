"""The page shows what the library and a document are about, before anybody asks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.server.page.library_overview import SENTENCES, LibraryOverview
from assistant.server.page.source_routes import document_panel
from assistant.server.strings import strings
from store.library import Library
from tests.store.building import HashingEmbedder, parsed

TEXTS = {
    "en": "The mill was built in 1820. A flood took its wheel. The village bought a new wheel. It grinds rice today.",
    "th": "โรงสีสร้างเมื่อปี 2363 โดยคนในหมู่บ้าน\nน้ำท่วมพัดล้อของโรงสีหายไปทั้งล้อ\nหมู่บ้านซื้อล้อใหม่ให้โรงสีในปีต่อมา",
    "vi": "Cối xay được xây năm 1820. Một trận lũ cuốn mất bánh xe. Làng mua một bánh xe mới cho cối.",
    "vi-nfd": unicodedata.normalize("NFD", "Cối xay được xây năm 1820. Một trận lũ cuốn mất bánh xe của cối xay."),
    "zh": "磨坊建于一八二〇年，是村里人一起修建的。洪水冲走了它的水轮，全村人都很难过。村里后来买了新的水轮。",
    "ar": "بنيت الطاحونة عام 1820 على يد أهل القرية. جرف الفيضان عجلتها كلها. اشترت القرية عجلة جديدة.",
    "emoji": "The mill 🌾 was built in 1820. A flood 🌊 took its wheel away. It grinds rice 🍚 again today.",
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_is_shown_with_sentences_of_its_own_in_their_order(library: Library, name: str) -> None:
    document = library.add(parsed(name, TEXTS[name], title="The mill")).document
    overview = LibraryOverview(library).of_document(document)
    assert 1 <= len(overview) <= SENTENCES
    assert [each.start for each in overview] == sorted(each.start for each in overview)
    for each in overview:
        assert library.text(document.id, each.start, each.end) == each.quote


def test_each_sentence_leads_to_its_place_in_the_document(library: Library) -> None:
    document = library.add(parsed("mill", TEXTS["en"], title="The mill")).document
    overview = LibraryOverview(library).of_document(document)
    closed = document_panel(library, document, overview, 0, strings("en"))
    assert '<details class="overview" open>' in closed
    assert closed.count('data-do="reader.step"') == len(overview)
    opened = document_panel(library, document, overview, 2, strings("en"))
    assert 'data-key="2"' in opened.split("<header")[0]
    assert f"Quote 2 of {len(overview)}" in opened
    assert document_panel(library, document, overview, 99, strings("en")) == closed


def test_a_document_without_a_sentence_has_no_overview(library: Library) -> None:
    document = library.add(parsed("note", "Ja.", title="Note")).document
    overview = LibraryOverview(library).of_document(document)
    assert overview == ()
    assert "overview" not in document_panel(library, document, overview, 0, strings("vi"))


def test_a_hostile_sentence_is_only_shown(library: Library) -> None:
    text = "The mill says <script>alert(1)</script> to everyone. A flood took the wheel away from the mill."
    document = library.add(parsed("attack", text, title="<b>")).document
    html = document_panel(library, document, LibraryOverview(library).of_document(document), 0, strings("en"))
    assert "<script>" not in html
    assert "<b>" not in html


def test_a_library_of_one_document_is_about_that_document(library: Library) -> None:
    assert LibraryOverview(library).subjects(None) == ()
    document = library.add(parsed("mill", TEXTS["en"], title="The mill")).document
    (subject,) = LibraryOverview(library).subjects(None)
    assert (subject.name, subject.documents, subject.examples) == ("The mill", 1, (document,))


def test_the_subjects_count_every_document_once_and_follow_changes(library: Library) -> None:
    for number in range(9):
        text = f"{'Rivers flood the delta' if number % 2 else 'Bells ring at noon'}, as the note {number} says."
        library.add(parsed(f"d{number}", text, title=f"Note {number}"))
    overview = LibraryOverview(library)
    found = overview.subjects(None)
    assert sum(each.documents for each in found) == 9
    assert [each.documents for each in found] == sorted((each.documents for each in found), reverse=True)
    library.remove(found[0].examples[0].id)
    assert sum(each.documents for each in overview.subjects(None)) == 8


def test_subjects_of_other_collections_are_nobody_s_business(library: Library) -> None:
    for number in range(12):
        made = parsed(f"d{number}", f"The secret bell number {number} rings at noon.", title=f"Bell {number}")
        collection = "open" if number < 6 else "secret"
        library.add(replace(made, document=replace(made.document, collection=collection)))
    overview = LibraryOverview(library)
    for _ in range(2):  # the second time they are remembered
        for collections, held in ((("open",), 6), (("secret",), 6), (("open", "secret"), 12), ((), 0)):
            found = overview.subjects(collections)
            assert sum(each.documents for each in found) == held or len(found) < 2 or held == 0
            for document in (document for each in found for document in each.examples):
                assert document.collection in collections
