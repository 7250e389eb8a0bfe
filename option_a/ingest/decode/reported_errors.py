"""What a body says went wrong, above its records or as its one record. Pure."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Literal

from option_a.ingest.jsontext import Exact

ERRORS = ("errors", "error")
Errors = Literal["error", "beside", "allow"]
"""Where a body may say an error: nowhere, beside records, or anywhere but beside null."""
_NOTHING = frozenset({"", "0", "false", "none", "null", "ok", "success"})
_DEPTH = 16
"""Levels below which nothing is taken for quiet."""
_SHOWN = 60


def reported_error(meta: Any, where: str) -> tuple[str, str] | None:
    """The key, at any height down to the records, under which a body says what went wrong; and how that begins."""
    for part in [*where.split(".")[:-1], ""]:
        if not isinstance(meta, dict):
            return None
        for key in ERRORS:
            if key != part and not means_no_error(meta.get(key)):
                return key, f"as follows: {_shown(meta[key])}"
        meta = meta.get(part)
    return None


def means_no_error(value: Any, levels: int = _DEPTH) -> bool:
    """Whether a value says nothing: all that it holds is empty, zero or a word for that."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(means_no_error(item, levels - 1) for item in inner)
    if isinstance(value, Exact):
        return set(value.json.lower().partition("e")[0]) <= set("-.0")
    return value.strip().casefold() in _NOTHING if isinstance(value, str) else not value


def _shown(value: Any) -> str:
    """Lazily, since it may be long or deep; what steers a terminal or breaks a line is made harmless."""
    pieces = json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value)
    text = "".join(islice(pieces, _SHOWN + 1))
    whole = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_SHOWN])
    return whole + ("…" if len(text) > _SHOWN else "")
