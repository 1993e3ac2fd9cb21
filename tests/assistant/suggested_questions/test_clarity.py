"""A suggested question says what it is about, for people who haven't read the document."""

from __future__ import annotations

import pytest

from assistant.suggested_questions.clarity import LONGEST, clear, subject_of_title

CLUB = "Rules of the Alder Lake Rowing Club"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("When did Volker Türk take office?", "en"),
        ("What does AICHR do?", "en"),
        ("Việt Nam phê chuẩn Công ước về quyền trẻ em khi nào?", "vi"),
        ("ไทยเข้าเป็นสมาชิกสหประชาชาติเมื่อไร", "th"),
    ],
)
def test_what_names_its_subject_stays_as_it_is(question: str, language: str) -> None:
    assert clear(question, language, CLUB) == question


@pytest.mark.parametrize(
    ("question", "language", "title", "expected"),
    [
        ("Who chaired the meeting?", "en", CLUB, "Alder Lake Rowing Club: Who chaired the meeting?"),
        ("How many officials did the Institute ask?", "en", "Standards", "Standards: How many officials did the Institute ask?"),
        ("Ai chủ trì sự kiện?", "vi", "Sự kiện bên lề kỳ rà soát 2024", "Sự kiện bên lề kỳ rà soát 2024: Ai chủ trì sự kiện?"),
        ("Một khóa gồm bao nhiêu buổi?", "vi", "Hồ bơi Sông Trà, từ tháng 6", "Hồ bơi Sông Trà: Một khóa gồm bao nhiêu buổi?"),
        ("รอบหนึ่งใช้เวลากี่ปี", "th", "กลไก UPR ทำงานอย่างไร", "กลไก UPR ทำงานอย่างไร: รอบหนึ่งใช้เวลากี่ปี"),
    ],
)  # fmt: skip
def test_what_doesnt_gets_its_documents_subject(question: str, language: str, title: str, expected: str) -> None:
    assert clear(question, language, title) == expected


def test_what_would_be_too_long_or_stands_in_a_file_without_a_title_is_not_offered() -> None:
    assert clear("Who chaired the meeting?", "en", "scan_0012.pdf") is None
    assert clear("Who chaired " + "the very long " * 8 + "meeting?", "en", CLUB) is None
    assert clear("When did Volker Türk " + "x" * LONGEST, "en", CLUB) is None


def test_a_title_is_cut_to_what_it_is_about() -> None:
    assert subject_of_title("Minutes of the Hopwell Road Allotment Association") == "Hopwell Road Allotment Association"
    assert subject_of_title("Report of the committee") == "Report of the committee"
    assert subject_of_title("2024") is None
