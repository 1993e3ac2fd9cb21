"""The samples contain what the benchmarks' labelled sets ask for, and rules reach their measured figures."""

from __future__ import annotations

from assistant.answer.dialogue.followup_rules import standalone
from evals.benchmarks import followups, shown_quotes
from evals.benchmarks.rules import load_follow_ups, score
from evals.text import fold
from ingest.pipeline import SAMPLES
from ingest.read import read_document


def samples() -> str:
    files = [path for path in SAMPLES.iterdir() if path.suffix in {".txt", ".md", ".html"}]
    return fold(" ".join(block.text for path in files for block in read_document(path).blocks))


def test_what_labels_ask_for_stands_in_the_samples() -> None:
    text = samples()
    wanted = [words for case in followups.load() for words in case.holds]
    wanted += [words for label in shown_quotes.load() for words in label.relevant]
    assert [words for words in wanted if fold(words) not in text] == []


def test_a_quote_is_relevant_whatever_its_unicode_form() -> None:
    label = shown_quotes.Labelled("vi", "Bao nhiêu phiếu?", ("19 phiếu thuận",))
    assert label.is_relevant("Nghị quyết được 19 phiếu thuận.")
    assert not label.is_relevant("Nghị quyết được 20 phiếu thuận.")


def test_follow_ups_that_the_rules_never_saw_are_mostly_understood() -> None:
    table = score(list(load_follow_ups()), standalone)
    right, total = table["report"]
    assert right / total >= 0.88
    right, total = table["report switch"]
    assert right / total >= 0.9
