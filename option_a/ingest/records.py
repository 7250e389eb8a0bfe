"""A body to JSON Lines: one record a line, byte for byte save for white space between tokens. Pure.

msgspec splits at 700 MB/s a core, but takes the last of two `data` keys, does not look at the encoding, and refuses
some legal JSON. So the fast path proves what it skipped (the rest of the body is parsed exactly, with the list cut
out), and whatever it cannot prove goes to the slow path of `jsontext`, which is the arbiter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from option_a.ingest.errors import BodyError
from option_a.ingest.jsontext import Malformed, Node, is_utf8, key_text, parse
from option_a.ingest.paginate import keys

CANDIDATES = ("data", "items", "results", "records", "value")
_first_byte = itemgetter(0)
_view: Callable[[Any], Any] = memoryview
_BRACE = ord("{")
WHOLE = "@"
"""The path of a body that is the list itself."""


class Split(msgspec.Struct, frozen=True):
    """The records of one body. `lines` ends each record with a newline; `meta` is the body with its list as null."""

    lines: bytes
    records: int
    meta: Any
    path: str
    """Where the records were found; "" where the body itself is the one record."""


_CUT: Any = object()
"""Stands where the list was. No body can hold it: msgspec refuses NaN."""


class _Unproven(Exception):
    """The fast path cannot vouch for the body."""


def split(body: bytes, path: str | None, guess: str | None = None) -> Split:
    """The records at `path`, or, for None, where DESIGN's rule finds them (`guess`: where they were last time).

    Raises BodyError with the body: no JSON, no list at the path, two candidates, a record that is no object.
    """
    for likely in _likely(body, guess) if path is None else [path]:
        try:
            return _fast(body, likely, auto=path is None)
        except _Unproven:
            continue
    return _slow(body, path)


def _likely(body: bytes, guess: str | None) -> list[str]:
    """Where records may be, the likeliest first. The order decides the speed and never the outcome."""
    if body[:1].isspace():
        body = body.lstrip()
    if body[:1] == b"[":
        return [WHOLE]
    return sorted(CANDIDATES, key=lambda path: path != guess)


def _fast(body: bytes, path: str, *, auto: bool) -> Split:
    if b"\n" in body or b"\r" in body:
        body = _compacted(body)
    try:
        raws = _pull(_decoder(path).decode(body), path)
    except (msgspec.DecodeError, RecursionError, AttributeError, ValueError):  # ValueError: an odd key in the path
        raise _Unproven from None
    if not raws or not is_utf8(body) or set(map(_first_byte, map(_view, raws))) != {_BRACE}:
        raise _Unproven
    lines = b"\n".join([*raws, b""])
    meta = _rest(body, bytes(raws[0]), len(lines) - 1, len(raws))
    return Split(lines, len(raws), _proven(meta, path, auto=auto), path)


def _compacted(body: bytes) -> bytes:
    try:
        return msgspec.json.format(body, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        raise _Unproven from None


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
    raise _Unproven


def _decode_rest(rest: bytes) -> Any:
    try:
        return json.loads(rest, object_pairs_hook=_unique, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise _Unproven from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise _Unproven
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
            raise _Unproven
    if holder[last] is not _CUT:
        raise _Unproven
    holder[last] = None
    if auto and isinstance(meta, dict) and any(isinstance(meta.get(key), list) for key in CANDIDATES):
        raise _Unproven
    return root[WHOLE]


@lru_cache(maxsize=512)
def _decoder(path: str) -> msgspec.json.Decoder[Any]:
    """A decoder that takes the list at a path as raw slices and skips all else."""
    kind: Any = list[msgspec.Raw]
    if path != WHOLE:
        for key in reversed(path.split(".")):
            kind = msgspec.defstruct("Level", [("value", kind)], rename={"value": key}, gc=False)
    return msgspec.json.Decoder(kind)


def _pull(decoded: Any, path: str) -> list[msgspec.Raw]:
    if path != WHOLE:
        for _ in path.split("."):
            decoded = decoded.value
    return list(decoded)


def _slow(body: bytes, path: str | None) -> Split:
    depth = 2 if path is None else 1 if path == WHOLE else len(path.split(".")) + 1
    try:
        text, root = parse(body, depth)
    except Malformed as error:
        raise BodyError(f"the body is no JSON: {error}", hint=_looks_like(body), body=body) from None
    try:
        where, node = _locate(text, root, path)
        return _cut(text, root, where, node)
    except BodyError as error:
        error.body = body
        raise


def _cut(text: bytes, root: Node, where: str, node: Node | None) -> Split:
    if node is None:
        return Split(b"", 0, _loose(text[root.start : root.end]), where)
    if where == "":
        return Split(text[node.start : node.end] + b"\n", 1, _loose(text[node.start : node.end]), where)
    lines = []
    for position, item in enumerate(node.items, 1):
        if item.kind != "object":
            shown = text[item.start : min(item.end, item.start + 40)].decode(errors="replace")
            raise BodyError(f"record {position} is no object but {shown}", hint=_path_hint(where))
        lines.append(text[item.start : item.end] + b"\n")
    rest = text[: node.start] + b"null" + text[node.end :]
    return Split(b"".join(lines), len(lines), _loose(rest), where)


def _locate(text: bytes, root: Node, path: str | None) -> tuple[str, Node | None]:
    """The list's path and node; None for a list that is null, which is how some APIs say "none"."""
    if path is None:
        return _detect(text, root)
    node = root
    for key in [] if path == WHOLE else path.split("."):
        found = [child for name, child in node.members if key_text(name) == key]
        if len(found) > 1:
            raise BodyError(f"`{key}` stands {len(found)} times in the body", hint="the API must send it once")
        if not found:
            raise BodyError(f"no records at `{path}`", hint=f"correct `records`; the body has: {_names(node)}")
        node = found[0]
    if node.kind == "array":
        return path, node
    shown = text[node.start : min(node.end, node.start + 40)].decode(errors="replace")
    if shown == "null":
        return path, None
    raise BodyError(f"`{path}` is no list but {shown}", hint="correct `records`: the path to the list of records")


