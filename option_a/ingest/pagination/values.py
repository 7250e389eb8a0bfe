"""Values that a response holds beside its records: found by path, and taken for what a table promises that they are."""

from __future__ import annotations

from typing import Any

import msgspec

from option_a.ingest.errors import PaginationError

MISSING: Any = msgspec.UNSET


def find(meta: Any, path: str) -> Any:
    """What stands at a dotted path of a decoded body; a key may itself hold dots. MISSING if nothing does."""
    if not isinstance(meta, dict):
        return MISSING
    if path in meta:
        return meta[path]
    head, dot, rest = path.partition(".")
    return find(meta.get(head), rest) if dot else MISSING


def keys(meta: Any) -> str:
    """The keys of a body, for an error message."""
    names = ", ".join(sorted(map(str, meta))[:12]) if isinstance(meta, dict) else ""
    return names.encode("utf-8", "backslashreplace").decode() or "no keys"  # a lone surrogate cannot be written


def number(meta: Any, path: str, key: str) -> int:
    """The whole number at a path, which a table promises. Raises PaginationError if there is none."""
    return whole(find(meta, path), path, key, f"the body has: {keys(meta)}")


def whole(value: Any, place: str, key: str, held: str) -> int:
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


def _broken(value: Any, place: str, key: str, held: str, what: str) -> PaginationError:
    found = "is not there" if value is MISSING else f"is {str(value)[:40]!r}, {what}"
    return PaginationError(f"`{place}` {found}", hint=f"correct pagination.{key} in sources.toml; {held}")
