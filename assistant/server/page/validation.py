"""Check the choices that come with a question from the page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import get_args

from assistant.types import AskOptions, Mode
from store.catalog.conversations import Turn
from store.errors import QuestionError
from store.text.date_ranges import is_date
from store.types import Filter

MOST_QUOTES = 20
_MOST_CHOICES = 500


def checked_options(options: object) -> AskOptions:
    """Return the choices for a question. Raises QuestionError for any that isn't allowed, such as a day that doesn't exist."""
    data = options if isinstance(options, Mapping) else {}
    mode, language = data.get("mode") or None, data.get("answer_language") or None
    most, translate = data.get("max_quotes", 5), data.get("translate", False)
    allowed = (
        mode in (None, *get_args(Mode))
        and (language is None or re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", str(language)))
        and isinstance(most, int)
        and not isinstance(most, bool)
        and 1 <= most <= MOST_QUOTES
        and isinstance(translate, bool)
    )
    where = _filter(data.get("filter"))
    if not allowed or where is None:
        raise QuestionError("The request wasn't understood. Please reload the page.", code="request")
    return AskOptions(mode, language, where, most, translate)


def options_of(turn: Turn) -> AskOptions:
    """Return the choices that were kept with a question."""
    data = json.loads(turn.options)
    try:
        return checked_options(data)
    except QuestionError:  # kept by another version
        return AskOptions()


def _filter(data: object) -> Filter | None:
    """Return the filter that the page chose; None where it is none that a page would send. Raises QuestionError for a date."""
    chosen_filter = data if isinstance(data, Mapping) else {}
    many = [chosen_filter.get(name) or () for name in ("documents", "speakers", "languages")]
    if not all(isinstance(values, list | tuple) and len(values) <= _MOST_CHOICES for values in many):
        return None
    first, last = (chosen_filter.get(name) or None for name in ("published_from", "published_to"))
    if not all(date is None or is_date(date) for date in (first, last)):
        raise QuestionError(
            "A date is a year, a month or a day that exists, like 2023, 2023-06 or 2023-06-14.", code="date_exists"
        )
    documents, speakers, languages = (tuple(map(str, values)) for values in many)
    return Filter(documents, speakers, languages, published_from=first, published_to=last)
