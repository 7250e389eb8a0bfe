"""Where the records of a body may be: for `add`, `doctor` and `preview`, and for the words of an error. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Shape = Literal["objects", "values", "keyed"]
_DEPTH = 5
_ALIKE = 0.5
"""Of an object's tables so many of the first one's keys are in each, if they are records keyed by their id."""
_SHOWN = 4


class RecordList(msgspec.Struct, frozen=True):
    """A list of objects, a list of values, or an object whose values are objects that are alike."""

    path: str
    shape: Shape
    count: int

    def __str__(self) -> str:
        hint = "" if self.shape == "objects" else f', shape = "{self.shape}"'
        return f"`{self.path}` ({self.count}{hint})"


def record_lists(document: Any) -> list[RecordList]:
    """Every place of a decoded body that may hold its records, the likeliest first."""
    candidates = list(_walk(document, (), _DEPTH))
    rank = {"objects": 0, "keyed": 1, "values": 2}
    return sorted(candidates, key=lambda place: (rank[place.shape], place.path.count("."), -place.count))


def suggest_records(body: bytes) -> str:
    """The places of a body that is JSON, for the hint of an error; empty where there are none."""
    try:
        candidates = record_lists(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    return "; records may be at: " + ", ".join(map(str, candidates[:_SHOWN])) if candidates else ""


def _walk(value: Any, path: tuple[str, ...], depth: int) -> Iterator[RecordList]:
    shape = _shape(value)
    if shape is not None:
        yield RecordList(".".join(path) or "@", shape, len(value))
    if isinstance(value, dict) and shape is None and depth:
        for key, child in value.items():
            if key and "." not in key and key.isprintable():  # no path could name it
                yield from _walk(child, (*path, key), depth - 1)


def _shape(value: Any) -> Shape | None:
    if isinstance(value, list) and value:
        return "objects" if all(isinstance(item, dict) for item in value) else "values"
    if isinstance(value, dict) and len(value) > 1 and all(isinstance(item, dict) for item in value.values()):
        first, *others = (set(item) for item in value.values())
        return "keyed" if first and all(len(first & other) >= _ALIKE * len(first) for other in others) else None
    return None
