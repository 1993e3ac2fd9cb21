"""Measure what each rule is worth: ``python -m evals.benchmarks.rules``.

One rule is switched off at a time, and the labelled claims (`evals.benchmarks.claims`) and follow-up questions are
judged again. A rule's own figure is the share of right verdicts for the kind that it is for. Texts are embedded only
once.

A follow-up (``data/standalone.jsonl``) is right if it contains every word that it needs from the turns before (or is
unchanged if it stands alone), and none that would carry an old subject along. The cases of the part ``tune`` were used
to write the rules; ``report`` gives the result.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click

from assistant.answer.dialogue import followup_rules
from assistant.types import Message
from assistant.verify import claim_against_quotes, names, number_reading, polarity, text, thai_names, verifier
from assistant.verify.verdict import CALIBRATED, Thresholds
from evals.benchmarks import claims
from evals.benchmarks.figures import replace_section, share, table
from evals.benchmarks.questions import RememberingEmbedder

Switch = tuple[Any, str, object]
"""A module, a name in it, and its replacement while the rule is off."""

FOLLOW_UPS = Path(__file__).parent / "data" / "standalone.jsonl"


def _none(*_: object, **__: object) -> None:
    return None


def _true(*_: object) -> bool:
    return True


def _nothing(*_: object) -> frozenset[str]:
    return frozenset()


def _limits(**limits: float) -> dict[str, Thresholds]:
    return {name: Thresholds(**limits) for name in CALIBRATED}


OF_CLAIMS: dict[str, tuple[str, tuple[Switch, ...]]] = {
    "dates": ("date", ((verifier, "unsupported_date", _none),)),
    "numbers": ("number", ((verifier, "unsupported_number", _none),)),
    "numbers: words": ("number", ((number_reading, "NUMBER_WORDS", ()),)),
    "numbers: more than, nearly": ("negation", ((claim_against_quotes, "_bounds_agree", _true),)),
    "names": ("name", ((verifier, "unsupported_name", _none),)),
    "names: Thai": ("name", ((names, "thai_name_candidates", lambda _: []),)),
    "names: places": ("name", ((names, "entities_of", _nothing), (thai_names, "entities_of", _nothing))),
    "names: sounds": ("name", ((names, "occurs", _true), (thai_names, "occurs", _true))),
    "polarity": ("negation", ((verifier, "contradiction", _none),)),
    "polarity: denies what is said": ("negation", ((polarity, "_denies_what_is_said", _none),)),
    "polarity: denies where nothing is": ("negation", ((polarity, "_denies_where_nothing_is_denied", _none),)),
    "polarity: nearest clause denies": ("negation", ((polarity, "_plain_where_the_nearest_denies", _none),)),
    "polarity: opposites": ("negation", ((polarity, "_opposite", _none),)),
    "meaning": ("clause", ((verifier.Verifier, "_too_far", _none),)),
    "meaning: runs of words": ("clause", ((verifier, "CALIBRATED", _limits(run_within=-1, run_across=-1)),)),
    "meaning: another quote nearer": ("citation", ((verifier, "CALIBRATED", _limits(margin=9)),)),
}
OF_FOLLOW_UPS: dict[str, tuple[str, tuple[Switch, ...]]] = {
    "a thing takes the place of its like": ("swap", ((followup_rules, "_swapped_thing", _none),)),
    "a pronoun is replaced": ("pronoun", ((followup_rules, "_anaphor", _none),)),
    "a missing subject is put in front": ("ellipsis", ((followup_rules, "_lacks_subject", lambda *_: False),)),
    "who answered is meant": ("pronoun", ((followup_rules, "_person_in", _none),)),
}


def _forget() -> None:
    """Empty the caches of the rules' results for texts."""
    for cached in (text.content_spans, text.content_words, polarity.negations_in, names._latin_words):
        cached.cache_clear()


