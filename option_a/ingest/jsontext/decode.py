"""What a body holds beside its records, and a record, as values: whatever is legal, however long or deep. Pure."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from option_a.ingest.jsontext.parser import key_text, parse
from option_a.ingest.jsontext.values import Exact, exact_float

T = TypeVar("T")
UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What a decoder of msgspec raises for anything but the JSON that it expects."""
_LONG = 4_000
"""Digits beyond which Python makes no int of a text."""
_LEVELS = 8
"""Levels of objects that are taken apart one by one where the decoder cannot go all the way down."""


def decode_or_none(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """What the data hold; None where they are not what the decoder expects."""
    try:
        return decoder.decode(data)
    except UNDECODABLE:
        return None


def exact_int(number: str) -> int | Exact:
    """A whole number as it stands: a decoder's `parse_int`."""
    return int(number) if len(number) < _LONG else Exact(number)


def decode_exact(text: bytes) -> Any:
    """The value of a legal text. Of what is nested too deeply for a decoder the members beside the depth stay."""
    return _decoded(text, _LEVELS)


def _decoded(text: bytes, levels: int) -> Any:
    try:
        return json.loads(text, parse_int=exact_int, parse_float=exact_float)
    except RecursionError:
        if not levels:
            return None
    compact, root = parse(text, 1)
    return {key_text(key): _decoded(compact[node.start : node.end], levels - 1) for key, node in root.members}