def _detect(text: bytes, root: Node) -> tuple[str, Node | None]:
    if root.kind == "array":
        return WHOLE, root
    if root.kind == "scalar":
        raise BodyError("the body is neither an object nor a list", hint="is this the right url?")
    children = [(key_text(key), child) for key, child in root.members]
    meant = [(name, child) for name, child in children if name in CANDIDATES]
    lists = [(name, child) for name, child in meant if child.kind == "array"]
    if len(lists) > 1:
        named = ", ".join(name for name, _ in lists)
        raise BodyError(f"two lists could be the records: {named}", hint='say which: records = "…"')
    nulls = [(name, None) for name, child in meant if text[child.start : child.end] == b"null"]
    where, node = [*lists, *nulls, ("", root)][0]
    times = sum(name == where for name, _ in meant)
    if times > 1:
        raise BodyError(f"`{where}` stands {times} times in the body", hint="the API must send it once")
    return where, node


def _loose(text: bytes) -> Any:
    """The rest of a body for the paginator; one that is too deep for the decoder tells it nothing."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _names(node: Node) -> str:
    return keys({key_text(key): None for key, _ in node.members})


def _path_hint(where: str) -> str:
    return f"a record is a JSON object; is `{where}` the list of records?"


def _looks_like(body: bytes) -> str:
    head = body[:256].lstrip().lower()
    if not head:
        return "the API sent an empty body"
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "it looks like HTML or XML: a login page, a proxy's error page or the wrong url"
    if head.startswith((b"\x1f\x8b", b"pk\x03\x04")):
        return "it looks compressed: the API sends no Content-Encoding header"
    return "it was kept under dead/ as it came"
