"""CSV (RFC 4180) with a header line to JSON Lines. Every value stays the text that it is. Pure."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from option_a.ingest.decode.lossless import KEPT, DecodedBody, looks_like
from option_a.ingest.errors import BodyError

csv.field_size_limit(2**31 - 1)  # `max_body` bounds the whole, a field needs no bound of its own
_encode = msgspec.json.Encoder().encode
_OTHERS = ",;\t|"


def read_csv(body: bytes, delimiter: str, where: str | None = None) -> DecodedBody:
    """The lines below the header, each an object. A blank line is none. Raises BodyError with the body.

    The path is a digest of the header, and `where` is that of an earlier page: the header must be the same.
    """
    text = _text(body)
    try:
        rows = list(_rows(text, delimiter))
        path = _digest(rows[0]) if rows else where or ""  # a body without a line is an empty page
        _check_header(rows, path, where)
        names = _header(rows, delimiter)
        lines = [_encode(dict(zip(names, row, strict=True))) + b"\n" for row in _even(rows[1:], len(names), delimiter)]
    except BodyError as error:
        error.body = body
        raise
    return DecodedBody(b"".join(lines), len(lines), None, path)


def _text(body: bytes) -> str:
    if body.lstrip()[:1] in (b"<", b"{", b"["):
        hint = "it looks like JSON: an error, or a source of another format"
        raise BodyError("the body is not CSV", hint=looks_like(body) if body.lstrip()[:1] == b"<" else hint, body=body)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"the body is not CSV: invalid UTF-8 at byte {error.start}"
        raise BodyError(what, hint="the API must send UTF-8", body=body) from None


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    # a quoted field may hold line ends: only "\n" ends a line here, and the reader puts such fields together again
    lines = (line + "\n" for line in text.split("\n"))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        what = f"the body is not CSV: {error}, in line {reader.line_num}"
        raise BodyError(what, hint=_delimiter_hint(delimiter)) from None


def _header(rows: list[list[str]], delimiter: str) -> list[str]:
    names = rows[0] if rows else []
    twice = [name for name, following in pairwise(sorted(names)) if name == following]
    if twice:
        raise BodyError(
            "the header names a field twice", shown=f"({twice[0][:40]})", hint="a record can have a name once only"
        )
    if len(names) == 1 and any(other in names[0] for other in _OTHERS):
        raise BodyError("the header is a single name", shown=repr(names[0][:40]), hint=_delimiter_hint(delimiter))
    return names


def _digest(names: list[str]) -> str:
    # no names: where the API sends no header they are a record, and fields may have to be dropped from it
    return hashlib.sha256(_encode(names)).hexdigest()[:12]


def _check_header(rows: list[list[str]], path: str, where: str | None) -> None:
    """A first line that is no header would be lost as a record, or taken for an empty page."""
    if where and path != where:
        hint = "the API must send the header on every page; or is it a message, where the page should be?"
        raise BodyError("the first line is not the first page's header", shown=_first(rows), hint=hint)
    if not where and len(rows) == 1 and len(rows[0]) == 1 and " " in rows[0][0].strip():
        raise BodyError("the body is one line of text without a header", shown=_first(rows), hint=KEPT)


def _first(rows: list[list[str]]) -> str:
    return repr(",".join(rows[0])[:40])


def _even(rows: Iterable[list[str]], width: int, delimiter: str) -> Iterator[list[str]]:
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            what = f"record {number} has {len(row)} fields, the header {width}"
            raise BodyError(what, hint=f"was it cut, or quoted by another rule? {_delimiter_hint(delimiter)}")
        yield row


def _delimiter_hint(delimiter: str) -> str:
    return f"fields are told apart by {delimiter!r}: if that is wrong, set `delimiter`"
