"""The columns of records: inferred from a page, declared in sources.toml. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Literal

from option_a.ingest.jsontext import key_text, parse

ColumnType = Literal["string", "bigint", "double", "boolean", "date", "timestamp", "decimal", "json"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_INT64 = range(-(2**63), 2**63)


def decode_lines(lines: bytes) -> list[dict[str, Any]]:
    """The records of a page, for showing and inferring; long numbers keep their digits as text."""
    return [_record(line) for line in lines.splitlines()]


def infer_columns(records: Iterable[dict[str, Any]]) -> dict[str, ColumnType]:
    """The narrowest type that fits every value of a field, fields in the order of their appearance."""
    types: dict[str, set[ColumnType]] = {}
    for record in records:
        for key, value in record.items():
            kinds = types.setdefault(key, set())
            if value is not None:
                kinds.add(_kind(value))
    return {key: _widest(kinds) for key, kinds in types.items()}


def columns_as_toml(columns: dict[str, ColumnType]) -> str:
    """The columns as a line of sources.toml."""
    named = {key: kind for key, kind in columns.items() if not _SURROGATE.search(key)}  # TOML has no word for it
    pairs = ", ".join(f"{_key(key)} = {json.dumps(kind)}" for key, kind in named.items())
    return f"columns = {{ {pairs} }}"


def _record(line: bytes) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line, parse_int=_whole)
    except RecursionError:
        text, root = parse(line, 1)
        record = {key_text(key): _member(text[node.start : node.end]) for key, node in root.members}
    return record


def _member(text: bytes) -> Any:
    """A value; of one that is too deep to be shown that it is."""
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError:
        return ["…"]


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= 20 and int(digits) in _INT64 else digits


def _kind(value: Any) -> ColumnType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "bigint" if value in _INT64 else "string"
    if isinstance(value, float):
        return "double"
    return "json" if isinstance(value, dict | list) else "string"


def _widest(kinds: set[ColumnType]) -> ColumnType:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"bigint", "double"}:
        return "double"
    return "json" if "json" in kinds else "string"


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")
