"""Word errors in the interface's language, by their code and with their values, and choose the HTTP status."""

from __future__ import annotations

import logging
import secrets

from fastapi.exceptions import RequestValidationError

from assistant.server.strings import DEFAULT, Strings
from prompts import phrase_in
from store.errors import AttestError, NotAllowedError, NotFoundError, NotSignedInError, RequestError

log = logging.getLogger(__name__)

PREFIX = "error."
"""What the sentences of codes begin with, among the words of every language but English: that stands in the error."""


_STATUSES: tuple[tuple[type[AttestError], int], ...] = (
    (NotSignedInError, 401),
    (NotAllowedError, 403),
    (NotFoundError, 404),
    (RequestError, 400),
    (AttestError, 503),
)


def status_of(error: AttestError) -> int:
    """Return the HTTP status of an error."""
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


def stated(error: AttestError, words: Strings | None = None) -> dict[str, str | None]:
    """Return an error as the API states it: its sentence, its code if it has one, and its class in `store.errors`."""
    sentence = str(error) if words is None else error_message(error, words)
    return {"message": sentence, "code": error.code, "type": type(error).__name__}


def invalid_request(error: RequestValidationError) -> RequestError:
    """Return what is wrong with the first value of a request that isn't as the API describes it."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    reason = str(first["msg"]).removeprefix("Value error, ")
    return RequestError("{place}: {reason}.", code="invalid", place=place, reason=reason)


def error_message(error: AttestError, words: Strings) -> str:
    """Return what `error` says in the language of `words`; in English, and called so, where it has no code."""
    if words.language == DEFAULT:
        return str(error)
    if error.code is not None:
        if PREFIX + error.code in words.words:
            return words(PREFIX + error.code, **error.values)
        if known := phrase_in(error.code, words.language):  # a language model's
            return known.render(**error.values)
    return words("error", sentence=str(error))


def sentence_of(error: Exception, words: Strings) -> str:
    """Return what is said of any failure in the language of `words`; one that nobody foresaw is logged, and stays here."""
    if isinstance(error, AttestError):
        return error_message(error, words)
    reference = secrets.token_hex(4)
    log.error("A request failed, reference %s", reference, exc_info=error)
    return words("problem.unexpected", reference=reference)
