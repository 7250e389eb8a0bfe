"""Formats figures and tables. Pure, except for `print_json`."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import msgspec

# control characters, line separators, bidirectional overrides and lone surrogates
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_EXCERPT = 200
_UNITS = ("B", "kB", "MB", "GB", "TB")


def print_json(value: Any) -> None:
    """Print a value as one indented JSON document; file names that are not valid Unicode are escaped."""
    try:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), indent=2)
    click.echo(escaped(text))


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = ()) -> str:
    """A table; the columns named in `right` are right-aligned."""
    titles = [printable(header) for header in headers]
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(titles, *cells, strict=True)]
    right_aligned = [header in set(right) for header in headers]
    lines = [
        "  ".join(_padded(cell, w, right=r) for cell, w, r in zip(row, widths, right_aligned, strict=True)).rstrip()
        for row in [titles, ["─" * w for w in widths], *cells]
    ]
    return "\n".join(lines)


def width(text: str) -> int:
    """The terminal columns that a text occupies."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _padded(cell: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - width(cell))
    return space + cell if right else cell + space


def printable(text: str) -> str:
    """Text without control characters: an API's response must not control the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).replace("\n", " ")


def beginning(body: bytes) -> str:
    """The first 200 bytes of a body, printable."""
    return printable(body[:_EXCERPT].decode(errors="replace")) + ("…" if len(body) > _EXCERPT else "")


def escaped(text: str) -> str:
    """Equivalent JSON text without control characters: JSON itself escapes only the first 32."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def size(count: float) -> str:
    """Bytes in a readable unit: 73.9 kB."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def moment(epoch: float | None) -> str:
    """An epoch second as a UTC timestamp."""
    return "" if epoch is None else f"{dt.datetime.fromtimestamp(epoch, dt.UTC):%Y-%m-%d %H:%M:%S}Z"


def span(seconds: float) -> str:
    """A duration in a readable unit: 42 s, 3 min, 5 h, 2 d."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def tally(counts: Mapping[str, int]) -> str:
    """`2 failed, 5 missing`: the states whose count is not 0, in the given order."""
    return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)


def plural(count: int, noun: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
