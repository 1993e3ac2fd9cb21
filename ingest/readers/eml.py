"""Mail messages (.eml) -> sender, date, subject and body; attachments are named, not read."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader, something_else
from ingest.readers.html.reader import html_blocks, html_source

_SHOWN = ("From", "To", "Cc", "Date", "Subject")


def read_eml(data: bytes) -> RawDocument:
    """Return a message's headers and body. Raises ReadError for a file that is no message."""
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage) or not any(_header(message, name) for name in ("From", "Subject", "Date")):
        raise something_else(".eml")
    subject, sender = _header(message, "Subject"), _header(message, "From")
    headers = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
    try:
        attachments = [part.get_filename() or "without a name" for part in message.iter_attachments()]
    except (AttributeError, KeyError, TypeError):
        attachments = []
    notices = (f"Its attachments were not read: {', '.join(attachments[:5])}.",) if attachments else ()
    return RawDocument(
        (Block("\n".join(headers), "lines"), *_body(message)),
        READER.media_types[0],
        title=subject,
        author=parseaddr(sender or "")[0] or sender,
        published=_date(message),
        notices=notices,
    )


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, LookupError, TypeError):  # The parser of headers breaks on some.
        return None
    return " ".join(str(value).split()) or None if value is not None else None


def _date(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(_header(message, "Date") or "").date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _body(message: EmailMessage) -> tuple[Block, ...]:
    try:
        part = message.get_body(preferencelist=("html", "plain"))
        content = None if part is None else part.get_payload(decode=True)
    except (KeyError, AttributeError, ValueError, LookupError, TypeError):
        return ()
    if part is None or not isinstance(content, bytes) or not content.strip():
        return ()
    charset = part.get_content_charset()
    if part.get_content_type() == "text/html":
        return tuple(
            html_blocks(html_source(content) if charset is None else decode(content, charset, is_markup=True).text)
        )
    return (Block(decode(content, declared=charset).text),)


READER = Reader(
    name="mail message",
    suffixes=(".eml",),
    media_types=("message/rfc822",),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_eml,
    is_certain=False,
)
