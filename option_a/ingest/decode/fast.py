"""A body to JSON Lines: one record a line, byte for byte save for white space between tokens. Pure.

msgspec splits at 700 MB/s a core, but takes the last of two `data` keys, does not look at the encoding, and refuses
some legal JSON. So the fast path proves what it skipped (the rest of the body is parsed exactly, with the list cut
out), and whatever it cannot prove goes to the slow path of `outline`, which is the arbiter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from option_a.ingest.decode.lossless import CANDIDATES, WHOLE, DecodedBody, split_losslessly
from option_a.ingest.jsontext import UNDECODABLE, exact_float, exact_int, is_utf8, quote_key

_first_byte = itemgetter(0)
_view: Callable[[Any], Any] = memoryview
_BRACE = ord("{")
_ELSEWHERE = (*UNDECODABLE, AttributeError, ValueError)
"""Raised where the records are not at the path; ValueError for an odd key in it."""
_CUT: Any = object()
"""Stands where the list was. No body can hold it: msgspec refuses NaN."""


class NeedsSlowPath(Exception):
    """The fast path cannot vouch for the body."""


def split(body: bytes, path: str | None, guess: str | None = None) -> DecodedBody:
    """The records at `path`, or, for None, where DESIGN's rule finds them (`guess`: where they were last time).

    Raises BodyError with the body: no JSON, no list at the path, two candidates, a record that is no object.
    """
    for likely in _likely(body, guess) if path is None else [path]:
        try:
            return _fast(body, likely, auto=path is None)
        except NeedsSlowPath:
            continue
    return split_losslessly(body, path)


def pieces(body: bytes, path: str | None, *, keyed: bool) -> tuple[list[tuple[bytes, bytes]], Any, str]:
    """The members of an object, or the items of a list (their keys empty), compact; the rest of the body; the path.

    Raises NeedsSlowPath where only the slow path can tell. The whole is put together again and must stand in the body
    at the path, byte for byte: so no member is lost to a duplicate key, and none is spelt otherwise.
    """
    text = _compacted(body)
    if not is_utf8(text):
        raise NeedsSlowPath
    for likely in [path] if path is not None else _likely(body, None):
        try:
            found = _pieces(text, likely, keyed=keyed)
        except _ELSEWHERE:
            continue
        joined = b",".join([key + b":" + value if keyed else value for key, value in found])
        whole = b"{" + joined + b"}" if keyed else b"[" + joined + b"]"
        head, cut, tail = text.partition(whole)
        if cut:
            return found, _proven(_decode_rest(head + b"NaN" + tail), likely, auto=path is None), likely
    raise NeedsSlowPath


def _pieces(text: bytes, path: str, *, keyed: bool) -> list[tuple[bytes, bytes]]:
    decoded = _decoder(path, keyed=keyed).decode(text)
    if keyed:
        return [(quote_key(key), bytes(value)) for key, value in _at(decoded, path).items()]
    return [(b"", bytes(value)) for value in _at(decoded, path)]


def _likely(body: bytes, guess: str | None) -> list[str]:
    """Where records may be, the likeliest first. The order decides the speed and never the outcome."""
    if body[:1].isspace():
        body = body.lstrip()
    if body[:1] == b"[":
        return [WHOLE]
    return sorted(CANDIDATES, key=lambda path: path != guess)


def _fast(body: bytes, path: str, *, auto: bool) -> DecodedBody:
    if b"\n" in body or b"\r" in body:
        body = _compacted(body)
    try:
        raws: list[msgspec.Raw] = _at(_decoder(path).decode(body), path)
    except _ELSEWHERE:
        raise NeedsSlowPath from None
    if not raws or not is_utf8(body) or set(map(_first_byte, map(_view, raws))) != {_BRACE}:
        raise NeedsSlowPath
    lines = b"\n".join([*raws, b""])
    meta = _rest(body, bytes(raws[0]), len(lines) - 1, len(raws))
    return DecodedBody(lines, len(raws), _proven(meta, path, auto=auto), path)


def _compacted(body: bytes) -> bytes:
    try:
        return msgspec.json.format(body, indent=-1)
    except UNDECODABLE:
        raise NeedsSlowPath from None


def _rest(body: bytes, first: bytes, length: int, count: int) -> Any:
    """The body with its list of records replaced by `_CUT`, decoded. The list is found by its exact extent.

    A cut at the wrong place would leave the `}` of a record without its `{`, so it cannot decode.
    """
    start = body.find(b"[" + first)
    for separators in (0, count - 1):
        end = start + 1 + length + separators
        if start >= 0 and body[end : end + 1] == b"]":
            rest = body[:start] + b"NaN" + body[end + 1 :]
            return _decode_rest(rest)
    raise NeedsSlowPath


def _decode_rest(rest: bytes) -> Any:
    try:
        return json.loads(
            rest, object_pairs_hook=_unique, parse_constant=_constant, parse_int=exact_int, parse_float=exact_float
        )
    except (ValueError, RecursionError):
        raise NeedsSlowPath from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise NeedsSlowPath
    return table


def _constant(name: str) -> Any:
    if name != "NaN":
        raise ValueError(name)
    return _CUT


def _proven(meta: Any, path: str, *, auto: bool) -> Any:
    """`meta` with null for the list: the one at `path` was cut out and, for a guessed path, no other can be meant."""
    root = {WHOLE: meta}
    holder, last = root, WHOLE
    for key in [] if path == WHOLE else path.split("."):
        holder, last = holder[last], key
        if not isinstance(holder, dict) or last not in holder:
            raise NeedsSlowPath
    if holder[last] is not _CUT:
        raise NeedsSlowPath
    holder[last] = None
    if auto and isinstance(meta, dict) and any(isinstance(meta.get(key), list) for key in CANDIDATES):
        raise NeedsSlowPath
    return root[WHOLE]


@lru_cache(maxsize=512)
def _decoder(path: str, *, keyed: bool = False) -> msgspec.json.Decoder[Any]:
    """A decoder that takes what is at a path as raw slices and skips all else."""
    kind: Any = dict[str, msgspec.Raw] if keyed else list[msgspec.Raw]
    if path != WHOLE:
        for key in reversed(path.split(".")):
            kind = msgspec.defstruct("Level", [("value", kind)], rename={"value": key}, gc=False)
    return msgspec.json.Decoder(kind)


def _at(decoded: Any, path: str) -> Any:
    if path != WHOLE:
        for _ in path.split("."):
            decoded = decoded.value
    return decoded
