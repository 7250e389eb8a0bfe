"""The rows of a manifest, one for each page, and the segments in which they are stored."""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from option_a.ingest.errors import ManifestError
from option_a.ingest.jsontext import UNDECODABLE

SEGMENT = 1_000
"""Rows in a segment. The manifest holds the last pages' rows alone, so a checkpoint costs the same at any length."""
_MOST = 2**53  # every reader of JSON takes it as it is


class Row(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One page: how many records, the object's bytes and their SHA-256. A response with no records has no object."""

    page: Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
    records: Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
    size: Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
    checksum: str


def checksum(data: bytes) -> str:
    """The SHA-256 of an object, as its row holds it."""
    return hashlib.sha256(data).hexdigest()


_ROWS = msgspec.json.Decoder(list[Row])  # made in threads, msgspec crashes


def encode_rows(rows: list[Row]) -> bytes:
    """A segment as it is stored: JSON."""
    return msgspec.json.encode(rows)


def decode_rows(data: bytes, key: str) -> list[Row]:
    """A stored segment. Raises ManifestError."""
    try:
        return _ROWS.decode(data)
    except UNDECODABLE as error:
        raise ManifestError(f"the segment {key} cannot be read: {error}", hint="load the day with --fresh") from None
