"""Sentences are whole in any script, short enough to quote, with nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median_low

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.benchmarks.questions import Parallel, read_xquad
from ingest.normalize import normalize_text
from ingest.sentences import LONGEST, sentences
from store.text.language import detect_language
from store.types import Span

WORDS = [
    *(
        "word",
        "Mr.",
        "e.g.",
        "3.5",
        "U.S.",
        "“Yes.”",
        "(see",
        "p.",
        "12)",
        "end.",
        "Really?",
        "...",
        "www.un.org",
        "\n",
        "\n\n",
    ),
    *("การประชุม", "พ.ศ. 2566", "จัดขึ้นที่กรุงปักกิ่ง", "น้ำ", "ฯลฯ"),
    *("Hội nghị", "TP. Hồ Chí Minh", unicodedata.normalize("NFD", "quyền."), "ຊາດ", "មនុស្ស។", "လူ။"),
    *(
        "会议结束了。",
        "「はい。」",
        "회의가 끝났다.",
        "انتهى الاجتماع.",
        "؟",
        "बैठक समाप्त हुई।",
        "👩‍👩‍👧",
        "🇹🇭🇻🇳",
        "e\u0301\u0302",
        "क्षि",
    ),
]
texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(["", " ", " "])), max_size=60).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


THAI_TEXT = (
    "ที่ประชุมเห็นพ้องกันว่าประเทศกำลังพัฒนาควรได้รับความช่วยเหลือมากขึ้นในปีหน้า และจะมีการจัดตั้งกองทุนใหม่ขึ้นเพื่อการนี้โดยเฉพาะ "
    "นอกจากนี้ที่ประชุมยังมีมติให้จัดการประชุมครั้งต่อไปที่กรุงเทพมหานคร ซึ่งคาดว่าจะมีผู้เข้าร่วมมากกว่าปีที่ผ่านมาเป็นจำนวนมาก"
)


def quoted(text: str, language: str) -> list[str]:
    return [span.of(text) for span in sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            ["Dr. Smith met Amb. Liu Xinsheng at 9 a.m. in St. Louis.", "He paid $3.5 million to the U.S. Government."],
        ),
        ("en", ['"Is that really all of it?" she asked.', "J. R. R. Tolkien wrote it, cf. p. 12, no. 5."]),
        ("vi", ["GS. TS. Nguyễn Văn A ở TP. Hồ Chí Minh nói như vậy.", "Ông đến lúc 9.30 ngày 1.2.2024."]),
        ("zh", ["他说：“可以，我们现在就一起走吧。”", "然后他们就离开了会议室。"]),
        ("ar", ["انتهى الاجتماع في المساء.", "هل كان هناك اتفاق بين الطرفين؟"]),
        ("hi", ["बैठक शाम को समाप्त हुई।", "क्या कोई समझौता हुआ था?"]),
        ("ru", ["Встреча закончилась вечером.", "Было ли достигнуто соглашение?"]),
    ],
)
def test_sentences_end_where_they_end(language: str, expected: list[str]) -> None:
    space = "" if language == "zh" else " "
    assert quoted(space.join(expected), language) == expected


def test_a_thai_year_a_foreign_name_and_a_parenthesis_stay_whole() -> None:
    text = (
        "การประชุมครั้งนี้จัดขึ้นที่กรุงเทพมหานครโดยมีผู้แทนจากหลายประเทศเข้าร่วมเป็นจำนวนมากในปี พ.ศ. 2566 และประธานคือ จอห์น สมิธ "
        "(ผู้แทนจากประเทศที่อยู่ห่างไกล และเป็นนักวิชาการ) ซึ่งได้กล่าวเปิดการประชุมอย่างเป็นทางการในช่วงเช้าของวันนั้น"
    )
    for together in ("พ.ศ. 2566", "จอห์น สมิธ", "(ผู้แทนจากประเทศที่อยู่ห่างไกล และเป็นนักวิชาการ)"):
        assert any(together in sentence for sentence in quoted(text, "th")), together


def test_few_gold_answers_are_cut(shared: Path) -> None:
    parallel = read_xquad(shared / "data/xquad-dev")
    for language, allowed in (("en", 0.002), ("vi", 0.005), ("th", 0.015)):
        whole, lengths = _whole_answers(parallel[language])
        assert whole.count(False) <= allowed * len(whole), (language, whole.count(False))
        assert 100 <= median_low(lengths) <= 200


def _whole_answers(part: Parallel) -> tuple[list[bool], list[int]]:
    """Return whether each first gold answer lies within one sentence, and the lengths of all sentences."""
    texts = [normalize_text(paragraph.text).text for paragraph in part.paragraphs]
    cut = [sentences(text, part.language) for text in texts]
    whole = []
    for asked in part.questions:
        text, words = texts[asked.paragraph], normalize_text(asked.answers[0]).text.strip()
        expected = asked.start * len(text) // len(part.paragraphs[asked.paragraph].text)
        places = [match.start() for match in regex.finditer(regex.escape(words), text)] if words else []
        if places:
            start = min(places, key=lambda place: abs(place - expected))
            whole.append(any(s.start <= start and start + len(words) <= s.end for s in cut[asked.paragraph]))
    return whole, [span.end - span.start for spans in cut for span in spans]


def test_sentences_of_the_corpus_are_whole_or_cut_at_a_comma(shared: Path) -> None:
    for path in (shared / "corpus").glob("*.txt"):
        text = normalize_text(path.read_text(encoding="utf-8")).text
        for span in sentences(text, detect_language(text)):
            assert span.end - span.start <= LONGEST
            begins_small = regex.match(r"\p{Ll}", span.of(text))
            assert not begins_small or text[: span.start].rstrip(" ").endswith((",", ";", "\n")), span.of(text)


@settings(max_examples=150)
@given(texts, st.sampled_from(["en", "th", "vi", "zh", "ar", "lo", "km", "und", "x-unknown"]))
def test_nothing_is_lost_and_nothing_torn(text: str, language: str) -> None:
    spans = sentences(text, language)
    outside = _outside(text, spans)
    assert outside.strip() == ""
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)
    boundaries = {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}
    boundaries |= {match.end() for match in regex.finditer(r"\s", text)}  # Blanks before a mark are left out.
    assert all({span.start, span.end} <= boundaries for span in spans)


def _outside(text: str, spans: tuple[Span, ...]) -> str:
    pieces, position = [], 0
    for span in spans:
        assert span.start >= position
        pieces.append(text[position : span.start])
        position = span.end
    return "".join(pieces) + text[position:]


@pytest.mark.parametrize("run", ["a", ". ", "(", "中。", "ก", "1. ", "👩\u200d", "\u0301", "Dr. ", '"'])
def test_no_run_of_characters_takes_the_square_of_its_length(run: str) -> None:
    start = time.process_time()
    spans = sentences(run * (20_000 // len(run)), "en")
    assert time.process_time() - start < 5
    assert all(span.end - span.start <= LONGEST or not run.isascii() for span in spans)


@pytest.mark.parametrize("home", ["/proc/no-such-home", "{empty}"])
def test_thai_is_cut_without_a_home_directory_and_leaves_nothing_in_one(tmp_path: Path, home: str) -> None:
    program = f"from ingest.sentences import sentences; print(len(sentences({THAI_TEXT!r}, 'th')))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": home.format(empty=tmp_path), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "2", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_several_threads_may_cut_thai_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        results = set(pool.map(lambda _: sentences(THAI_TEXT * 5, "th"), range(24)))
    assert len(results) == 1
