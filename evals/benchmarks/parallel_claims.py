"""Make claims from a parallel collection, labelled by rule, and read the collection where it is.

A sentence and its translation say the same. So a sentence of one language is a true claim over the paragraph's
translation (over the corresponding sentence if both have the same number of sentences). It becomes false if a number or
a name in it is replaced, or another paragraph is cited. Sentences by a real model are added, from the saved runs of the
benchmark of answers: true if one has a gold answer and cites the paragraph that contains it, false if it has a number
or a name that the paragraphs don't have in any language. Sentences that neither rule covers are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import regex

from assistant.types import Evidence, Source
from evals.benchmarks.claims import LabelledClaim
from evals.benchmarks.questions import Paragraph, Parallel
from evals.text import fold
from ingest.sentences import sentences

LANGUAGES = ("en", "th", "vi")
LONGEST_QUOTE = 900
"""Code points: longer paragraphs are no quotes."""
_NUMBER = regex.compile(r"(?<![\p{N}.,\p{L}\-–])\d{2,4}(?![\p{N}\p{L}]|[.,]\d)")
_NAME = regex.compile(r"(?<=[\p{Ll},] )\p{Lu}\p{Ll}{3,}(?: \p{Lu}\p{Ll}{3,})+")


def translated_claims(parallel: dict[str, Parallel], step: int) -> Iterator[LabelledClaim]:
    """Yield true claims from every `step`-th paragraph, for each pair of languages, and corrupted copies of them."""
    count = len(parallel["en"].paragraphs)
    for number in range(0, count, step):
        for language in LANGUAGES:
            for quoted in LANGUAGES:
                if language != quoted:
                    yield from _pair(parallel, number, language, quoted, (number + count // 2) % count)


def _pair(
    parallel: dict[str, Parallel], number: int, language: str, quoted: str, other: int
) -> Iterator[LabelledClaim]:
    said, held = parallel[language].paragraphs[number], parallel[quoted].paragraphs[number]
    claims, quotes = _sentences(said), _sentences(held)
    place = (number * 7) % len(claims)
    quote = quotes[place] if len(claims) == len(quotes) else held.text
    foreign = _sentences(parallel[quoted].paragraphs[other])[0]
    if len(quote) > LONGEST_QUOTE or len(claims[place]) < 30:
        return
    evidence = (_evidence(1, held, quote), _evidence(2, parallel[quoted].paragraphs[other], foreign))
    identity = f"{language}-{quoted}-{number}"

    def labelled(kind: str, claim: str, cited: int, *, supported: bool) -> LabelledClaim:
        return LabelledClaim(
            f"{kind}-{identity}", "parallel", kind, language, quoted, supported, claim, (cited,), evidence
        )

    yield labelled("true", claims[place], 1, supported=True)
    yield labelled("citation", claims[place], 2, supported=False)
    if (changed := _other_number(claims[place], f"{said.text} {held.text}")) is not None:
        yield labelled("number", changed, 1, supported=False)
    if language == "en" and (changed := _other_name(claims[place], parallel["en"].paragraphs, number)) is not None:
        yield labelled("name", changed, 1, supported=False)


def _sentences(paragraph: Paragraph) -> list[str]:
    return [span.of(paragraph.text) for span in sentences(paragraph.text, paragraph.language)]


def _evidence(key: int, paragraph: Paragraph, quote: str) -> Evidence:
    source = Source(id=paragraph.uri, title=f"Paragraph {paragraph.number}", language=paragraph.language, sha256="")
    return Evidence(
        key=key,
        document=source,
        passage_id=paragraph.uri,
        start=0,
        end=len(quote),
        quote=quote,
        language=paragraph.language,
        score=1.0,
    )


def _other_number(claim: str, known: str) -> str | None:
    """Return the claim with one digit of its first number changed, to a number that is nowhere in the texts."""
    for match in _NUMBER.finditer(claim):
        for step in (3, 4, 6, 2):
            digit = str((int(match[0][-1]) + step) % 10)
            changed = match[0][:-1] + digit
            if changed not in known:
                return claim[: match.start()] + changed + claim[match.end() :]
    return None


def _other_name(claim: str, paragraphs: Sequence[Paragraph], number: int) -> str | None:
    """Return the claim with its first name of several words replaced by one of another article."""
    match = _NAME.search(claim)
    if match is None:
        return None
    article = paragraphs[number].article
    for paragraph in (*paragraphs[number:], *paragraphs[:number]):
        if paragraph.article != article and (found := _NAME.search(paragraph.text)) is not None:
            return claim[: match.start()] + found[0] + claim[match.end() :]
    return None


def model_claims(runs: Path, parallel: dict[str, Parallel]) -> Iterator[LabelledClaim]:
    """Yield a model's sentences in saved runs of the benchmark of answers, if a rule can label them."""
    for number, run in enumerate(json.loads(runs.read_text(encoding="utf-8"))["runs"]):
        evidence = tuple(_quoted(quote) for quote in run["quotes"])
        if not evidence:
            continue
        for place, (claim, cited) in enumerate(run["claims"]):
            label = _label(claim, cited, run, evidence, parallel)
            if label is not None:
                yield LabelledClaim(
                    f"model-{number}-{place}",
                    "model",
                    "model",
                    run["language"],
                    evidence[0].language,
                    label,
                    claim,
                    tuple(cited),
                    evidence,
                )


def _quoted(quote: dict[str, Any]) -> Evidence:
    return Evidence.model_validate(quote)


def _label(
    claim: str, cited: Sequence[int], run: dict[str, Any], evidence: Sequence[Evidence], parallel: dict[str, Parallel]
) -> bool | None:
    """Return whether the cited quotes support the claim, as far as a rule can tell; None if it can't."""
    from evals.benchmarks.answers import unsupported_words

    numbers = {int((each.document.uri or ":0").rsplit(":", 1)[1]) for each in evidence}
    known = "\n".join(part.paragraphs[number].text for number in numbers for part in parallel.values())
    if unsupported_words(claim, f"{known}\n{run['question']}"):
        return False
    held = [each for each in evidence if each.key in cited and any(fold(g) in fold(each.quote) for g in run["golds"])]
    if held and any(fold(gold) in fold(claim) for gold in run["golds"]):
        return True
    return None
