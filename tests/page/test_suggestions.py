"""Questions are suggested for any library, in the interface's language, without answering any."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.dialogue.topics import LONGEST_TOPIC, topic_of
from assistant.server.page.suggestions import AFTER_AN_ANSWER, AT_FIRST, suggest, suggest_next
from assistant.server.strings import languages, strings
from assistant.suggested_questions.saved import KeptQuestion
from assistant.types import Finished
from tests.page.scripted import ScriptedAssistant, ScriptedLibrary, document

TITLES = {
    "th": "การประชุมว่าด้วยแม่น้ำโขง",
    "vi": "Thông cáo về dòng sông",
    "vi-nfd": unicodedata.normalize("NFD", "Thông cáo về dòng sông"),
    "ar": "بيان عن الأنهار",
    "zh": "关于河流的声明",
    "emoji": "🌊 Floods 🌊",
    "file": "scan_0012_final.pdf",
    "long": "A report " * 30,
    "empty": "  ",
    "hostile": "<script>alert(1)</script>",
}


def library_of(*titles: str, language: str = "en", speaker: str | None = None) -> ScriptedLibrary:
    library = ScriptedLibrary()
    for number, title in enumerate(titles):
        library.put(document(f"d{number}", "Words.\n", language, speaker, None, title), "Words.\n")
    return library


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_any_library_of_one_document_has_something_to_ask(title: str, language: str) -> None:
    offered = suggest(library_of(title), language)
    assert 2 <= len(offered) <= AT_FIRST
    assert strings(language)("suggest.documents") in offered
    for question in offered:
        assert len(question) <= LONGEST_TOPIC + 40
        assert not set(question) & set('"“”„«»「」『』'), "a title is no quotation"


def test_an_empty_library_has_nothing_to_ask() -> None:
    assert suggest(ScriptedLibrary(), "en") == []


@pytest.mark.parametrize("language", languages())
def test_no_title_and_no_speaker_is_pasted_into_a_question(language: str) -> None:
    offered = suggest(library_of(*TITLES.values(), language=language, speaker="River Council"), language)
    words = strings(language)
    assert offered == [words("suggest.documents"), words("suggest.overview")]


def test_questions_that_documents_answer_come_first_in_the_interface_s_language() -> None:
    library = library_of("Statement on rivers")
    made = [KeptQuestion("When was AICHR founded?", "en", "d0"), KeptQuestion("AICHR ก่อตั้งขึ้นเมื่อไร", "th", "d0")]
    assert suggest(library, "th", made)[0] == "AICHR ก่อตั้งขึ้นเมื่อไร"
    assert suggest(library, "en", made)[0] == "When was AICHR founded?"
    assert suggest(library, "vi", made) == suggest(library, "vi")


def test_a_subtitle_and_quotation_marks_are_left_out() -> None:
    assert topic_of("“Floods on the Red River”: a report of 2011") == "Floods on the Red River"
    assert topic_of("Hội nghị – Biên bản") == "Hội nghị"
    assert topic_of("ASEAN-Japan forum") == "ASEAN-Japan forum"


@given(st.text())
def test_a_topic_is_short_and_on_one_line_or_none(title: str) -> None:
    topic = topic_of(title)
    assert topic is None or (len(topic) <= LONGEST_TOPIC and topic == " ".join(topic.split()))


def test_what_could_be_asked_next_is_made_without_answering() -> None:
    assistant = ScriptedAssistant()
    (*_, finished) = assistant.ask("How many villages have warning bells?")
    assert isinstance(finished, Finished)
    before = len(assistant.asked)
    offered = suggest_next(assistant.library, finished.answer, "en")
    assert 1 <= len(offered) <= AFTER_AN_ANSWER
    assert len(assistant.asked) == before
    thai = finished.answer.model_copy(update={"language": "th"})
    for question in suggest_next(assistant.library, thai, "en"):
        assert any("\u0e00" <= character <= "\u0e7f" for character in question)


def test_a_heading_makes_a_question_that_says_whose_it_is() -> None:
    library = library_of("Statement on rivers")
    text = "Warning bells\nThe bells ring.\n"
    item = replace(library.document("d0"), title="Statement on rivers")
    library.put(item, text)
    (*_, finished) = ScriptedAssistant().ask("nothing of the kind")
    assert isinstance(finished, Finished)
    assert suggest_next(library, finished.answer, "en")[0] == "What is said about Warning bells (Statement on rivers)?"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("vi", "Hội đồng Nhân quyền được tổ chức ra sao"),
        ("en", "How the review works"),
        ("th", "แม่น้ำโขงสำคัญอย่างไร"),
        ("en", "Statement of the River Council on the bells of all villages"),
    ],
)
def test_a_title_that_asks_or_is_long_makes_no_question(language: str, title: str) -> None:
    library = library_of(title, language=language)
    (*_, finished) = ScriptedAssistant().ask("nothing of the kind")
    assert isinstance(finished, Finished)
    answer = finished.answer.model_copy(update={"language": language, "evidence": ()})
    assert not any(title in question for question in suggest_next(library, answer, language))


def test_a_title_in_capitals_does_not_shout() -> None:
    assert topic_of("QUY CHẾ HỢP TÁC XÃ") == "Quy Chế Hợp Tác Xã"
    assert topic_of("WOMEN'S CLUB: RULES") == "Women's Club"
    for kept in ("ASEAN", "ASEAN UPR", "กลไก UPR ทำงานอย่างไร"):
        assert topic_of(kept) == kept


def test_what_the_quoted_documents_are_known_to_answer_is_offered_next() -> None:
    library = library_of("Statement on rivers", "Statement on roads")
    (*_, finished) = ScriptedAssistant().ask("How many villages have warning bells?")
    assert isinstance(finished, Finished)
    cited = finished.answer.evidence[0].document.id
    other = next(each for each in ("d0", "d1") if each != cited)
    library.put(replace(library.document("d0"), id=cited, title="Statement on rivers"), "The bells ring.")
    made = [
        KeptQuestion("Who paid for the roads?", "en", other),
        KeptQuestion("Who rings the bells of Sop Moei?", "en", cited),
        KeptQuestion("ใครตีระฆัง", "th", cited),
        KeptQuestion(finished.answer.question, "en", cited),
    ]
    offered = suggest_next(library, finished.answer, "en", made)
    assert offered[:2] == [made[1].text, made[0].text], "those of the document that is quoted come first"
    assert not {made[2].text, made[3].text} & set(offered)
