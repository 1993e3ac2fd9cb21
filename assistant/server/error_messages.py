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
"""The prefix of error codes among the words of every language except English, whose sentences are in the errors."""


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
    """Return an error in the API's form: its sentence, its code if any, and its class in `store.errors`."""
    sentence = str(error) if words is None else error_message(error, words)
    return {"message": sentence, "code": error.code, "type": type(error).__name__}


def invalid_request(error: RequestValidationError) -> RequestError:
    """Return the problem with the first invalid value of a request."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    reason = str(first["msg"]).removeprefix("Value error, ")
    return RequestError("{place}: {reason}.", code="invalid", place=place, reason=reason)


def error_message(error: AttestError, words: Strings) -> str:
    """Return the message of `error` in the language of `words`; in English, and marked so, if it has no code."""
    if words.language == DEFAULT:
        return str(error)
    if error.code is not None:
        if PREFIX + error.code in words.words:
            return words(PREFIX + error.code, **error.values)
        if known := phrase_in(error.code, words.language):  # a language model's
            return known.render(**error.values)
    return words("error", sentence=str(error))


def sentence_of(error: Exception, words: Strings) -> str:
    """Return the sentence for any failure in the language of `words`; an unexpected one is logged and not shown."""
    if isinstance(error, AttestError):
        return error_message(error, words)
    reference = secrets.token_hex(4)
    log.error("A request failed, reference %s", reference, exc_info=error)
    return words("problem.unexpected", reference=reference)
