"""Language detection works for long texts, short questions, names, and several threads."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from store.text.language import detect_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("หัวข้อของการประชุมคืออะไร", "th"),
        ("Ai chủ trì sự kiện bên lề ở Geneva?", "vi"),
        (unicodedata.normalize("NFD", "Ai chủ trì sự kiện bên lề ở Geneva?"), "vi"),
        ("Mỗi nhiệm kỳ kéo dài bao lâu?", "vi"),
        ("Quy ho tro hop tac Nam-Nam da thuc hien bao nhieu du an?", "vi"),
        ("Who chaired the event?", "en"),
        ("ประชุมที่ไหน", "th"),
        ("ໃຜເປັນປະທານ", "lo"),
        ("តើនរណាជាប្រធាន", "km"),
        ("谁主持了会议？", "zh"),
        ("会議の議長は誰ですか", "ja"),
        ("누가 회의를 주재했습니까?", "ko"),
        ("من ترأس الاجتماع؟", "ar"),
        ("اجلاس کی صدارت کس نے کی؟", "ur"),
        ("Кто председательствовал на заседании?", "ru"),
        ("Хто головував на засіданні?", "uk"),
        ("बैठक की अध्यक्षता किसने की?", "hi"),
        ("מי ניהל את הישיבה?", "he"),
        ("Qui a présidé la réunion ?", "fr"),
        ("¿Quién presidió la reunión?", "es"),
    ],
)
def test_a_short_question_is_known_by_its_language(question: str, language: str) -> None:
    assert detect_language(question) == language


@pytest.mark.parametrize(
    "text",
    ["", "   \n", "2023-06-14", "14/6/2566", "👩‍👩‍👧 🇹🇭", "Liu Xinsheng, Ren Yisheng", "UNA-China 2024"],
)
def test_names_numbers_and_pictures_alone_are_of_no_known_language(text: str) -> None:
    assert detect_language(text) == "und"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Forum on Global Human Rights Governance จัดขึ้นเมื่อไร", "th"),
        ("Working Group on the Universal Periodic Review 是什么？", "zh"),
        ("What does the term สิทธิมนุษยชน mean in English?", "en"),
        ("Who is Nguyễn Văn Thiệu and what did he say?", "en"),
    ],
)
def test_foreign_names_do_not_change_the_language_of_a_question(question: str, language: str) -> None:
    assert detect_language(question) == language


def test_thirty_languages_are_told_apart_by_single_paragraphs(shared: Path) -> None:
    right = total = 0
    languages = set()
    for path in sorted((shared / "data/udhr/html").glob("*.html")):
        page = LexborHTMLParser(path.read_text(encoding="utf-8"))
        root = page.css_first("html")
        language = str(root.attributes["lang"] if root else "").split("-")[0]
        languages.add(language)
        for paragraph in page.css("p, li"):
            if len(text := paragraph.text(strip=True)) >= 40:
                total += 1
                right += detect_language(text) == language
    assert len(languages) >= 30
    assert right / total > 0.985


def test_almost_every_question_of_three_languages_is_recognized(shared: Path) -> None:
    for language in ("en", "th", "vi"):
        articles = json.loads((shared / f"data/xquad-dev/xquad.{language}.json").read_text(encoding="utf-8"))["data"]
        questions = [q["question"] for a in articles for p in a["paragraphs"] for q in p["qas"]]
        right = sum(detect_language(question) == language for question in questions)
        assert right / len(questions) > 0.99, language


def test_a_long_document_is_judged_fast_by_all_its_parts() -> None:
    thai = "การประชุมจัดขึ้นที่กรุงปักกิ่ง " * 40_000
    assert detect_language("Title page in English\n" + thai) == "th"


def test_many_threads_may_ask_at_once() -> None:
    questions = ["Who chaired the event?", "Ai chủ trì sự kiện?", "Qui a présidé la réunion ?"] * 50
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(detect_language, questions)) == ["en", "vi", "fr"] * 50


@given(st.text())
def test_any_text_gets_a_tag_and_never_an_error(text: str) -> None:
    assert detect_language(text).replace("-", "").isalpha()


def test_importing_the_module_loads_no_model() -> None:
    program = "import sys, store.text.language; assert 'fasttext' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
