"""A body by its outline: the slow, lossless way to its records, and the words for a body that has none. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from option_a.ingest.decode.locate import suggest_records
from option_a.ingest.decode.reported_errors import Errors, reported_error
from option_a.ingest.errors import BodyError
from option_a.ingest.jsontext import Kind, MalformedJson, Node, decode_exact, describe_keys, key_text, parse

CANDIDATES = ("data", "items", "results", "records", "value")
WHOLE = "@"
"""The path of a body that is the list itself."""
KEPT = "it was kept under dead/ as it came"
_CALLED: dict[Kind, str] = {"array": "a list", "object": "an object", "scalar": "a value"}


class DecodedBody(msgspec.Struct, frozen=True):
    """The records of one body. `lines` ends each record with a newline; `meta` is the body with its list as null."""

    lines: bytes
    records: int
    meta: Any
    path: str
    """Where the records were found; "" where the body itself is the one record. Of CSV a digest of the header."""


Lines = Callable[[bytes, str, Node], list[bytes]]
"""The lines of the records that a node of the compact text holds; the path is for the error."""


def split_losslessly(body: bytes, path: str | None) -> DecodedBody:
    """What `records.split` gives, for any legal body."""
    return by_outline(body, path, _objects)


def by_outline(body: bytes, path: str | None, lines_of: Lines, kind: Kind = "array") -> DecodedBody:
    """The records of what is at the path. Raises BodyError with the body."""
    depth = 2 if path is None else 1 if path == WHOLE else len(path.split(".")) + 1
    try:
        text, root = parse(body, depth)
    except MalformedJson as error:
        raise BodyError(f"the body is not JSON: {error}", hint=looks_like(body), body=body) from None
    try:
        where, node = _locate(text, root, path, kind)
        return _cut(text, root, where, node, lines_of)
    except BodyError as error:
        error.body = body
        raise


def _cut(text: bytes, root: Node, where: str, node: Node | None, lines_of: Lines) -> DecodedBody:
    if node is None:
        meta = decode_exact(text[root.start : root.end])
        reported = reported_error(meta, where)
        if reported is not None:
            raise BodyError(f"`{where}` is null, and the body says `{reported[0]}`", shown=reported[1], hint=KEPT)
        return DecodedBody(b"", 0, meta, where)
    if where == "":
        return DecodedBody(text[node.start : node.end] + b"\n", 1, decode_exact(text[node.start : node.end]), where)
    lines = lines_of(text, where, node)
    rest = text[: node.start] + b"null" + text[node.end :]
    return DecodedBody(b"".join(lines), len(lines), decode_exact(rest), where)


def check_errors(found: DecodedBody, body: bytes, allowed: Errors) -> None:
    """An error beside records, or beside none: the page is not whole, or no end. Raises BodyError with the body."""
    reported = None if allowed == "allow" else reported_error(found.meta, found.path)
    alone = found.path in ("", WHOLE)
    if reported is None or (allowed == "beside" and found.records and not alone):
        return
    key, shown = reported
    beside = f"{'the' if found.records else 'no'} records at `{found.path}`"
    what = f"the body is one record, and says `{key}`" if alone else f"the body says `{key}` beside {beside}"
    if alone:
        way_out = f'if `{key}` is a field of the record: errors = "allow"'
    elif found.records:
        way_out = 'if no record is missing for it: errors = "beside"'
    else:
        way_out = 'if it only marks the end: errors = "allow"'
    raise BodyError(what, shown=shown, hint=f"{KEPT}; {way_out}", body=body)


def _objects(text: bytes, where: str, node: Node) -> list[bytes]:
    for position, item in enumerate(node.items, 1):
        if item.kind != "object":
            shown = f"but {shortened(text, item)}"
            raise BodyError(f"record {position} is not an object", shown=shown, hint=_path_hint(where))
    return [text[item.start : item.end] + b"\n" for item in node.items]


def _locate(text: bytes, root: Node, path: str | None, kind: Kind) -> tuple[str, Node | None]:
    """The path and the node of what holds the records; None for a null, which is how some APIs say "none"."""
    if path is None:
        return _detect(text, root)
    node = root
    for key in [] if path == WHOLE else path.split("."):
        found = [child for name, child in node.members if key_text(name) == key]
        if len(found) > 1:
            raise BodyError(f"`{key}` occurs {len(found)} times in the body", hint="the API must send it once")
        if not found:
            there = describe_keys({key_text(name): None for name, _ in node.members})
            hint = f"correct `records`; the body has: {there}{suggest_records(text)}"
            raise BodyError(f"no records at `{path}`", hint=hint)
        node = found[0]
    shown = shortened(text, node)
    if node.kind == kind or (kind == "object" and shown == "[]"):  # how PHP writes an object that holds nothing
        return path, node
    if shown == "null":
        return path, None
    raise BodyError(f"`{path}` is not {_CALLED[kind]}", shown=f"but {shown}", hint=_kind_hint(text, kind))


def shortened(text: bytes, node: Node) -> str:
    """The beginning of a value, for an error."""
    return text[node.start : min(node.end, node.start + 40)].decode(errors="replace")


def _kind_hint(text: bytes, kind: Kind) -> str:
    what = "the path to the list of records" if kind == "array" else "the path to the object that holds the records"
    return f"correct `records`: {what}{suggest_records(text)}"


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
        raise BodyError(f"`{where}` occurs {times} times in the body", hint="the API must send it once")
    return where, node


def _path_hint(where: str) -> str:
    return f'a record is a JSON object; is `{where}` the list of records? for a list of values: shape = "values"'


def looks_like(body: bytes) -> str:
    head = body[:256].lstrip().lower()
    if not head:
        return "the API sent an empty body"
    if head.startswith(b"<"):
        return "it looks like HTML or XML: a login page, a proxy's error page or the wrong url"
    if head.startswith((b"\x1f\x8b", b"pk\x03\x04")):
        return "it looks compressed: the API sends no Content-Encoding header"
    return KEPT
