"""The verifier accepts what the quotes support, in any digits, calendar and script, and nothing else."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.verify import citations_in, verify_claim
from assistant.verify.language_rules import all_rules
from assistant.verify.names import latin_names, unsupported_name
from assistant.verify.number_reading import numbers_in
from assistant.verify.phonetics import latin_consonants, thai_consonants
from assistant.verify.polarity import contradiction
from assistant.verify.text import fold, strip_markers
from store.text.dates import dates_in
from tests.assistant.quotes import quote

VOTE = quote(1, "On 6 October 2022 the Council rejected the proposal by 19 votes to 17, with 11 abstentions.")
FORUM = quote(2, "ฟอรัมจัดขึ้นที่กรุงปักกิ่ง เมื่อวันที่ 14 มิถุนายน ค.ศ. 2023 มีผู้เข้าร่วมมากกว่า 300 คน", "th")
SOUTH = quote(3, "Gần 400 đại biểu từ hơn 100 quốc gia đã tham dự, chiếm 80% dân số thế giới.", "vi")
ALL = (VOTE, FORUM, SOUTH)


def support(claim: str, *citations: int, evidence: tuple[object, ...] = ALL) -> str:
    return verify_claim(claim, citations, evidence).support  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("claim", "key"),
    [
        ("The proposal was rejected by 19 votes to 17 [1].", 1),
        ("Hội đồng bác đề xuất với 19 phiếu chống và 17 phiếu thuận ngày 6 tháng 10 năm 2022.", 1),
        ("More than 300 people took part on 14 June 2023.", 2),
        ("มีผู้เข้าร่วมกว่า ๓๐๐ คน เมื่อวันที่ 14 มิถุนายน พ.ศ. 2566", 2),
        ("Nearly four hundred delegates came from over 100 countries.", 3),
        ("มีผู้แทนเกือบ 400 คน คิดเป็นร้อยละ 80 ของประชากร", 3),
    ],
)
def test_what_a_quote_carries_passes_in_any_language(claim: str, key: int) -> None:
    assert support(claim, key) == "supported"


@pytest.mark.parametrize(
    ("claim", "key", "fault", "detail"),
    [
        ("The proposal was rejected by 19 votes to 18.", 1, "number", "18"),
        ("The Council rejected it on 6 November 2022.", 1, "date", "6 November 2022"),
        ("มีผู้เข้าร่วม 500 คน", 2, "number", "500"),
        ("ฟอรัมจัดขึ้นเมื่อ 14 มิถุนายน พ.ศ. 2565", 2, "date", "2565"),
        ("More than 400 delegates came.", 3, "number", "More than 400"),
        ("Chiếm 70% dân số.", 3, "number", "70%"),
        ("The forum was held in Shanghai.", 2, "name", "Shanghai"),
        ("ฟอรัมจัดขึ้นที่กรุงโตเกียว", 2, "name", "โตเกียว"),
        ("The Council accepted the proposal.", 1, "contrary", "accepted"),
        ("The Council did not reject the proposal.", 1, "contrary", "not"),
        ("ฟอรัมไม่ได้จัดขึ้นที่กรุงปักกิ่ง", 2, "contrary", "ไม่"),
        ('The Council said that "the proposal was dismissed at once".', 1, "quotation", "dismissed"),
    ],
)
def test_what_a_quote_does_not_carry_is_named(claim: str, key: int, fault: str, detail: str) -> None:
    verdict = verify_claim(claim, (key,), ALL)
    assert verdict.support == "unsupported"
    assert verdict.fault == fault
    assert detail in (verdict.detail or "")
    assert verdict.reason


def test_a_sentence_of_the_quote_itself_is_quoted() -> None:
    assert support(VOTE.quote + " [1]", 1) == "quoted"


def test_half_a_sentence_that_says_the_contrary_is_not_quoted() -> None:
    evidence = (quote(1, "It is wrong to say that the bridge was closed."),)
    assert support("the bridge was closed", 1, evidence=evidence) != "quoted"


def test_a_key_that_does_not_exist_is_dropped_and_told() -> None:
    verdict = verify_claim("More than 300 people took part.", (9,), ALL)
    assert verdict.dropped == (9,)
    assert verdict.citations == (2,)


def test_a_wrong_key_is_found_and_the_right_one_is_named() -> None:
    verdict = verify_claim("The proposal was rejected by 19 votes to 17.", (3,), ALL)
    assert (verdict.support, verdict.fault, verdict.better) == ("unsupported", "citation", (1,))


def test_neighbors_of_one_passage_may_carry_a_claim_together() -> None:
    name = quote(1, "The Energiprojekt engine was built in Sweden.")
    number = quote(2, "It uses 8.8 pounds of steam per kilowatt hour.")
    neighbor = number.model_copy(update={"passage_id": name.passage_id})
    claim = "The Energiprojekt engine uses 8.8 pounds of steam per kilowatt hour."
    assert verify_claim(claim, (), (name, neighbor)).citations == (1, 2)
    assert verify_claim(claim, (1,), (name, neighbor)).better == (1, 2)
    assert verify_claim(claim, (), (name, number)).support == "unsupported"


def test_without_quotes_nothing_is_supported() -> None:
    assert verify_claim("The sky is blue.", (), ()).fault == "no_evidence"


def test_names_are_known_again_across_scripts() -> None:
    evidence = (quote(1, "มิเชล บาเชเลต์ และสี จิ้นผิง พบกันที่เจนีวา", "th"),)
    assert support("Michelle Bachelet met Xi Jinping in Geneva.", 1, evidence=evidence) == "supported"
    assert support("Michelle Bachelet met Vladimir Putin in Geneva.", 1, evidence=evidence) == "unsupported"


def test_a_foreign_name_is_not_taken_for_a_chinese_one_that_vietnamese_says_otherwise() -> None:
    quoted = quote(1, "Ông Tập Cận Bình gặp các đại biểu tại Hà Nội ngày 14 tháng 6 năm 2023.", "vi")
    assert support("Xi Jinping met the delegates in Hanoi on 14 June 2023.", 1, evidence=(quoted,)) == "supported"
    verdict = verify_claim("Arab al-Ulrayn met the delegates in Hanoi on 14 June 2023.", (1,), (quoted,))
    assert (verdict.support, verdict.fault) == ("unsupported", "name")


def test_a_name_is_known_in_the_adjective_made_of_it_and_in_no_longer_name() -> None:
    quoted = "Amazonian forests store carbon, the Martinique report says."
    assert unsupported_name("The Amazon forest stores carbon.", [quoted]) is None
    assert unsupported_name("So says the report of Mr. Martin.", [quoted]) == "Mr. Martin"


def test_what_somebody_has_is_no_part_of_their_name() -> None:
    quoted = "Ông là Tổng Giám đốc của Denver."
    assert latin_names("He is Denver's General Manager.") == ["Denver", "General Manager"]
    assert unsupported_name("He is Denver's General Manager.", [quoted]) is None


def test_words_that_every_language_translates_are_no_names_by_themselves() -> None:
    vietnamese = "Họ định cư ở phía tây, trên Bán đảo Cotentin."
    assert unsupported_name("They settled in the west, on the Cotentin Peninsula.", [vietnamese]) is None
    assert unsupported_name("They settled in the west, on the Crimean Peninsula.", [vietnamese]) is not None
    english = "Despite the views of the Court of Justice, national courts have not agreed."
    assert unsupported_name("Bất chấp quan điểm của Tòa án Công lý, các tòa án chưa đồng ý.", [english]) is None


@pytest.mark.parametrize(("claim", "told"), [("It was Super Bowl XXXIII.", True), ("It was Super Bowl XXXIV.", False)])
def test_a_roman_numeral_is_the_number_in_digits(claim: str, told: bool) -> None:
    assert (unsupported_name(claim, ["Đó là Super Bowl 33."]) is None) == told
    quantities = numbers_in("Super Bowl XXXIII", strict=False)
    assert [each.values for each in quantities] == [frozenset({Decimal(33)})]
    assert not numbers_in("Super Bowl XXXIII", strict=True)


@pytest.mark.parametrize(
    ("text", "numbers"), [("Họ đến Ba Lan.", 0), ("Tỷ lệ tăng đều.", 0), ("Ba người đến.", 1), ("Có ba tỷ đồng.", 1)]
)
def test_a_vietnamese_word_is_a_number_only_where_it_counts(text: str, numbers: int) -> None:
    assert len(numbers_in(text)) == numbers


def test_for_example_denies_nothing_in_vietnamese() -> None:
    said = "Những thành phố như vậy chẳng hạn như Lublin và Poznań."
    assert support("Such cities are for example Lublin and Poznań.", 1, evidence=(quote(1, said, "vi"),)) == "supported"


def test_what_stands_in_brackets_does_not_deny_what_a_claim_says() -> None:
    words = "มันคือเครื่องยนต์ห้าสูบ (ไม่มีหลายแบบ) ใช้ไอน้ำประมาณ 4 กก. [ไม่มีข้อมูลประกอบ]"
    assert contradiction("The engine uses about 4 kg of steam.", [words], words) is None
    assert contradiction("The engine uses steam.", ["เครื่องยนต์ไม่ใช้ไอน้ำ"], "เครื่องยนต์ไม่ใช้ไอน้ำ") == "ไม่"


def test_a_shortened_negation_denies() -> None:
    assert contradiction("The forum wasn't held in Beijing.", ["The forum was held in Beijing."]) == "wasn't"
    assert contradiction("The forum wasn't held in Beijing.", ["The forum was not held in Beijing."]) is None


@pytest.mark.parametrize("language", sorted(all_rules()))
def test_the_data_of_each_language_can_be_used(language: str) -> None:
    data = all_rules()[language]
    assert data.words("question_words", "function_words")
    assert all(data.any_of(data.words(group)).search(word) for group in data.groups for word in data.words(group))
    for name in data.pattern_names:
        assert not data.pattern(name).search("")
        assert data.cues(name)
    assert all(data.whole(side) for sides in data.opposites.values() for side in sides)


def test_a_language_is_added_by_one_file(tmp_path: Path) -> None:
    (tmp_path / "id.yaml").write_text(
        "spaced: true\nwords:\n  question_words: siapa apa kapan\npatterns:\n  negations: 'tidak|bukan'\n"
        "opposites:\n  before: ['sebelum', 'sesudah']\n",
        encoding="utf-8",
    )
    data = all_rules(tmp_path)["id"]
    assert data.words("question_words") == ("siapa", "apa", "kapan")
    assert data.cues("negations").search("Dia tidak datang.")
    assert not data.cues("negations").search("tidaknya")
    assert not data.pattern("commands").search("whatever")


def test_a_title_may_bear_a_name_that_its_sentence_leaves_out() -> None:
    evidence = (quote(1, "It was opened on 3 May 1998.", title="The Harbor Bridge"),)
    assert support("The Harbor Bridge was opened on 3 May 1998.", 1, evidence=evidence) == "supported"


def test_the_place_of_a_news_desk_is_not_evidence() -> None:
    evidence = (quote(1, "The forum was opened in the morning.", speaker="News desk, Hanoi"),)
    assert support("The forum was opened in Hanoi.", 1, evidence=evidence) == "unsupported"


def test_decomposed_text_is_judged_like_composed() -> None:
    claim = "Gần 400 đại biểu từ hơn 100 quốc gia đã tham dự."
    assert support(unicodedata.normalize("NFD", claim), 3) == support(claim, 3) != "unsupported"


def test_citations_are_read_in_every_form() -> None:
    assert citations_in("So it is [1][3], and so [2, 4] [x].") == (1, 3, 2, 4)
    assert strip_markers("1. So it is [1][2, 3].") == "So it is."


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234.5 and 1.234.567", {"1234.5", "1234567"}),
        ("two hundred and fifty thousand", {"250000"}),
        ("ยี่สิบเอ็ดคน", {"21"}),
        ("hai mươi lăm người", {"25"}),
        ("770 triệu người", {"770000000"}),
        ("3 พันล้านบาท", {"3000000000"}),
        ("٣٠٠ و ๔๐๐", {"300", "400"}),
        ("6½ sacks", {"6.5"}),
        ("COVID-19, G20 and one of them", set()),
        ("สามารถห้ามพันธมิตร", set()),
    ],
)
def test_numbers_are_read_in_every_writing(text: str, values: set[str]) -> None:
    read = {value for number in numbers_in(fold(text)) for value in number.values}
    assert read == {Decimal(value).normalize() for value in values}


@pytest.mark.parametrize(
    "text",
    [
        "14 June 2023",
        "June 14th, 2023",
        "2023-06-14",
        "14/6/2023",
        "ngày 14 tháng 6 năm 2023",
        "๑๔ มิถุนายน พ.ศ. ๒๕๖๖",
        "14 มิ.ย. 2566",
        "14 juin 2023",
        "2023年6月14日",
    ],
)
def test_a_date_is_the_same_in_every_calendar_and_format(text: str) -> None:
    assert (2023, 6, 14) in dates_in(fold(text))[0].alternatives


def test_a_word_is_not_taken_for_a_month() -> None:
    assert dates_in("The states may march on. 1,948 people came.") == ()


def test_a_sentence_begins_with_no_name() -> None:
    assert latin_names("Participants met Hu Wenli. Then Beijing agreed.") == ["Hu Wenli", "Beijing"]


def test_names_sound_alike_in_thai_and_latin_letters() -> None:
    assert thai_consonants("สี จิ้นผิง") == latin_consonants("Xi Jinping")
    assert thai_consonants("ซินเจียง") == latin_consonants("Xinjiang")


@given(st.integers(0, 10**9))
def test_a_number_agrees_with_itself_in_any_grouping(value: int) -> None:
    plain, grouped, dotted = str(value), f"{value:,}", f"{value:,}".replace(",", ".")
    thai = "".join(chr(ord("๐") + int(digit)) for digit in plain)
    for text in (grouped, dotted, thai):
        read = numbers_in(fold(text))
        assert any(Decimal(value) in number.values for number in read)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_breaks_it(claim: str, words: str) -> None:
    verdict = verify_claim(claim, (1,), (quote(1, words),))
    assert (verdict.support == "unsupported") == bool(verdict.reason)
