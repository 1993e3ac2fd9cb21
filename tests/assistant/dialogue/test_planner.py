"""A conversation with a library of the shipped samples works with the real model."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.answer.dialogue.classifier import EXAMPLES, FITTED, TurnClassifier, fitted_name, load_examples
from assistant.answer.pipeline import Assistant
from assistant.answer.question import Question
from assistant.types import Answer, AskOptions, Finished, Message
from evals.benchmarks.turns import LOOKED_UP, f1_by_kind, load, recall_of_questions
from store.library import Library
from store.text.fold import fold
from store.types import Filter


@pytest.fixture(scope="module")
def assistant(new_sample_home: Callable[[], Path]) -> Iterator[Assistant]:
    """Over a library of the shipped samples."""
    with Library.open(new_sample_home()) as library:
        yield Assistant(library)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """Over a library without documents."""
    with Library.open(tmp_path_factory.mktemp("empty")) as library:
        yield Assistant(library)


def converse(assistant: Assistant, *turns: str, options: AskOptions = AskOptions()) -> Answer:
    """Return the answer to the last of several turns."""
    history: list[Message] = []
    answer: Answer | None = None
    for turn in turns:
        answer = assistant.answer(turn, history, options)
        history += [Message("user", turn), Message("assistant", answer.text)]
    assert answer is not None
    return answer


def files(answer: Answer) -> set[str]:
    return {(each.document.uri or "").removeprefix("sample:") for each in answer.evidence}


def squeezed(text: str) -> str:
    return "".join(character for character in fold(text) if character.isalnum())


def test_the_fit_that_ships_is_of_the_examples_as_they_are(assistant: Assistant) -> None:
    assert [path.name for path in FITTED.glob("*.npz")] == [fitted_name(assistant.library.embedder)]


def test_no_turn_of_the_benchmark_is_an_example() -> None:
    examples = {squeezed(example.text) for example in load_examples()} - {""}
    assert not [turn.text for turn in load() if squeezed(turn.text) in examples]
    assert len([turn for turn in load() if (EXAMPLES / f"{turn.language}.yaml").is_file()]) >= 400


def test_kinds_of_turns_are_told_apart(assistant: Assistant) -> None:
    turns = [turn for turn in load() if turn.kind in {"question", "greeting", "comparison"}][::3]
    guesses = TurnClassifier(assistant.library.embedder).kinds([turn.text for turn in turns])
    labels = [turn.kind for turn in turns]
    assert recall_of_questions(labels, guesses, LOOKED_UP) >= 0.97
    assert f1_by_kind(labels, guesses)["greeting"] >= 0.9


@pytest.mark.parametrize(
    ("turn", "language", "words"),
    [("hello", "en", "18 documents"), ("xin chào", "vi", "18 tài liệu"), ("ขอบคุณครับ", "th", "18 ฉบับ")],
)
def test_a_courtesy_is_answered_in_its_language_with_what_the_library_holds(
    assistant: Assistant, turn: str, language: str, words: str
) -> None:
    answer = converse(assistant, turn)
    assert (answer.kind, answer.language, answer.answered, answer.evidence) == ("talk", language, True, ())
    assert words in answer.text
    assert answer.text.count("\n- ") == 2


def test_an_empty_library_says_so(empty: Assistant) -> None:
    assert "add documents" in converse(empty, "hello").text
    assert converse(empty, "What documents do you have?").abstain_reason == "empty_library"
    assert converse(empty, "Summarize everything").abstain_reason == "empty_library"


def test_the_library_names_its_documents_by_language_speaker_date_and_subject(assistant: Assistant) -> None:
    assert converse(assistant, "How many documents do you have?").total == 18
    assert converse(assistant, "Which documents are in Vietnamese?").total == 6
    by = converse(assistant, "what do you have by the Mekong network?")
    assert [source.title for source in by.documents] == ["Ghi chép của người quan sát tại Bàn tròn Ven sông"]
    since = converse(assistant, "documents since 2024")
    assert all((source.published or "") >= "2024" for source in since.documents)
    none = converse(assistant, "Do you have a document about bicycles?")
    assert (none.answered, none.total) == (False, 0)
    narrowed = converse(assistant, "What documents do you have?", "Which ones are in Thai?")
    assert (narrowed.kind, narrowed.total) == ("library", 6)


def test_the_library_says_nothing_of_what_a_filter_leaves_out(assistant: Assistant) -> None:
    options = AskOptions(filter=Filter(languages=("th",)))
    answer = converse(assistant, "What documents do you have?", options=options)
    assert {source.language for source in answer.documents} == {"th"}
    assert converse(assistant, "Which documents are in English?", options=options).total == 0
    assert "6 documents" in converse(assistant, "hello", options=options).text


def test_an_overview_quotes_the_document_that_is_meant_in_its_order(assistant: Assistant) -> None:
    answer = converse(assistant, "Summarize the Vienna declaration")
    assert (answer.kind, files(answer)) == ("overview", {"vienna-1993.en.md"})
    assert 3 <= len(answer.evidence) <= 5
    assert [each.start for each in answer.evidence] == sorted(each.start for each in answer.evidence)


def test_this_document_is_the_one_that_was_spoken_of(assistant: Assistant) -> None:
    asked = "When did the World Conference on Human Rights meet in Vienna?"
    assert files(converse(assistant, asked, "Summarize this document")) == {"vienna-1993.en.md"}
    assert converse(assistant, "Summarize this document").total == 18


def test_a_position_quotes_that_speaker_alone(assistant: Assistant) -> None:
    answer = converse(assistant, "What does UNA-China say about sovereignty?")
    assert answer.kind == "overview"
    assert files(answer) <= {"una-china-statement-2022.en.txt", "upr-side-event-2024.vi.html"}
    assert any("sovereign" in each.quote for each in answer.evidence)
    assert {key for section in answer.sections for key in section.keys} == {each.key for each in answer.evidence}


def test_a_comparison_has_two_sides_with_quotes_of_each(assistant: Assistant) -> None:
    answer = converse(assistant, "What is the difference between AICHR and ACWC?")
    assert answer.kind == "comparison"
    assert [section.title for section in answer.sections] == ["AICHR", "ACWC"]
    quotes = {each.key: each.quote for each in answer.evidence}
    for section in answer.sections:
        assert any(section.title in quotes[key] for key in section.keys)


def test_a_side_that_the_documents_are_silent_on_is_said_to_be(assistant: Assistant) -> None:
    answer = converse(assistant, "What is the difference between AICHR and the Zorbulon treaty?")
    assert [bool(section.keys) for section in answer.sections] == [True, False]


def test_a_list_says_how_many_there_are(assistant: Assistant) -> None:
    answer = converse(assistant, "List all mentions of COVID-19")
    assert answer.kind == "list"
    assert answer.total == len(answer.evidence)
    assert f"{answer.total} passage" in answer.text


def test_a_follow_up_stays_in_the_document_or_leaves_it(assistant: Assistant) -> None:
    stays = converse(
        assistant, "When did the World Conference on Human Rights meet in Vienna?", "And who was its secretary-general?"
    )
    assert any("Ibrahima Fall" in each.quote for each in stays.evidence)
    leaves = converse(
        assistant, "Who was the first High Commissioner for Human Rights?", "Who took office in October 2022?"
    )
    assert any("Volker Türk" in each.quote for each in leaves.evidence)


@pytest.mark.parametrize(
    ("turn", "follow_up"),
    [
        ("Hội nghị Vienna diễn ra khi nào?", "Còn ở đâu?"),
        ("Hội nghị Vienna diễn ra khi nào?", "Có bao nhiêu quốc gia tham dự?"),
        ("Bàn tròn Ven sông diễn ra khi nào?", "Ai chủ trì cuộc họp đó?"),
        ("Tóm tắt Tuyên ngôn Vienna", "còn Bàn tròn Ven sông?"),
        ("So sánh ban tổ chức và người quan sát về số người tham dự", "còn về lũ lụt?"),
        ("Hội nghị Vienna diễn ra khi nào?", "bằng tiếng Thái"),
    ],
)
def test_a_follow_up_to_decomposed_vietnamese_is_answered_like_one_to_composed(
    assistant: Assistant, turn: str, follow_up: str
) -> None:
    composed = [Message("user", turn), Message("assistant", assistant.answer(turn).text)]
    decomposed = [Message(each.role, unicodedata.normalize("NFD", each.text)) for each in composed]
    assert decomposed != composed
    expected, *others = (
        assistant.answer(asked, history).model_copy(update={"question": "", "timings_ms": {}})
        for history in (composed, decomposed)
        for asked in (follow_up, unicodedata.normalize("NFD", follow_up))
    )
    assert others == [expected] * 3


def test_thanks_between_two_questions_are_nothing_to_point_back_to(assistant: Assistant) -> None:
    asked = "When did the World Conference on Human Rights meet in Vienna?"
    answer = converse(assistant, asked, "thank you", "How many states took part in it?")
    assert any("171 states" in each.quote for each in answer.evidence)


def test_the_last_question_is_answered_again_in_the_language_asked_for(assistant: Assistant) -> None:
    asked = "When did the World Conference on Human Rights meet in Vienna?"
    answer = converse(assistant, asked, "in Thai please")
    assert (answer.language, answer.question, answer.standalone_question) == ("th", "in Thai please", asked)
    assert answer.text.startswith("ตามข้อมูลของ")
    assert converse(assistant, "in Thai please").kind == "talk"


def test_every_form_ends_with_the_events_of_an_answer(assistant: Assistant) -> None:
    for turn in ("hello", "What documents do you have?", "Summarize the Vienna declaration"):
        *before, last = assistant.ask(turn)
        assert isinstance(last, Finished)
        assert before
        for claim in last.answer.claims:
            assert last.answer.text[claim.start : claim.end] == claim.text


@pytest.mark.parametrize(
    ("turns", "kind", "understood", "quoted_from"),
    [
        (
            ("What does UNA-China say about sovereignty?", "And about security?", "And Xi Jinping?"),
            "overview",
            "What does Xi Jinping say about security?",
            "letter-beijing-2023.en.txt",
        ),
        (
            ("UNA-China nói gì về chủ quyền?", "Còn về phát triển?"),
            "overview",
            "UNA-China nói gì về phát triển?",
            "una-china-statement-2022.en.txt",
        ),
        (
            ("Summarize the Vienna declaration document", "And the Universal Declaration?"),
            "overview",
            "Summarize the Universal Declaration",
            "udhr-1948.en.html",
        ),
        (("สรุปเอกสารกลไกสิทธิมนุษยชนของอาเซียน", "แล้ว UPR ล่ะ"), "overview", "สรุปUPR", "upr-how-it-works.th.txt"),
        (
            ("Compare AICHR and ACWC", "And the UPR?"),
            "comparison",
            "Compare AICHR and the UPR",
            "asean-rights.th.txt",
        ),
    ],
)
def test_a_turn_that_only_names_another_thing_asks_the_same_of_it(
    assistant: Assistant, turns: tuple[str, ...], kind: str, understood: str, quoted_from: str
) -> None:
    answer = converse(assistant, *turns)
    assert (answer.kind, answer.standalone_question) == (kind, understood)
    assert quoted_from in files(answer)


@pytest.mark.parametrize(
    ("turns", "understood"),
    [
        (("List all treaties signed in 2015", "And in 2016?"), "List all treaties signed in 2016"),
        (("List everything about trade", "And about work?"), "List everything about work"),
        (("Compare women and men", "And children?"), "Compare women and children"),
        (("So sánh Việt Nam và Nam", "Còn Lào?"), "So sánh Việt Nam và Lào"),
        (("Compare Norway and Sweden on trade", "And about work?"), "Compare Norway and Sweden on work"),
        (("Compare Norway and Sweden", "And Denmark?", "And Finland?"), "Compare Norway and Finland"),
        (("Compare Norway, Sweden and Denmark", "And Finland?"), None),
        (("List all members of the board", "And the manager?"), None),
        (("What does the President say about trade?", "And the minister?"), None),
    ],
)
def test_the_part_that_is_asked_again_is_the_one_of_its_kind(
    assistant: Assistant, turns: tuple[str, ...], understood: str | None
) -> None:
    history = [each for turn in turns[:-1] for each in (Message("user", turn), Message("assistant", "…"))]
    asked = Question(turns[-1], turns[-1], "en", AskOptions(), 0.0)
    again = assistant._planner._of_the_same_kind("follow_up", asked, history)
    assert (again[1].alone if again else None) == understood


@pytest.mark.parametrize("subject", ["football", "climate change"])
def test_a_speaker_who_says_nothing_about_a_subject_isn_t_quoted_on_it(assistant: Assistant, subject: str) -> None:
    assert not converse(assistant, f"What does UNA-China say about {subject}?").answered


@pytest.mark.parametrize("thanks", ["ขอบคุณ", "ขอบคุณครับ", "cảm ơn bạn", "thanks!"])
def test_thanks_are_not_greeted(assistant: Assistant, thanks: str) -> None:
    text = converse(assistant, thanks).text
    assert not text.startswith(("Hello", "Xin chào", "สวัสดี"))
