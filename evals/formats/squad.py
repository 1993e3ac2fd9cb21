"""Read SQuAD 1.1 and 2.0 JSON, and data sets of the same form: XQuAD, MLQA, TyDi QA gold passages.

Each paragraph becomes one document, named ``title/number``; each question a case with known gold answers, positions and
document. The questions of one article form a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import regex
from pydantic import BaseModel, ConfigDict, ValidationError

from evals.formats.problems import at
from evals.formats.suite import SourceText, question_languages
from evals.types import Case, Gold, GoldSpan, Turn


class _Part(BaseModel):
    """Unknown keys are ignored: every data set that shares the shape adds its own."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class _Answer(_Part):
    text: str
    answer_start: int | None = None


class _Question(_Part):
    id: str
    question: str
    answers: tuple[_Answer, ...] = ()
    is_impossible: bool | None = None


class _Paragraph(_Part):
    context: str
    qas: tuple[_Question, ...] = ()


class _Article(_Part):
    title: str = "article"
    paragraphs: tuple[_Paragraph, ...]


class Squad(_Part):
    """A whole data set."""

    data: tuple[_Article, ...]


def read_squad(value: object, path: Path) -> Squad:
    """Return the data set in a parsed JSON file. Raises SuiteError with the invalid part's name."""
    try:
        return Squad.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        message = f"this is not SQuAD's shape: at `{place.lstrip('.')}`, {first['msg'].lower()}."
        message = message.replace("input should be a valid tuple", "there must be a list")
        raise at(path, None, message) from error


def squad_cases(squad: Squad, suite: str, path: Path) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Return a case for each question, in the order of the file, and sentences about what was left out."""
    asked = [question for _, paragraph, _ in _paragraphs(squad) for question in paragraph.qas]
    empty = [question.id for question in asked if not question.question.strip()]
    tags = question_languages(question.question for question in asked)
    cases = tuple(
        _case(question, paragraph, document, tags[question.question], cluster=article.title, suite=suite, path=path)
        for article, paragraph, document in _paragraphs(squad)
        for question in paragraph.qas
        if question.question.strip()
    )
    return cases, (
        f"{path}: {len(empty)} questions have no text ({', '.join(empty[:3])}) and are left out.",
    ) if empty else ()


def squad_documents(squad: Squad) -> Iterator[SourceText]:
    """Yield a document for each paragraph with a text."""
    for article, paragraph, document in _paragraphs(squad):
        if not paragraph.context.strip():
            continue
        yield SourceText(id=document, title=article.title.replace("_", " "), text=paragraph.context)


def _paragraphs(squad: Squad) -> Iterator[tuple[_Article, _Paragraph, str]]:
    """Yield each paragraph with its article and its document's name; articles with the same title are numbered on."""
    counts: dict[str, int] = {}
    for article in squad.data:
        for paragraph in article.paragraphs:
            counts[article.title] = counts.get(article.title, 0) + 1
            yield article, paragraph, f"{article.title}/{counts[article.title]}"


def _case(
    question: _Question,
    paragraph: _Paragraph,
    document: str,
    language: str | None,
    *,
    cluster: str,
    suite: str,
    path: Path,
) -> Case:
    impossible = question.is_impossible or (question.is_impossible is None and not question.answers)
    golds = () if impossible else tuple(answer for answer in question.answers if answer.text.strip())
    spans = (_span(answer, paragraph.context, document) for answer in golds)
    turn = Turn(
        question=question.question,
        language=language,
        answers=tuple(dict.fromkeys(answer.text for answer in golds)),
        # An impossible question's paragraph is about its subject, but contains nothing to find.
        documents=() if impossible else (Gold(name=document),),
        spans=tuple(dict.fromkeys(span for span in spans if span is not None)),
        impossible=impossible,
    )
    return Case(suite=suite, id=question.id, turns=(turn,), cluster=cluster, path=str(path))


def _span(answer: _Answer, context: str, document: str) -> GoldSpan | None:
    """Return the answer's position in the paragraph in the file; a wrong offset is corrected."""
    claimed = answer.answer_start if answer.answer_start is not None else 0
    starts = (match.start() for match in regex.finditer(regex.escape(answer.text), context))
    start = min(starts, key=lambda start: abs(start - claimed), default=None)
    if start is None:
        return None
    return GoldSpan(document=document, start=start, end=start + len(answer.text), words=answer.text)
