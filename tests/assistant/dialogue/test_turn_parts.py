"""The subject of a turn is found wherever people put it, and returned as typed."""

from __future__ import annotations

import unicodedata

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.dialogue.answer_language import turn_language, without_marks
from assistant.answer.dialogue.phrases import phrases
from assistant.answer.dialogue.turn_parts import FOLDER, find, language_named, plain, without_address
from assistant.types import AskOptions, Message


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_plain_form_keeps_every_place(text: str) -> None:
    assert len(plain(text)) == len(text)


@given(st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạ ", min_size=1))
def test_vietnamese_reads_the_same_with_and_without_marks(text: str) -> None:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).replace("đ", "d")
    assert plain(unicodedata.normalize("NFC", text)) == bare


@pytest.mark.parametrize(
    ("name", "text", "language", "parts"),
    [
        ("overview", "Please summarize the Vienna Declaration", "en", {"subject": "the Vienna Declaration"}),
        ("overview", "Tóm tắt nội quy câu lạc bộ giúp tôi", "vi", {"subject": "nội quy câu lạc bộ"}),
        ("overview", "tom tat noi quy cau lac bo", "vi", {"subject": "noi quy cau lac bo"}),
        ("overview", "ช่วยสรุปปฏิญญาเวียนนาหน่อย", "th", {"subject": "ปฏิญญาเวียนนา"}),
        ("position", "What does UNA-China say about trade?", "en", {"speaker": "UNA-China", "subject": "trade"}),
        ("position", "UNA-China nói gì về chủ quyền?", "vi", {"speaker": "UNA-China", "subject": "chủ quyền"}),
        ("compare", "compare cats with dogs", "en", {"a": "cats", "b": "dogs"}),
        ("compare", "What is the difference between AICHR and ACWC?", "en", {"a": "AICHR", "b": "ACWC"}),
        ("compare", "Hội đồng khác Ủy ban ở chỗ nào", "vi", {"a": "Hội đồng", "b": "Ủy ban"}),
        ("compare", "คณะมนตรีกับคณะกรรมาธิการต่างกันตรงไหน", "th", {"a": "คณะมนตรี", "b": "คณะกรรมาธิการ"}),
        ("list", "List all error codes", "en", {"subject": "error codes"}),
        ("topic", "มีเอกสารเกี่ยวกับอาเซียนไหม", "th", {"topic": "อาเซียน"}),
    ],
)
def test_the_parts_of_a_turn_are_found(name: str, text: str, language: str, parts: dict[str, str]) -> None:
    found = find(name, text, language) or {}
    assert {group: found.get(group) for group in parts} == parts


@pytest.mark.parametrize(
    ("text", "language", "asked"),
    [
        ("Can you tell me how many people came?", "en", "how many people came"),
        ("Do you know where it was held?", "en", "where it was held"),
        ("คุณบอกได้ไหมว่ามีคนมาทั้งหมดกี่คน", "th", "มีคนมาทั้งหมดกี่คน"),
        ("คุณรู้ไหมว่าหัวข้อหลักคืออะไร", "th", "หัวข้อหลักคืออะไร"),
        ("Bạn có biết phần hỏi đáp kéo dài bao lâu không?", "vi", "phần hỏi đáp kéo dài bao lâu"),
        ("ban cho toi biet no dien ra o dau?", "vi", "no dien ra o dau"),
    ],
)
def test_what_is_put_to_somebody_is_asked_without_that(text: str, language: str, asked: str) -> None:
    assert without_address(text, language) == asked


@pytest.mark.parametrize(
    "text",
    [
        "What can you tell?",
        "Tell me about Vienna",
        "Bạn biết gì?",
        "bạn cho tôi biết về hội nghị Vienna",
        "And Malaysia?",
        "แล้วมาเลเซียล่ะ",
        "Còn Thái Lan?",
        "Who told them?",
        "ใครรู้เรื่องนี้",
    ],
)
def test_other_questions_are_asked_as_they_are(text: str) -> None:
    assert without_address(text, "en") == text


def test_parts_are_found_in_decomposed_vietnamese() -> None:
    text = unicodedata.normalize("NFD", "Tóm tắt Tuyên ngôn Nhân quyền")
    assert find("overview", text, "vi") == {"subject": "Tuyên ngôn Nhân quyền"}


@pytest.mark.parametrize(
    ("text", "tag"),
    [("in Thai please", "th"), ("bằng tiếng Anh nhé", "en"), ("ขอภาษาเวียดนาม", "vi"), ("tieng viet di", "vi")],
)
def test_a_language_that_is_asked_for_is_told(text: str, tag: str) -> None:
    assert language_named("in_language", text, "en") == tag


@pytest.mark.parametrize(
    "text", ["xin chao", "co tai lieu ve asean khong", "cam on ban", "moi nhiem ky keo dai bao lau"]
)
def test_vietnamese_without_marks_is_vietnamese(text: str) -> None:
    assert without_marks(text)
    assert turn_language(text, (), AskOptions()) == "vi"


@pytest.mark.parametrize("text", ["hello", "how many states took part", "xin", "Chào bạn", "สวัสดี", "我们"])
def test_other_text_is_not_taken_for_it(text: str) -> None:
    assert not without_marks(text)


def test_what_is_too_short_to_tell_takes_the_interfaces_language_then_the_conversations() -> None:
    thai = (Message("user", "ปฏิญญานี้รับรองเมื่อไร"), Message("assistant", "เมื่อวันที่ 10 ธันวาคม"))
    assert turn_language("1948?", thai, AskOptions(interface_language="vi")) == "vi"
    assert turn_language("1948?", thai, AskOptions()) == "th"
    assert turn_language("1948?", (), AskOptions()) == "en"
    assert turn_language("When was it adopted by the assembly?", thai, AskOptions(interface_language="vi")) == "en"


def test_a_language_without_phrases_of_a_conversation_gets_english_ones() -> None:
    assert [phrases(language).language for language in ("vi", "vi-VN", "sw", "ar")] == ["vi", "vi", "en", "en"]
    assert phrases("th").language_name("vi") == "ภาษาเวียดนาม"
    assert phrases("th").language_name("xx") == "xx"


def test_every_language_has_the_same_patterns() -> None:
    files = {path.stem: set(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in FOLDER.glob("*.yaml")}
    assert len({frozenset(names) for names in files.values()}) == 1
