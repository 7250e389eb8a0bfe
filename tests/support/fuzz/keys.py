"""What must hold of every key that is made, and of every error that is raised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from option_a.ingest.errors import LakeError, OptionAError
from option_a.ingest.lake.keys import (
    breaker_key,
    dead_key,
    manifest_key,
    page_key,
    raw_prefix,
    segment_key,
    staging_prefix,
)
from option_a.ingest.partition import Partition

_PART = re.compile(r"[A-Za-z0-9=_-][A-Za-z0-9=_.-]*")
ROOMS = frozenset({"raw", "manifest", "staging", "dead", "control"})


def keys_of(partition: Partition, run: str) -> Iterable[str]:
    """Every key that a partition and a run are made to."""
    return (
        page_key(raw_prefix(partition), 1), page_key(staging_prefix(partition, run), 7), manifest_key(partition),
        segment_key(partition, 1, 1), dead_key(partition, run, 3), breaker_key(partition.source),
    )  # fmt: skip


def check_keys(partition: Partition, run: str) -> None:
    """No key leaves its room, nor its source."""
    for key in keys_of(partition, run):
        room, *parts = key.split("/")
        assert room in ROOMS, key
        assert len(parts) in (2, 3, 4), key
        assert all(_PART.fullmatch(part) for part in parts), key
        assert f"source={partition.source}" in parts, key


def check_error(error: OptionAError, body: bytes | None = None) -> None:
    """It can be written down, and holds the body that it is about."""
    # what is not the lake's is kept in manifests and letters; a lake may hold files whose names are no text
    assert str(error).encode("utf-8", "surrogateescape" if isinstance(error, LakeError) else "strict")
    assert body is None or getattr(error, "body", None) == body


@contextmanager
def refused(*kinds: type[Exception]) -> Iterator[None]:
    """An error of these kinds is an answer; its text can be written down. Any other comes through."""
    try:
        yield
    except kinds as error:
        if isinstance(error, OptionAError):
            check_error(error)
