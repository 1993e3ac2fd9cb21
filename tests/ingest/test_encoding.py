"""Files in any encoding are decoded correctly, or refused with the reason."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.encoding import decode
from store.errors import ReadError
from tests.ingest.old_encodings import cases, encode, verdict

THAI = "ที่ประชุมเห็นพ้องกันว่าประเทศกำลังพัฒนาควรได้รับความช่วยเหลือมากขึ้นในปีหน้า"
VIETNAMESE = "Hội nghị thống nhất rằng các nước đang phát triển cần được giúp đỡ nhiều hơn trong năm tới."
SENTENCES = {
    "cp874": THAI,
    "tis-620": THAI,
    "shift_jis": "会議では、開発途上国への支援を来年さらに増やすべきだという点で一致した。",
    "euc_jp": "会議では、開発途上国への支援を来年さらに増やすべきだという点で一致した。",
    "gb18030": "与会者一致认为，明年应当向发展中国家提供更多的援助，并且加强各国之间的合作。",
    "big5": "與會者一致認為，明年應當向發展中國家提供更多的援助，並且加強各國之間的合作。",
    "euc_kr": "회의 참석자들은 내년에 개발도상국에 더 많은 지원을 제공해야 한다는 데 뜻을 모았다.",
    "koi8_r": "Участники встречи согласились, что развивающимся странам нужна большая помощь.",
    "cp1251": "Участники встречи согласились, что развивающимся странам нужна большая помощь.",
    "cp1250": "Účastníci se shodli, že rozvojovým zemím je třeba v příštím roce poskytnout větší pomoc.",
    "iso8859_2": "Uczestnicy zgodzili się, że kraje rozwijające się powinny otrzymać większą pomoc.",
    "cp1252": "Les participants ont déclaré que l’aide aux pays en développement doit être augmentée.",
    "cp1253": "Οι συμμετέχοντες συμφώνησαν ότι οι αναπτυσσόμενες χώρες χρειάζονται μεγαλύτερη βοήθεια.",
    "cp1254": "Katılımcılar, gelişmekte olan ülkelere gelecek yıl daha çok yardım edilmesi gerektiğini söyledi.",
    "cp1255": "המשתתפים הסכימו כי המדינות המתפתחות זקוקות לסיוע רב יותר בשנה הבאה.",
    "cp1256": "اتفق المشاركون على أن البلدان النامية تحتاج إلى مزيد من المساعدة في العام المقبل.",
}


@pytest.mark.parametrize("encoding", ["TCVN3", "VISCII", "VNI"])
def test_vietnamese_encodings_that_python_lacks_are_read(encoding: str) -> None:
    decoded = decode(encode(VIETNAMESE, encoding))
    assert (decoded.text, decoded.encoding) == (VIETNAMESE, encoding)


def test_vni_is_read_as_its_fonts_show_it() -> None:
    written = "Hoäi nghò thoáng nhaát raèng caùc nöôùc ñang phaùt trieån caàn ñöôïc giuùp ñôõ."
    assert (
        decode(written.encode("cp1252")).text == "Hội nghị thống nhất rằng các nước đang phát triển cần được giúp đỡ."
    )


MARKUP = "<p>a<dd>b<dt class='x'>"
FORMULAS = "a^2+b^2 = c^2, x_{1} <= 5, typed dd/mm/yyyy\n"


@pytest.mark.parametrize("before", [MARKUP, FORMULAS], ids=["markup", "formulas"])
@pytest.mark.parametrize("encoding", ["cp1258", "TCVN3", "VISCII", "VNI", "utf-16-le", "utf-16-be"])
def test_vietnamese_is_read_also_beside_markup_and_formulas(encoding: str, before: str) -> None:
    text = before + VIETNAMESE
    assert unicodedata.normalize("NFC", decode(encode(text, encoding)).text) == text


@pytest.mark.parametrize("before", ["", MARKUP, FORMULAS], ids=["alone", "markup", "formulas"])
@pytest.mark.parametrize(("encoding", "sentence"), SENTENCES.items())
def test_one_sentence_is_enough_also_beside_markup_and_formulas(encoding: str, sentence: str, before: str) -> None:
    assert decode((before + sentence).encode(encoding)).text == before + sentence


def test_quotation_marks_before_words_are_no_sign_of_garble() -> None:
    text = (
        "Die Miete für ein Kanu beträgt 420 Euro – Hunde sind „nicht“ erlaubt, und ‚Kinder‘ unter zwölf nur mit Weste."
    )
    assert decode(text.encode("cp1252")).text == text


@pytest.mark.parametrize(
    "text", [THAI, VIETNAMESE, "👩‍👩‍👧 مرحبا ยินดี", "plain", unicodedata.normalize("NFD", VIETNAMESE)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_and_without_its_mark(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="?\ufffd\ufeff"), min_size=1)
)
def test_any_text_in_utf8_comes_back_or_is_refused(text: str) -> None:
    try:
        assert decode(text.encode()).text == text
    except ReadError as error:
        assert "garbled" in str(error) or "VIQR" in str(error)  # it looks like something that was garbled before


def test_of_the_declaration_in_forty_encodings_nothing_is_decoded_wrongly(shared: Path) -> None:
    sample = [case for number, case in enumerate(cases(shared / "data/udhr")) if number % 12 == 0]
    verdicts = [verdict(case) for case in sample]
    assert verdicts.count("wrong") == 0
    assert verdicts.count("right") / len(verdicts) > 0.98


def test_the_real_legacy_files_are_refused_because_letters_were_lost_in_them(shared: Path) -> None:
    folder = shared / "data/udhr/legacy-encodings/udhr"
    for name in ("Vietnamese-TCVN", "Vietnamese-VPS", "Vietnamese-VIQR"):
        with pytest.raises(ReadError):
            decode((folder / name).read_bytes())
    assert "Tuyên ngôn toàn thế giới" in decode((folder / "Vietnamese-UTF8").read_bytes()).text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (THAI.encode()[:-1], "cut off"),
        (VIETNAMESE.encode()[:40] + b"\xff\xfe" + VIETNAMESE.encode()[40:], "damaged at byte"),
        (b"\xff\xfe" + THAI.encode("utf-16-le")[:-1], "damaged"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "binary"),
        (THAI.encode("ascii", "replace"), "question marks"),
        (("? " + VIETNAMESE).encode("cp1252", "replace"), "question marks"),
        (THAI.encode().decode("latin-1").encode(), "garbled"),
        ("Hội nghị".encode().decode("cp1258", "replace").encode(), "garbled"),
        (("Cộng hòa xã hội ".encode().decode("latin-1")).encode(), "garbled"),
        (b"Ho^.i nghi. tho^'ng nha^'t ra(`ng ca'c nu+o+'c dang pha't trie^?n ca^`n ddu+o+.c giu'p ddo+~.", "VIQR"),
        (bytes(range(128, 256)) * 3, "."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        decode(data)


def test_a_file_that_changes_its_encoding_in_the_middle_is_refused() -> None:
    thai = (THAI + "\n").encode("cp874") * 2_000
    with pytest.raises(ReadError):
        decode(thai + VIETNAMESE.encode("utf-16-le"))


def test_english_with_typographic_quotes_in_windows_1252_is_read() -> None:
    text = "The chair said: “This year’s budget – £30m – is not enough”. Nobody at the café disagreed…"
    assert decode(text.encode("cp1252")).text == text
