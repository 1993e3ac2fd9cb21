"""Define the options for one question, which every route that asks accepts, including the page's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from assistant.types import AskOptions, Mode
from store.errors import QuestionError, RequestError
from store.text.date_ranges import is_date
from store.types import Filter

MOST_QUOTES = 20
_MOST = 500


def _number(value: object) -> object:
    if isinstance(value, str | bool):
        raise ValueError("a whole number is needed")  # noqa: TRY004 - pydantic's word for what isn't valid
    return value


WHOLE = BeforeValidator(_number)
"""Whole numbers as in JSON: 15 and 15.0, but neither "15" nor true. Must follow bounds, or they aren't described."""
Date = Annotated[str, Field(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$", examples=["2023-06"])]
Name = Annotated[str, Field(max_length=500)]
Names = Annotated[tuple[Name, ...], Field(max_length=_MOST)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=60, examples=["th"])]


class Where(BaseModel):
    """Which documents a question may look at: all conditions hold; an empty one admits all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: Names = ()
    speakers: Names = ()
    languages: Names = ()
    collections: Names = ()
    published_from: Date | None = None
    published_to: Date | None = None

    def as_filter(self) -> Filter:
        """Return the filter that the library takes. Raises RequestError for a day that doesn't exist."""
        for day in (self.published_from, self.published_to):
            if day is not None and not is_date(day):
                raise _no_such_date()
        return Filter(**dict(self))


class Choices(BaseModel):
    """What is chosen for one question; nothing needs to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode | None = None
    """quotes: only words of the documents; written: by a language model, each sentence checked."""
    answer_language: Language | None = None
    """BCP 47 tag; by default the question's own language."""
    max_quotes: Annotated[int, Field(ge=1, le=MOST_QUOTES), WHOLE] = 5
    translate: StrictBool = False
    """Whether to show a machine translation next to quotes in other languages than the answer's."""
    as_typed: StrictBool = False
    """Whether to take the question literally, without correcting typos."""
    filter: Where = Where()

    def as_options(self) -> AskOptions:
        """Return the options that the pipeline takes."""
        where = self.filter.as_filter()
        return AskOptions(self.mode, self.answer_language, where, self.max_quotes, self.translate, self.as_typed)


def checked_options(sent: object) -> AskOptions:
    """Return what the page sent as options. Raises QuestionError for invalid ones, RequestError for a date."""
    try:
        return Choices.model_validate(sent if isinstance(sent, Mapping) else {}).as_options()
    except ValidationError as error:
        if any({"published_from", "published_to"}.intersection(each["loc"]) for each in error.errors()):
            raise _no_such_date() from error
        raise QuestionError("The request wasn't understood. Please reload the page.", code="request") from error


def _no_such_date() -> RequestError:
    return RequestError(
        "A date is a year, a month or a day that exists, like 2023, 2023-06 or 2023-06-14.", code="date_exists"
    )
