"""On the page, files are added without blocking questions, and changes to the library can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.document_editor import safe_name
from evals.formats import load
from tests.page.conftest import Served, Visit


@pytest.fixture
def editor(visit: Visit, served: Served) -> Iterator[Visit]:
    """The page with the library open; what a test put in or changed is put right afterwards."""
    before = dict(served.assistant.library.kept)
    visit.page.click("#open-library")
    visit.page.wait_for_selector("#document-list tr[data-document]")
    yield visit
    served.assistant.library.kept = before


def test_the_library_lists_what_is_known_of_each_document(editor: Visit) -> None:
    line = editor.page.locator("tr[data-document='river']").inner_text()
    for known in ("Thông cáo về dòng sông", "Quỹ Dòng Sông", "2019", "Vietnamese", "river.txt"):
        assert known in line
    editor.page.fill("#document-list-find", "RIVER COUNCIL")
    editor.page.wait_for_function("document.querySelectorAll('tr[data-document]').length == 1")
    editor.page.fill("#document-list-find", "no such")
    editor.page.wait_for_selector("#document-list .empty")


def test_many_files_are_added_with_their_progress_and_failures_by_name(editor: Visit, tmp_path: Path) -> None:
    (tmp_path / "lake.txt").write_text("The lake\nThe lake froze in December 1888 entirely.\n", encoding="utf-8")
    (tmp_path / "binary.txt").write_bytes(b"\0\1\2")
    (tmp_path / "picture.exe").write_bytes(b"MZ")
    (tmp_path / "large.txt").write_bytes(b"x" * (3 * 1024 * 1024))
    editor.page.set_input_files("#picker", [str(path) for path in sorted(tmp_path.iterdir())])
    editor.page.wait_for_selector("#intake [data-state='reading'] progress")
    editor.page.wait_for_selector("#intake [data-state='added']")
    shown = editor.page.locator("#intake").inner_text()
    assert "This is not a text file" in shown
    assert "picture.exe is of a kind that can't be read; these can: .txt" in shown
    assert "larger than the limit of 2 MiB" in shown
    editor.page.wait_for_selector("tr[data-document='lake']")
    editor.page.click("[data-do='view.close']")
    editor.ask("When was the lake frozen entirely in December?")
    assert "froze in December 1888" in editor.page.locator(".turn q").inner_text()
    editor.errors.clear()  # the browser itself notes the refusals


def test_files_are_dropped_onto_the_page(editor: Visit) -> None:
    editor.page.evaluate(
        """() => { const files = new DataTransfer();
            files.items.add(new File(['Dropped\\nThe dropped paper speaks of glaciers.\\n'], 'dropped.txt'));
            window.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true})); }"""
    )
    editor.page.wait_for_selector("tr[data-document='dropped']")


def test_questions_are_answered_while_a_file_is_taken_in(editor: Visit, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"slow{number}.txt").write_text(f"Slow\nSlow file number {number} of five.\n", encoding="utf-8")
    editor.page.set_input_files("#picker", [str(path) for path in sorted(tmp_path.iterdir())])
    editor.page.wait_for_selector("#intake [data-state='reading']")
    editor.page.click("[data-do='view.close']")
    editor.ask("How many villages have warning bells?")
    assert editor.page.locator("#intake [data-state=added]").count() < 5
    editor.page.click("#open-library")
    editor.page.wait_for_function("document.querySelectorAll('#intake [data-state=added]').length >= 5")


def test_a_document_is_described_anew(editor: Visit) -> None:
    editor.page.click("tr[data-document='river'] [data-do='library.edit']")
    editor.page.fill("#edit-title", "Rivers <b>anew</b>")
    editor.page.fill("#edit-published", "2020-02")
    editor.page.click("#ask-dialog .primary")
    editor.page.wait_for_function(
        "document.querySelector(\"tr[data-document='river']\").textContent.includes('2020-02')"
    )
    assert "Rivers <b>anew</b>" in editor.page.locator("tr[data-document='river']").inner_text()
    editor.page.click("tr[data-document='river'] [data-do='library.edit']")
    editor.page.fill("#edit-published", "soon")
    editor.page.click("#ask-dialog .primary")
    editor.page.wait_for_selector(".toast.on")
    assert "A date is a year, a month or a day" in editor.page.locator("#toast").inner_text()
    editor.errors.clear()  # the browser itself notes the refusal


def test_what_is_saved_is_shown_also_where_the_list_was_made_anew_meanwhile(editor: Visit, tmp_path: Path) -> None:
    (tmp_path / "meanwhile.txt").write_text("A note that comes in while somebody types.")
    editor.page.set_input_files("#picker", [str(tmp_path / "meanwhile.txt")])
    editor.page.click("tr[data-document='forum'] [data-do='library.edit']")
    editor.page.fill("#edit-published", "2021-04")
    editor.page.wait_for_selector("tr[data-document='meanwhile']", state="attached")
    editor.page.click("#ask-dialog .primary")
    editor.page.wait_for_function(
        "document.querySelector(\"tr[data-document='forum']\").textContent.includes('2021-04')"
    )


def test_a_removed_document_is_gone_from_answers_and_can_be_brought_back(editor: Visit, served: Served) -> None:
    editor.page.click("tr[data-document='statement'] [data-do='library.remove']")
    editor.page.wait_for_selector(".toast.on")
    assert editor.page.locator("tr[data-document='statement']").count() == 0
    assert "statement" not in served.assistant.library.kept
    editor.page.click(".toast button")
    editor.page.wait_for_selector("tr[data-document='statement']")
    assert "statement" in served.assistant.library.kept


def test_a_document_of_the_library_opens_in_the_reader(editor: Visit) -> None:
    editor.page.click("tr[data-document='forum'] .link")
    editor.page.wait_for_selector(".reader")
    assert "เชียงใหม่" in editor.page.locator(".reader-text").inner_text()
    assert editor.page.locator(".reader mark").count() == 0


def test_a_document_with_suspicious_characters_says_so_where_it_is_listed_and_read(
    editor: Visit, served: Served
) -> None:
    river, text = served.assistant.library.kept["river"]
    served.assistant.library.put(replace(river, signs=("tags", "title", "of tomorrow")), text)
    try:
        editor.page.fill("#document-list-find", "dòng sông")
        editor.page.wait_for_selector("tr[data-document='river'] .signs")
        assert editor.page.locator(".signs").count() == 1
        assert editor.page.locator(".signs p").is_hidden()
        editor.page.locator(".signs summary").focus()
        editor.page.keyboard.press("Enter")
        told = editor.page.locator(".signs p").inner_text()
        assert "tag characters" in told
        assert "look like Latin ones" in told
        editor.page.click("tr[data-document='river'] .link")
        assert editor.page.locator(".reader .notice").inner_text() == told
    finally:
        served.assistant.library.put(river, text)


def test_all_is_embedded_anew_when_asked(editor: Visit) -> None:
    editor.page.click("[data-do='library.embed']")
    editor.page.click("#ask-dialog .primary")
    editor.page.wait_for_selector("#intake [data-state='reading'] progress")
    editor.page.wait_for_selector("#intake [data-state='updated'] >> text=Embed all again")


def test_a_new_conversation_leaves_the_library(editor: Visit) -> None:
    editor.page.click(".side [data-do='conversation.new']")
    assert editor.page.locator("#view").is_hidden()
    editor.ask("warning bells")


def test_the_map_shows_languages_speakers_and_years(editor: Visit) -> None:
    editor.page.click("#map > summary")
    editor.page.wait_for_selector("#map figure")
    shown = editor.page.locator("#map").inner_text()
    for known in ("Thai", "Vietnamese", "River Council", "2019", "2021"):
        assert known in shown
    assert editor.page.locator("#map .bars i").first.bounding_box() is not None


def test_a_complaint_becomes_a_test_case_in_one_click(visit: Visit, tmp_path: Path) -> None:
    visit.ask("How many villages have warning bells?")
    visit.ask("And the floods of million dollars?")
    last = visit.page.locator(".turn").last
    last.locator("[data-do='feedback.good']").click()
    visit.page.wait_for_selector("[data-do='feedback.good'][aria-pressed='true']")
    last.locator(".answer-text").click()
    visit.page.hover(".turn:last-child .evidence .card[data-key='1']")
    visit.page.click(".turn:last-child .evidence .wrong[data-key='1']")
    visit.page.wait_for_selector(".turn:last-child .evidence .wrong[aria-pressed='true']")
    turn = last.get_attribute("data-turn")

    visit.page.click("#open-library")
    with visit.page.expect_download() as waiting:
        visit.page.click("a[download='feedback.yaml']")
    target = tmp_path / "feedback.yaml"
    waiting.value.save_as(target)
    (case,) = [
        case for case in yaml.safe_load(target.read_text(encoding="utf-8"))["cases"] if case["id"] == f"feedback-{turn}"
    ]
    assert [asked["question"] for asked in case["turns"]] == [
        "How many villages have warning bells?",
        "And the floods of million dollars?",
    ]
    assert case["tags"] == ["bad", "good"]
    assert case["expect"]["answerable"] is True
    assert "twelve million dollars" in case["expect"]["must_not_contain"][0]
    assert any(read.id == f"feedback-{turn}" for read in load(target).cases)


@given(st.text())
def test_an_uploaded_name_never_leaves_its_folder(name: str) -> None:
    plain = safe_name(name)
    assert plain and plain not in (".", "..")
    assert not set(plain) & set("/\\\0:")
    assert len(plain.encode()) <= 255
    assert Path("/uploads", plain).parent == Path("/uploads")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\x\\báo cáo.pdf", "báo cáo.pdf"),
        ("...", "document"),
        ("ก" * 200 + ".txt", "ก" * 58 + ".txt"),
    ],
)
def test_a_name_is_kept_where_it_can_be(name: str, plain: str) -> None:
    assert safe_name(name) == plain
