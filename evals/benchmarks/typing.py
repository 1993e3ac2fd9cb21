"""Measure how well mistyped questions are answered: ``python -m evals.benchmarks.typing``.

The questions are those of the shipped suites that the samples answer, distorted like mistakes in typing: without marks,
with one wrong mark, in the keys of Telex and VNI, Thai in Latin keys and English in Thai ones, French without accents,
one typo in each long word. Each is asked as typed and as Attest corrects it. The seed is fixed.
"""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import regex

from assistant.answer.pipeline import Assistant
from assistant.types import AskOptions
from evals.ask import RunConfig, ask_turn
from evals.expectations import judge_turn
from evals.formats.load import shipped
from evals.gold_lookup import look_up
from evals.libraries import cache_folder, library_of
from evals.types import Case, Turn
from store.library import Library
from store.settings import load_settings
from store.text.spellings import bare

SEED = 20
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_TONES = {"\u0300": ("f", "2"), "\u0301": ("s", "1"), "\u0309": ("r", "3"), "\u0303": ("x", "4"), "\u0323": ("j", "5")}
_MARKS = {
    "ă": ("aw", "a8"), "â": ("aa", "a6"), "ê": ("ee", "e6"), "ô": ("oo", "o6"), "ơ": ("ow", "o7"), "ư": ("uw", "u7"),
    "đ": ("dd", "d9"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """A question of a suite as somebody types it."""

    kind: str
    case: Case
    text: str

    @property
    def turn(self) -> Turn:
        """Return the question as it is meant, with the expectations."""
        return self.case.turns[0]


def without_marks(text: str, _: random.Random) -> str:
    """Return `text` without marks on its letters."""
    stripped = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in stripped if not unicodedata.combining(letter))


def wrong_mark(text: str, chance: random.Random) -> str:
    """Return `text` with another tone on one of its marked words."""
    words = [word for word in _WORD.finditer(text) if bare(word[0]) != word[0].lower() and word[0].islower()]
    if not words:
        return text
    word = chance.choice(words)
    letters = unicodedata.normalize("NFD", word[0])
    tones = [letter for letter in letters if letter in _TONES]
    if tones:
        other = chance.choice([tone for tone in _TONES if tone != tones[0]])
        changed = letters.replace(tones[0], other)
    else:
        changed = without_marks(letters, chance)
    return text[: word.start()] + unicodedata.normalize("NFC", changed) + text[word.end() :]


def keys(method: int) -> Callable[[str, random.Random], str]:
    """Return `text` in the keys of Telex (0) or VNI (1)."""

    def typed(match: regex.Match[str]) -> str:
        letters = unicodedata.normalize("NFD", match[0])
        tone = "".join(_TONES[letter][method] for letter in letters if letter in _TONES)
        toneless = unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in _TONES))
        out = "".join(_MARKS.get(letter.lower(), (letter, letter))[method] for letter in toneless)
        return out + tone

    return lambda text, _: _WORD.sub(typed, text)


def latin_keys(text: str, _: random.Random) -> str:
    """Return Thai `text` as typed on a keyboard left on a Latin layout; digits and acronyms stay."""
    from pythainlp.util import thai_to_eng

    return regex.sub(r"[\p{Thai}?]+", lambda match: thai_to_eng(match[0]), text)


def thai_keys(text: str, _: random.Random) -> str:
    """Return Latin `text` as typed on a keyboard left on the Thai layout; digits stay."""
    from pythainlp.util import eng_to_thai

    return regex.sub(r"[^\d\s]+", lambda match: eng_to_thai(match[0]), text)


def typos(text: str, chance: random.Random, shortest: int = 6) -> str:
    """Return `text` with a letter left out, doubled, swapped or wrong in each word of `shortest` letters or more."""

    def mistyped(match: regex.Match[str]) -> str:
        word = match[0]
        if len(word) < shortest or not word.islower():
            return word
        at = chance.randrange(1, len(word) - 1)
        other = chance.choice("abcdefghijklmnopqrstuvwxyz")
        return chance.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + other + word[at + 1 :],
            ]
        )

    return _WORD.sub(mistyped, text)


