"""With the shipped model, the store finds across languages, rebuilds identically, and embeds once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.doctor import checks as health
from store.embedding.embedder import Embedder
from store.errors import EmbedderMismatchError
from store.library import Library
from tests.store.building import HashingEmbedder, add, parsed

OPENING = {
    "en": "The bridge over the river was opened in March by the governor of the province.",
    "th": "สะพานข้ามแม่น้ำเปิดใช้งานเมื่อเดือนมีนาคมโดยผู้ว่าราชการจังหวัด",
    "vi": "Cây cầu bắc qua sông được tỉnh trưởng khánh thành vào tháng Ba.",
}
OTHERS = {
    "en": ("The museum keeps four hundred ceramic bowls.", "Rice prices fell by a tenth last year."),
    "th": ("พิพิธภัณฑ์เก็บรักษาชามเซรามิกสี่ร้อยใบ", "ราคาข้าวลดลงหนึ่งในสิบเมื่อปีที่แล้ว"),
    "vi": ("Bảo tàng lưu giữ bốn trăm chiếc bát gốm.", "Giá gạo năm ngoái giảm một phần mười."),
}
WHO = {
    "en": "Who opened the bridge?",
    "th": "ใครเป็นผู้เปิดสะพาน",
    "vi": "Ai đã khánh thành cây cầu?",
}


@pytest.fixture(scope="module")
def library(model: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The bridge in Thai and Vietnamese only; the rest in all three languages."""
    with Library.open(tmp_path_factory.mktemp("real"), embedder=model) as library:
        add(library, *(parsed(f"bridge-{tag}", OPENING[tag], language=tag) for tag in ("th", "vi")))
        add(library, *(parsed(f"others-{tag}", *texts, language=tag) for tag, texts in OTHERS.items()))
        yield library


def test_an_answer_is_found_from_another_language(library: Library) -> None:
    assert {hit.document.uri for hit in library.search(WHO["en"], 2).hits} == {"bridge-th", "bridge-vi"}


@pytest.mark.parametrize("tag", ["th", "vi"])
def test_an_answer_is_found_from_its_own_language(library: Library, tag: str) -> None:
    assert library.search(WHO[tag], 1).hits[0].document.uri == f"bridge-{tag}"


def test_rebuilding_gives_the_same_answers(library: Library) -> None:
    before = {tag: [hit.passage.id for hit in library.search(question).hits] for tag, question in WHO.items()}
    library.rebuild()
    assert {tag: [hit.passage.id for hit in library.search(question).hits] for tag, question in WHO.items()} == before


def test_stored_vectors_are_those_of_the_model_up_to_their_precision(library: Library, model: Embedder) -> None:
    from store.embedding.embedder import PassageText
    from store.types import Span

    text = OTHERS["vi"][1]
    with library.snapshot() as snapshot:
        document = snapshot.find_document("others-vi")
        assert document is not None
        passage = snapshot.passages(document.id)[1]
        stored = snapshot.stored_passages([passage.id])[passage.id].vectors
    (fresh,) = model.embed_passages([PassageText(text, (Span(0, len(text)),))])
    assert stored[0] @ fresh.passage == pytest.approx(1, abs=2e-3)
    assert stored[1] @ fresh.sentences[0] == pytest.approx(1, abs=2e-3)


def test_nothing_is_wrong_and_another_model_is_refused(library: Library) -> None:
    assert [finding for finding in health.check(library) if finding.check != "disk"] == []
    home = library.settings.home
    with pytest.raises(EmbedderMismatchError, match="multilingual-e5-small"):
        Library.open(home, embedder=HashingEmbedder(dimensions=384), read_only=True)


def test_libraries_in_one_process_share_the_model(tmp_path: Path) -> None:
    with Library.open(tmp_path / "one") as one, Library.open(tmp_path / "other") as other:
        assert one.embedder is other.embedder
