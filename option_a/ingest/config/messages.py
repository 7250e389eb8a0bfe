"""Mistakes in a TOML file, in the words of the file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from option_a.ingest.errors import ConfigError
from option_a.ingest.suggest import closest


def check_keys(place: str, table: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raises ConfigError for a key of a table that has no meaning."""
    for key in table:
        if key not in allowed:
            raise ConfigError(f"{place}: key {unknown_key(key, allowed)}")


def unknown_key(given: str, allowed: Iterable[str], limit: int | None = None) -> str:
    """Says that a word is unknown, which one it resembles, and which are allowed: the first `limit` of them."""
    names = list(allowed)
    close = closest(given, names)
    did_you_mean = f"did you mean `{close}`? " if close is not None else ""
    shown = ", ".join(names[:limit]) + (", …" if limit is not None and len(names) > limit else "")
    text = given.encode("utf-8", "backslashreplace").decode()  # a lone surrogate cannot be written
    return f"`{text}` is unknown; {did_you_mean}allowed: {shown}"


def explain_validation(error: msgspec.ValidationError, table: Any, kind: type) -> str:
    """msgspec's word on a table, with its path in the words of the file and, of a choice, all that there is."""
    what, _, path = str(error).partition(" - at `$")
    if what.startswith(("Invalid enum value", "Invalid value")):  # the second is of the tag that tells kinds apart
        what = what.replace(" enum", "", 1) + _choice(kind, table, re.findall(r"\w+|\.\.\.", path))
    keys = re.sub(r"\[\.\.\.\]", "", path).strip("`.")
    return f"`{keys}`: {what}" if keys else what


def _choice(kind: type, table: Any, path: list[str]) -> str:
    from msgspec.inspect import type_info

    values = list(dict.fromkeys(_values(type_info(kind), table, path)))
    return f"; valid values are: {', '.join(values)}" if values else ""


def _values(kind: Any, given: Any, path: list[str]) -> Iterator[str]:
    """What may stand at the end of a path, where a table that has a `style` tells which kind of it is meant."""
    from msgspec.inspect import DictType, LiteralType, StructType, UnionType

    match kind:
        case LiteralType(values=values) if not path:
            yield from map(str, values)
        case StructType(tag_field=str(key), tag=tag) if path == [key]:
            yield str(tag)
        case UnionType(types=types):
            for one in types:
                yield from _values(one, given, path)
        case DictType(value_type=value) if path:
            yield from _values(value, None, path[1:])
        case StructType(fields=fields, tag_field=key, tag=tag) if path and (key is None or given.get(key) == tag):
            for field in fields:
                if field.encode_name == path[0]:
                    yield from _values(field.type, given.get(path[0]), path[1:])
