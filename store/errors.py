"""Define every error of the project. A message is one whole sentence that says what to do.

AttestError                     exit code 3 unless said otherwise
├── RequestError                exit code 2: the request was wrong
│   ├── SettingsError           an unknown or wrong setting
│   ├── QuestionError           empty, or far too long
│   ├── NotFoundError           a document, folder or run that isn't there
│   ├── NotSignedInError        nobody knows who asks
│   ├── NotAllowedError         the caller may not do this
│   └── SuiteError              an evaluation suite that can't be read
├── LibraryError
│   ├── LibraryLockedError      another process owns the library
│   ├── SchemaVersionError      a library from another version
│   ├── EmbedderMismatchError   vectors of another model
│   └── IndexDamagedError       the derived indexes don't match the catalog
├── ModelError
│   ├── EmbeddingModelError     no usable weights
│   └── LanguageModelError      refused, hung, or cut off
├── ReadError                   exit code 1: one file could not be read; the rest goes on
└── PortInUseError
"""

from __future__ import annotations

from collections.abc import Mapping


class AttestError(Exception):
    """Root of all errors that the project raises on purpose; `exit_code` is for the command line."""

    exit_code = 3

    def __init__(self, sentence: str, /, *, code: str | None = None, **values: object) -> None:
        """`sentence` is in English; with a `code`, its ``{names}`` stand for `values`.

        A code is for errors that the page can show: its languages have the same sentence under ``error.CODE``, with the
        same names in it.
        """
        super().__init__(sentence.format_map(values) if code else sentence)
        self.code = code
        self.values: dict[str, object] = values


class RequestError(AttestError):
    """The request can't be fulfilled in this form."""

    exit_code = 2


class SettingsError(RequestError):
    """A setting is unknown, or its value is not allowed."""


class QuestionError(RequestError):
    """The question is blank, or too long."""


class NotFoundError(RequestError):
    """Something that the request names doesn't exist."""


class NotSignedInError(RequestError):
    """The request needs a signed-in user."""

    def __init__(self) -> None:
        super().__init__("You are not signed in, or no longer. Please sign in.", code="not_signed_in")


class NotAllowedError(RequestError):
    """The caller lacks the right for the request."""

    def __init__(self) -> None:
        super().__init__("You may not do this here. Ask an administrator of this page.", code="not_allowed")


class SuiteError(RequestError):
    """A suite can't be read; the message names file and line."""


class LibraryError(AttestError):
    """The library can't be used in its current state."""


class LibraryLockedError(LibraryError):
    """Another process owns the library."""

    pid: int | None = None

    def __init__(self, message: str, pid: int | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.pid = pid


class SchemaVersionError(LibraryError):
    """The library was made by another version."""


class EmbedderMismatchError(LibraryError):
    """The library's vectors were made by another model or another preparation of the text."""


class IndexDamagedError(LibraryError):
    """The vectors or the keyword index don't match the catalog."""


class ModelError(AttestError):
    """A model can't be loaded or reached."""


class EmbeddingModelError(ModelError):
    """The embedding model's files are missing or unusable."""


class LanguageModelError(ModelError):
    """The language model can't be loaded or reached, or broke off."""

    is_temporary = False
    """Whether the same request may succeed in a moment."""

    def __init__(
        self,
        message: str,
        *,
        is_temporary: bool = False,
        code: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        """`message` is already filled in; its `code` names a phrase of `prompts`."""
        super().__init__(message)
        self.is_temporary = is_temporary
        self.code = code
        self.values = dict(values or {})


class ReadError(AttestError):
    """One file can't be read; the message names the reason."""

    exit_code = 1


class PortInUseError(AttestError):
    """The port of the page is taken."""


def restored(kind: str, sentence: str, code: str | None = None) -> AttestError:
    """Return the error that another process reported: of the class named `kind` if it is one of these."""
    named = globals().get(kind)
    found = named if isinstance(named, type) and issubclass(named, AttestError) else AttestError
    error = found.__new__(found)
    AttestError.__init__(error, sentence)
    error.code = code
    return error
