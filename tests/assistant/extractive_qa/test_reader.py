"""The shipped reader says which words of a text answer, or that none do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

from assistant.extractive_qa.candidates import read_passages
from assistant.extractive_qa.decisions import Decisions, is_calibrated
from assistant.extractive_qa.network import load_reader
from assistant.extractive_qa.span_reader import Reader, SentenceReading
from assistant.extractive_qa.windows import windows_of
from store.embedding.weights import load_embedder
from tests.assistant.extractive_qa.hits import found, hit, words
from tests.store.building import HashingEmbedder

LETTER = "The letter was sent on 14 June 2023 by the minister. The theme of the forum was equality."
RULES = "The gate closes at 22.30 every night. The deposit for a key is 400 baht. Pets are not allowed."


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    loaded = load_reader(load_embedder())
    assert loaded is not None
    yield loaded


def read(reader: Reader, question: str, text: str, language: str = "en") -> list[tuple[str, str, SentenceReading]]:
    """Each sentence of `text` with the words that answer and the reading, best first."""
    one = hit(text, language)
    (window,) = windows_of([one], {0: list(range(len(one.sentences)))}, {})
    (parts,) = reader.read(question, [window])
    told = [
        (words(one, sentence.span), words(one, part.span), part)
        for sentence, part in zip(one.sentences, parts, strict=True)
        if part is not None
    ]
    return sorted(told, key=lambda each: -each[2].margin)


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("When was the letter sent?", LETTER, "14 June 2023"),
        ("จดหมายถูกส่งเมื่อใด", LETTER, "14 June 2023"),
        ("Bức thư được gửi khi nào?", LETTER, "14 June 2023"),
        ("What was the theme of the forum?", LETTER, "equality"),
        ("When does the gate close?", RULES, "22.30"),
        ("How much is the deposit?", RULES, "400"),
        ("Tiền đặt cọc chìa khóa là bao nhiêu?", RULES, "400"),
    ],
)
def test_the_words_that_answer_are_found_in_the_sentence_that_has_them(
    reader: Reader, question: str, text: str, answer: str
) -> None:
    sentence, span, reading = read(reader, question, text)[0]
    assert answer in span
    assert answer in sentence
    assert reading.margin > 0


@pytest.mark.parametrize("question", ["Who built the dormitory?", "How many rooms are there?", "ใครเป็นผู้จัดการ"])
def test_what_a_text_does_not_say_it_does_not_answer(reader: Reader, question: str) -> None:
    best = read(reader, question, RULES)[0][2]
    asked = read(reader, "When does the gate close?", RULES)[0][2]
    assert best.margin < asked.margin
    assert best.certainty < 0.5


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Diễn đàn được tổ chức năm 2017. Chủ đề là nhân quyền.", "vi"),
        ("การประชุมจัดขึ้นที่ปักกิ่ง มีผู้เข้าร่วม 300 คน", "th"),
        ("افتُتح المنتدى في بكين. شارك مئتا مندوب.", "ar"),
        ("论坛在北京开幕。两百名代表出席了会议。", "zh"),
        ("👩‍👩‍👧‍👦 came 🇹🇭. Then 🏳️‍🌈 left; 𠮷 stayed.", "en"),
    ],
)
def test_spans_are_words_of_their_sentence_in_any_script(reader: Reader, text: str, language: str, form: str) -> None:
    text = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    for sentence, span, reading in read(reader, "When, where and who?", text, language):
        assert span in sentence
        assert span == span.strip()
        assert 0 <= reading.certainty <= reading.agreement + 1e-6 <= 1 + 2e-6


def test_a_long_question_does_not_push_the_text_out(reader: Reader) -> None:
    question = "When was the letter sent? " * 40
    assert read(reader, question, LETTER)


def test_a_question_that_names_an_article_is_read_in_that_article_alone(reader: Reader) -> None:
    one = hit("Article 1\n\nThe fee is 640 kroner.\n\nArticle 2\n\nThe fee is 50 kroner.")
    ranking = Decisions.load("multilingual-e5-small", reading=True).ranking
    for number, fee in (("1", "640"), ("2", "50")):
        result = read_passages(f"What is the fee by Article {number}?", found(one), {}, reader, ranking)
        assert result.bound
        assert fee in result.ordered[0].words
    missing = read_passages("What does Article 9 say?", found(one), {}, reader, ranking)
    assert missing.missing == ("Article 9",)


def test_no_model_gets_the_reader_or_the_numbers_of_another() -> None:
    assert load_reader(HashingEmbedder()) is None
    assert is_calibrated("multilingual-e5-small")
    assert not is_calibrated("trigrams")
    other = Decisions.load("trigrams", reading=False)
    assert not any("dense" in name or "late" in name for name in other.confidence.weights)
