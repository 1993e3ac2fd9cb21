"""`attest eval review`: accept, change or drop the drafts of a suite one by one. The rest of the file stays unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex
import yaml

from evals.formats.load import load
from evals.formats.problems import at
from evals.formats.yaml_lines import read_lined
from store.errors import NotFoundError, RequestError

_DRAFT = regex.compile(r"^\s*(?:-\s+)?draft:\s*true\s*(?:#.*)?$")
_TOP = regex.compile(r"^[^\s#-]")


@dataclass(frozen=True, slots=True)
class Draft:
    """An unreviewed case."""

    id: str
    question: str
    language: str | None
    answerable: bool | None
    answers: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of a case, half-open, and their content."""

    start: int
    end: int
    case: dict[str, Any]


def drafts_of(path: Path) -> tuple[Draft, ...]:
    """Return the drafts of a suite in the order of its file. Raises SuiteError."""
    load(path)  # report an unreadable suite with its line
    return tuple(
        Draft(
            id=str(case["id"]),
            question=str(case.get("question", "")),
            language=case.get("language"),
            answerable=(case.get("expect") or {}).get("answerable"),
            answers=tuple(map(str, case.get("answers") or ())),
            note=str(case.get("note", "")),
        )
        for case in (block.case for block in _blocks(_lines(path), path))
        if case.get("draft") is True and "id" in case
    )


def accept(path: Path, identity: str, question: str | None = None) -> None:
    """Accept a draft, with another wording of its question if one is given.

    Raises NotFoundError if there is no such draft, RequestError for a blank question or if the file can't be written.
    """
    if question is not None and not question.strip():
        raise RequestError("The question is empty: write what you want to know.", code="question_empty")
    lines = _lines(path)
    block = _block(lines, path, identity)
    if question is None or question.strip() == block.case.get("question"):
        kept = [line for line in lines[block.start : block.end] if not _DRAFT.match(line)]
        if kept[:1] == lines[block.start : block.start + 1] and len(kept) < block.end - block.start:
            _write(path, [*lines[: block.start], *kept, *lines[block.end :]])
            return
    changed = {name: value for name, value in block.case.items() if name != "draft"}
    changed |= {"question": question.strip()} if question is not None else {}
    _write(path, [*lines[: block.start], *_written(changed, lines[block.start]), *lines[block.end :]])


def drop(path: Path, identity: str) -> None:
    """Remove a draft from its suite. Raises NotFoundError if there is none, RequestError if nothing would be left."""
    lines = _lines(path)
    block = _block(lines, path, identity)
    if len(_blocks(lines, path)) == 1:
        raise RequestError("This is the last case of the suite: remove the file instead.", code="last_case")
    _write(path, [*lines[: block.start], *lines[block.end :]])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise at(path, None, "it can't be read as UTF-8 text.") from error


def _block(lines: Sequence[str], path: Path, identity: str) -> _Block:
    for block in _blocks(lines, path):
        if str(block.case.get("id")) == identity and block.case.get("draft") is True:
            return block
    raise NotFoundError("There is no draft named {name}.", code="no_draft", name=f"{identity[:60]!r}")


def _blocks(lines: Sequence[str], path: Path) -> list[_Block]:
    """Return the cases of a suite with their lines. Raises SuiteError if cases share lines."""
    lined = read_lined("\n".join(lines), path)
    cases = lined.value.get("cases") if isinstance(lined.value, dict) else None
    starts = [(lined.line(("cases", number)) or 1) - 1 for number in range(len(cases or ()))]
    if any(not lines[start].lstrip().startswith("-") for start in starts) or sorted(set(starts)) != starts:
        raise at(path, None, "drafts are looked through in YAML in which each case begins a line of its own.")
    after = range(starts[-1] + 1, len(lines)) if starts else range(0)
    last = next((number for number in after if _TOP.match(lines[number])), len(lines))
    return [
        _Block(start, end, yaml.safe_load("\n".join(lines[start:end]))[0])
        for start, end in zip(starts, [*starts[1:], last], strict=False)
    ]


def _written(case: dict[str, Any], first: str) -> list[str]:
    """Return the lines of a case, with the indentation of its first line."""
    indent = first[: len(first) - len(first.lstrip())]
    text = yaml.safe_dump([case], allow_unicode=True, sort_keys=False, width=110)
    return [f"{indent}{line}" for line in text.splitlines()]


def _write(path: Path, lines: Sequence[str]) -> None:
    """Replace the whole file, so that an interruption leaves the old one."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise RequestError(f"{path} can't be written: {(error.strerror or 'unknown reason').lower()}.") from error