KINDS: dict[str, tuple[str, Callable[[str, random.Random], str]]] = {
    "no-marks": ("vi", without_marks),
    "wrong-mark": ("vi", wrong_mark),
    "telex": ("vi", keys(0)),
    "vni": ("vi", keys(1)),
    "typos-vi": ("vi", lambda text, chance: typos(text, chance, 5)),
    "typos-en": ("en", typos),
    "typos-en-small": ("en", lambda text, chance: typos(text.lower(), chance)),
    "thai-in-latin-keys": ("th", latin_keys),
    "english-in-thai-keys": ("en", thai_keys),
}


def questions(language: str | None = None) -> Iterator[Case]:
    """Yield the first turns of the shipped suites that the samples answer, each question once."""
    seen = set()
    for suite in shipped():
        for case in suite.cases:
            turn = case.turns[0]
            is_plain = turn.expect.answerable and turn.expect.quote_contains and "noisy" not in case.tags
            if is_plain and language in (None, turn.language) and turn.question not in seen:
                seen.add(turn.question)
                yield case.model_copy(update={"turns": (turn,)})


def distorted(kind: str, most: int) -> list[Typed]:
    """Return up to `most` questions as somebody types them."""
    language, distort = KINDS[kind]
    chance = random.Random(SEED)  # noqa: S311 - not for secrets
    found = [Typed(kind, case, distort(case.turns[0].question, chance)) for case in questions(language)]
    found = [typed for typed in found if typed.text != typed.turn.question]
    chance.shuffle(found)
    return found[:most]


@click.command()
@click.option("--most", default=40, help="Questions of each kind.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only this kind. Repeatable.")
@click.option("--cache", type=click.Path(path_type=Path), default=cache_folder, help="Where the samples' library is.")
@click.option("--meant", "only_meant", is_flag=True, help="Only say which questions are read as they were meant.")
@click.option("--wrong", is_flag=True, help="Also print the questions that went wrong.")
def main(most: int, kinds: tuple[str, ...], cache: Path, only_meant: bool, wrong: bool) -> None:
    """Print how many are read as meant, and how many are answered rightly as meant, as typed, and now."""
    suite = next(suite for suite in shipped() if suite.documents is not None)
    with library_of(suite, load_settings(None), cache) as settings, Library.open(settings, read_only=True) as library:
        assistant = Assistant(library)
        _print_false_alarms(assistant)
        for kind in kinds or KINDS:
            _print_kind(distorted(kind, most), assistant, only_meant=only_meant, wrong=wrong)


def _print_false_alarms(assistant: Assistant) -> None:
    """Print which questions of the suites, typed correctly, are changed."""
    from assistant.answer.spelling.speller import meant
    from store.types import Filter

    every = [case.turns[0].question for case in questions()]
    changed = [(typed, found.text) for typed in every if (found := meant(typed, assistant.library, Filter()))]
    click.echo(f"rightly typed: {len(changed)} of {len(every)} are taken for something else")
    for typed, read in changed:
        click.echo(f"  {typed!r} -> {read!r}")


def _print_kind(cases: list[Typed], assistant: Assistant, *, only_meant: bool, wrong: bool) -> None:
    from assistant.answer.spelling.speller import meant
    from store.types import Filter

    gold = look_up(assistant.library, [typed.case for typed in cases]).found
    config = {as_typed: RunConfig(AskOptions(as_typed=as_typed), found=gold) for as_typed in (True, False)}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for typed in cases:
        found = meant(typed.text, assistant.library, Filter())
        read = found.text if found else typed.text
        exact = read.lower().strip(" ?") == typed.turn.question.lower().strip(" ?")
        outcome = {"read": exact}
        if not only_meant:
            for name, text, as_typed in (
                ("as meant", typed.turn.question, True),
                ("as typed", typed.text, True),
                ("now", typed.text, False),
            ):
                turn = typed.turn.model_copy(update={"question": text})
                checks = judge_turn(turn, ask_turn(assistant, turn, (), config[as_typed]))
                outcome[name] = all(check.passed for check in checks)
        for name, is_right in outcome.items():
            right[name] += is_right
            total[name] += 1
        if wrong and not (exact and outcome.get("now", True)):
            click.echo(f"  {outcome} {typed.turn.question!r}: {typed.text!r} -> {read!r}")
    click.echo(f"{cases[0].kind:22}" + "  ".join(f"{name} {right[name]:3} of {total[name]:3}" for name in total))


if __name__ == "__main__":
    main()
