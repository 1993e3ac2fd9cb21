"""Read mail messages (.eml): sender, date, subject and body; attachments are named, not read."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr, parsedate_to_datetime

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader, something_else
from ingest.readers.html.reader import html_blocks, html_source

_DEEPEST = 50
_SHOWN = ("From", "To", "Cc", "Date", "Subject")


def read_eml(data: bytes) -> RawDocument:
    """Return a message's headers and body. Raises ReadError for a file that is no message."""
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage) or not any(_header(message, name) for name in ("From", "Subject", "Date")):
        raise something_else(".eml")
    subject, sender = _header(message, "Subject"), _header(message, "From")
    headers = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
    blocks, attachments = _read(message)
    notices = (f"Its attachments were not read: {', '.join(attachments[:5])}.",) if attachments else ()
    return RawDocument(
        (Block("\n".join(headers), "lines"), *blocks),
        READER.media_types[0],
        title=subject,
        author=parseaddr(sender or "")[0] or sender,
        published=_date(message),
        notices=notices,
    )


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, LookupError, TypeError):  # The parser of headers fails on some.
        return None
    return " ".join(str(value).split()) or None if value is not None else None


def _date(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(_header(message, "Date") or "").date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _read(part: Message, depth: int = 0) -> tuple[list[Block], list[str]]:
    """Return the blocks of all visible parts of a message, and the names of its attachments."""
    kind = part.get_content_type()
    if depth and (kind == "message/rfc822" or part.get_content_disposition() == "attachment" or part.get_filename()):
        return [], [_name(part)]
    inner = part.get_payload()
    if not isinstance(inner, list):
        return _text(part, kind) if kind.startswith("text/") else ([], [_name(part)])
    if depth > _DEEPEST:
        return [], []
    read = [_read(each, depth + 1) for each in inner if isinstance(each, Message)]
    if kind == "multipart/related":  # The others are its pictures.
        return read[0] if read else ([], [])
    if kind == "multipart/alternative":  # Programs show the last alternative that they can.
        return next((each for each in reversed(read) if each[0]), ([], []))
    return [block for blocks, _ in read for block in blocks], [name for _, names in read for name in names]


def _name(part: Message) -> str:
    """Return the name of an attachment: the file's name, a message's subject, or else its kind."""
    inner = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(inner, list) and isinstance(inner[0], EmailMessage):
        return part.get_filename() or _header(inner[0], "Subject") or part.get_content_type()
    return part.get_filename() or part.get_content_type()


def _text(part: Message, kind: str) -> tuple[list[Block], list[str]]:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        content = None
    if not isinstance(content, bytes) or not content.strip():
        return [], []
    charset = part.get_content_charset()
    if kind == "text/html":
        source = html_source(content) if charset is None else decode(content, charset, is_markup=True).text
        return list(html_blocks(source)), []
    if kind != "text/plain":
        return [], [_name(part)]
    text = decode(content, declared=charset).text
    if str(part.get_param("format", "")).lower() == "flowed":
        text = _unfolded(text, str(part.get_param("delsp", "")).lower() == "yes")
    return [Block(text)], []


def _unfolded(text: str, without_blank: bool) -> str:
    """Return a text with lines that end with a blank joined, as in RFC 3676; quotations by depth."""
    lines: list[str] = []
    depth_above, goes_on = 0, False
    for line in text.splitlines():
        body = line.lstrip(">")
        depth, body = len(line) - len(body), body.removeprefix(" ")
        is_soft = body.endswith(" ") and body != "-- "
        shown = body[:-1] if is_soft and without_blank else body
        if goes_on and depth == depth_above:
            lines[-1] += shown
        else:
            lines.append(f"{'>' * depth} {shown}" if depth else shown)
        depth_above, goes_on = depth, is_soft
    return "\n".join(lines)


READER = Reader(
    name="mail message",
    suffixes=(".eml",),
    media_types=("message/rfc822",),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_eml,
    is_certain=False,
)
