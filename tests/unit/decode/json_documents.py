"""JSON documents as hypothesis makes them: lists of tokens, to be spaced as oddly as RFC 8259 allows."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable

import msgspec
from hypothesis import strategies as st

Tokens = tuple[str, ...]

_BETWEEN = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')

NUMBERS = (
    "0",
    "-0",
    "-0.0",
    "1.10",
    "1E+5",
    "1e400",
    "-1e-400",
    "9" * 30,
    "18446744073709551616",
    "0.1e1",
    "-" + "1" * 5000,
)
STRINGS = (
    r'"\ud800"', r'"\uDC00\ud800"', r'"\u0000"', r'"\/"', r'"\\"', r'"\""', '"\u2028"', '"\x7f"', '"\ufeff"', '"😀"',
    r'"\ud83d\ude00"', '" [{}], "', '"[{}]"', r'"\n,\r"', '"data"', '"null"',
)  # fmt: skip
KEYS = ('"a"', '"b"', '"data"', r'"\u0064ata"', '"items"', '""', r'"\ud800"', '"é"')

texts = st.builds(lambda text, ascii_: json.dumps(text, ensure_ascii=ascii_), st.text(max_size=8), st.booleans())
floats = st.floats(allow_nan=False, allow_infinity=False).map(json.dumps)
scalars: st.SearchStrategy[Tokens] = st.builds(
    lambda token: (token,),
    st.sampled_from([*NUMBERS, *STRINGS, "null", "true", "false"]) | texts | floats | st.integers().map(str),
)
deep: st.SearchStrategy[Tokens] = st.builds(
    lambda depth, inside: ("[",) * depth + inside + ("]",) * depth, st.integers(900, 3_000), scalars
)


def joined(opening: str, parts: Iterable[Tokens], closing: str) -> Tokens:
    """A container of its parts, with commas between."""
    commas = [token for part in parts for token in (",", *part)]
    return (opening, *commas[1:], closing)


def member(key: str, value: Tokens) -> Tokens:
    return (key, ":", *value)


def listed(items: Iterable[Tokens]) -> Tokens:
    return joined("[", items, "]")


def table(members: Iterable[tuple[str, Tokens]]) -> Tokens:
    return joined("{", itertools.starmap(member, members), "}")


def _containers(inner: st.SearchStrategy[Tokens]) -> st.SearchStrategy[Tokens]:
    return st.lists(inner, max_size=3).map(listed) | _tables(inner)


def _tables(inner: st.SearchStrategy[Tokens]) -> st.SearchStrategy[Tokens]:
    return st.lists(st.tuples(st.sampled_from(KEYS) | texts, inner), max_size=4).map(table)


values = st.recursive(scalars, _containers, max_leaves=6)
records = st.lists(_tables(values), max_size=5)
deep_records = st.lists(_tables(deep), min_size=1, max_size=2)
others = st.lists(
    st.tuples(st.sampled_from(['"page"', '"next"', r'"a\u0062"', '"meta"', '""', '"é"']), values),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
spaces = st.lists(st.sampled_from(["", "", " ", "\n", "\r", "\t", "\r\n", "  "]), min_size=1, max_size=7)


class Document(msgspec.Struct, frozen=True):
    """A body, and what must land of it."""

    body: bytes
    path: str
    lines: list[bytes]


def text_of(tokens: Tokens, gaps: list[str]) -> bytes:
    """The tokens with white space between, before and behind them."""
    spaced = itertools.chain.from_iterable(zip(itertools.cycle(gaps), tokens, strict=False))
    return ("".join(spaced) + gaps[0]).encode()


def compact(text: bytes) -> bytes:
    """JSON text with no white space between its tokens."""
    return _BETWEEN.sub(rb"\1", text)


@st.composite
def documents(draw: st.DrawFn, items: st.SearchStrategy[list[Tokens]] = records) -> Document:
    """A body whose records are at a path that is found without being told."""
    path = draw(st.sampled_from(["@", "data", "items", "results", "records", "value"]))
    found = draw(items)
    tokens = listed(found)
    if path != "@":
        around = draw(others)
        cut = draw(st.integers(0, len(around)))
        key = draw(st.sampled_from([f'"{path}"', f'"\\u{ord(path[0]):04x}{path[1:]}"']))
        tokens = table([*around[:cut], (key, tokens), *around[cut:]])
    return Document(text_of(tokens, draw(spaces)), path, ["".join(record).encode() for record in found])
