"""Bodies of every format and shape to JSON Lines; lists of JSON objects go through `records`. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from option_a.ingest.decode.csvtext import read_csv
from option_a.ingest.decode.fast import NeedsSlowPath, pieces, split
from option_a.ingest.decode.format import BodyFormat
from option_a.ingest.decode.lossless import KEPT, WHOLE, DecodedBody, by_outline, looks_like
from option_a.ingest.decode.reported_errors import ERRORS
from option_a.ingest.errors import BodyError
from option_a.ingest.jsontext import UNDECODABLE, MalformedJson, Node, decode_exact, is_utf8, key_text, parse, quote_key

_raw = msgspec.json.Decoder(msgspec.Raw)
_OF_AN_ERROR = {*ERRORS, "code", "detail", "details", "message", "reason", "status", "title", "type"}
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r"


def read_body(body: bytes, how: BodyFormat, where: str | None) -> DecodedBody:
    """The records of a body. `where`: the path on an earlier page, if it is known. Raises BodyError with the body."""
    if how.format == "csv":
        return read_csv(body, how.delimiter, where)
    if how.format == "ndjson":
        return _ndjson(body, values=how.shape == "values")
    if how.shape == "keyed":
        return _error_by_key(_all_keyed(body, where, how.key_field), how.key_field)
    if how.shape == "values":
        return _all_values(body, where)
    return split(body, where)


def _all_values(body: bytes, where: str | None) -> DecodedBody:
    try:
        found, meta, path = pieces(body, where, keyed=False)
        return DecodedBody(b"".join([_value(value) for _, value in found]), len(found), meta, path)
    except NeedsSlowPath:
        slow = by_outline(body, where, _values)
    if slow.path == "":
        raise BodyError("no list of values found", hint='say where it is: records = "…"', body=body)
    return slow


def _values(text: bytes, where: str, node: Node) -> list[bytes]:
    return [_value(text[item.start : item.end]) for item in node.items]


def _value(text: bytes) -> bytes:
    return b'{"value":' + text + b"}\n"


def _all_keyed(body: bytes, where: str | None, field: str) -> DecodedBody:
    """Each member of an object as a record, its key first."""
    name = quote_key(field)
    try:
        found, meta, path = pieces(body, where, keyed=True)
    except NeedsSlowPath:
        return by_outline(body, where, lambda text, _, node: _keyed(text, node, name), "object")
    return DecodedBody(b"".join([_member(name, key, value, body) for key, value in found]), len(found), meta, path)


def _error_by_key(found: DecodedBody, field: str) -> DecodedBody:
    """The same, with an error for its rest where the whole body is one record whose key is that of an error."""
    if (found.path, found.records) != (WHOLE, 1):
        return found
    record = decode_exact(found.lines)
    return msgspec.structs.replace(found, meta=_errors({record.pop(field): record}))


def _errors(record: Any) -> dict[str, Any] | None:
    """What a body that is one record, or one value, says went wrong."""
    return {key: record[key] for key in ERRORS if key in record} or None if isinstance(record, dict) else None


def _keyed(text: bytes, node: Node, name: bytes) -> list[bytes]:
    return [_member(name, key, text[member.start : member.end], text) for key, member in node.members]


def _member(name: bytes, key: bytes, value: bytes, body: bytes) -> bytes:
    if value[:1] != b"{":
        shown = f"but {_shown(value)}: {_shown(key)}"
        raise BodyError("a record is not an object", shown=shown, hint="is `records` the right path?", body=body)
    if _holds(value, name):
        what = f"a record has a `{key_text(name)}`"
        raise BodyError(what, shown=f"of its own: {_shown(key)}", hint="choose another name: key_field", body=body)
    return b"{" + name + b":" + key + (b"" if value == b"{}" else b",") + value[1:] + b"\n"


def _shown(text: bytes) -> str:
    """The beginning of what stands in a body, for an error."""
    return text[:40].decode(errors="replace")


def _holds(record: bytes, name: bytes) -> bool:
    if name not in record and b"\\u" not in record:
        return False
    _, root = parse(record, 1)
    return any(key_text(key) == key_text(name) for key, _ in root.members)


def _ndjson(body: bytes, *, values: bool) -> DecodedBody:
    if not is_utf8(body):
        raise BodyError("the body is not NDJSON: invalid UTF-8", hint=looks_like(body), body=body)
    texts = []
    for number, piece in enumerate(body.removeprefix(_BOM).split(b"\n"), 1):
        line = piece.strip(_BLANK)
        if line:
            texts.append(_checked(line, number, body, values=values))
    lines = b"".join([_value(text) if values else text + b"\n" for text in texts])
    return DecodedBody(lines, len(texts), _error_alone(texts), "")


def _error_alone(texts: list[bytes]) -> dict[str, Any] | None:
    """What the one line says went wrong, if it says no more than that: NDJSON has no other place for it."""
    alone = decode_exact(texts[0]) if len(texts) == 1 else None
    return _errors(alone) if isinstance(alone, dict) and alone.keys() <= _OF_AN_ERROR else None


def _checked(line: bytes, number: int, body: bytes, *, values: bool) -> bytes:
    """A line that is a JSON value, and an object unless values are wanted."""
    try:
        text, is_object = _fast(line) or _slow(line)
    except MalformedJson as error:
        hint = looks_like(body) if number == 1 else KEPT
        raise BodyError(f"line {number} is not JSON: {error}", hint=hint, body=body) from None
    if not (values or is_object):
        shown = f"but {_shown(text)}"
        hint = 'a record is a JSON object; for values: shape = "values"'
        raise BodyError(f"line {number} is not an object", shown=shown, hint=hint, body=body)
    return text


def _fast(line: bytes) -> tuple[bytes, bool] | None:
    try:
        _raw.decode(line)
    except UNDECODABLE:
        return None
    return None if b"\r" in line else (line, line[:1] == b"{")


def _slow(line: bytes) -> tuple[bytes, bool]:
    text, root = parse(line, 0)
    return text, root.kind == "object"