def _without(
    switches: Sequence[Switch], measure: Callable[[], dict[str, tuple[int, int]]]
) -> dict[str, tuple[int, int]]:
    _forget()
    with ExitStack() as stack:
        for place, name, value in switches:
            stack.enter_context(patch.object(place, name, value))
        return measure()


def _rows(
    kind_of_rule: dict[str, tuple[str, tuple[Switch, ...]]], measure: Callable[[], dict[str, tuple[int, int]]]
) -> list[tuple[str, ...]]:
    whole = _without((), measure)
    rows = []
    for rule, (kind, switches) in kind_of_rule.items():
        off = _without(switches, measure)
        shown = [rule, kind, str(whole[kind][1])]
        shown += [f"{share(one[kind][0] / one[kind][1])}" for one in (whole, off)]
        shown += [f"{share(one['true'][0] / one['true'][1])}" if "true" in one else "-" for one in (whole, off)]
        rows.append(tuple(shown))
        click.echo(" | ".join(shown), err=True)
    return rows


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One question after some turns, and what its standalone form must and must not contain."""

    id: str
    part: str
    language: str
    kind: str
    history: tuple[Message, ...]
    question: str
    stands_alone: bool
    contains: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...]

    def accepts(self, text: str) -> bool:
        """Return whether `text` is a right standalone form, ignoring letter case and a leading "and"."""
        folded = _fold(text)
        if self.stands_alone and not self.contains:
            return _fold(self.question).endswith(folded)
        needed = all(any(_fold(word) in folded for word in words) for words in self.contains)
        return needed and not any(_fold(word) in folded for word in self.excludes)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip(" ?")


def load_follow_ups(path: Path = FOLLOW_UPS) -> Iterator[FollowUp]:
    """Yield the labelled cases in the order of their file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        history = tuple(Message(turn["role"], turn["text"]) for turn in case.pop("history"))
        contains = tuple(tuple(words) for words in case.pop("contains"))
        yield FollowUp(history=history, contains=contains, excludes=tuple(case.pop("excludes")), **case)


def score(cases: Sequence[FollowUp], rewrite: Callable[[str, tuple[Message, ...]], str]) -> dict[str, tuple[int, int]]:
    """Return the number of right cases and of all, by part, by part and language, and by part and kind."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        right = case.accepts(rewrite(case.question, case.history))
        for row in (case.part, f"{case.part} {case.language}", f"{case.part} {case.kind}"):
            counts[row].append(right)
    return {row: (sum(right), len(right)) for row, right in sorted(counts.items())}


@click.command()
@click.option("--docs", is_flag=True, help="Rewrite the page of figures.")
def main(docs: bool) -> None:
    """Print each rule's own figure with and without it."""
    embedder, centering = claims._embedding()
    cases, follow_ups = list(claims.load()), list(load_follow_ups())
    remembering = RememberingEmbedder(embedder)

    def of_claims() -> dict[str, tuple[int, int]]:
        judged = claims.judge(cases, remembering, centering)
        kinds = {each.case.kind for each in judged}
        groups = {kind: [each.is_right for each in judged if each.case.kind == kind] for kind in kinds}
        return {kind: (sum(right), len(right)) for kind, right in groups.items()}

    def of_follow_ups() -> dict[str, tuple[int, int]]:
        counted = score(follow_ups, followup_rules.standalone)
        kinds = {row.split(" ", 1)[1] for row in counted if " " in row}
        parts = {kind: [counted.get(f"{part} {kind}", (0, 0)) for part in ("tune", "report")] for kind in kinds}
        return {kind: (sum(right for right, _ in each), sum(n for _, n in each)) for kind, each in parts.items()}

    header = ("rule", "own figure", "n", "with it", "without it", "true ones let through with it", "without it")
    shown = table(header, [*_rows(OF_CLAIMS, of_claims), *_rows(OF_FOLLOW_UPS, of_follow_ups)])
    click.echo(shown)
    if docs:
        replace_section("rules", shown)


if __name__ == "__main__":
    main()
