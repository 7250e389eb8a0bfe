"""Values that a response holds beside its records: found by path, and taken for what a table promises that they are."""

from __future__ import annotations

from typing import Any

import msgspec

from option_a.ingest.errors import PaginationError

MISSING: Any = msgspec.UNSET


class Exact(msgspec.Struct, frozen=True):
    """A number that a float would spell otherwise, or a list that holds one: its JSON, digit for digit."""

    json: str

    def __str__(self) -> str:
        return self.json


def exact_float(digits: str) -> float | Exact:
    """A number with a fraction or an exponent as it stands: a decoder's `parse_float`."""
    value = float(digits)
    return value if msgspec.json.encode(value) == digits.encode() else Exact(digits)


def exact_list(value: list[Any]) -> list[Any] | Exact:
    """A list, as its own JSON where numbers in it would be spelt otherwise."""
    text = msgspec.json.encode(to_raw(value))
    return value if text == msgspec.json.encode(value) else Exact(text.decode())


def to_raw(value: Any) -> Any:
    """The value for an encoder of JSON, which writes what is Exact as the number that it is."""
    if isinstance(value, Exact):
        return msgspec.Raw(value.json.encode())
    if isinstance(value, list):
        return [to_raw(item) for item in value]
    return {key: to_raw(item) for key, item in value.items()} if isinstance(value, dict) else value


def find_path(meta: Any, path: str) -> Any:
    """What stands at a dotted path of a decoded body; a key may itself hold dots. MISSING if nothing does."""
    if not isinstance(meta, dict):
        return MISSING
    if path in meta:
        return meta[path]
    head, dot, rest = path.partition(".")
    return find_path(meta.get(head), rest) if dot else MISSING


def describe_keys(meta: Any) -> str:
    """The keys of a body, for an error message."""
    names = ", ".join(sorted(map(str, meta))[:12]) if isinstance(meta, dict) else ""
    return names.encode("utf-8", "backslashreplace").decode() or "no keys"  # a lone surrogate cannot be written


def whole_number(value: Any, place: str, key: str, held: str) -> int:
    """The whole number that a value is, quoted or not. Raises PaginationError."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**18:
        raise _broken(value, place, key, held, "no whole number")
    return value


def flag(value: Any, place: str, key: str, held: str) -> bool:
    """The yes or no that a value is, quoted or not. Raises PaginationError."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, bool):
        return value
    raise _broken(value, place, key, held, "neither true nor false")


def preview(value: Any) -> str:
    """The beginning of a value, for an error message; without a query, which may hold a key."""
    return repr(str(value).partition("?")[0][:40])


def _broken(value: Any, place: str, key: str, held: str, what: str) -> PaginationError:
    found = "is not there" if value is MISSING else f"is {preview(value)}, {what}"
    return PaginationError(f"`{place}` {found}", hint=f"correct pagination.{key} in sources.toml; {held}")
