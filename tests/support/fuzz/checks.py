"""What fuzz targets check of every lake key and every error."""

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
TOP_FOLDERS = frozenset({"raw", "manifest", "staging", "dead", "control"})


def keys_of(partition: Partition, run: str) -> Iterable[str]:
    """Every key made from a partition and a run."""
    return (
        page_key(raw_prefix(partition), 1), page_key(staging_prefix(partition, run), 7), manifest_key(partition),
        segment_key(partition, 1, 1), dead_key(partition, run, 3), breaker_key(partition.source),
    )  # fmt: skip


def check_keys(partition: Partition, run: str) -> None:
    """Every key stays in a known folder and in its source."""
    for key in keys_of(partition, run):
        folder, *parts = key.split("/")
        assert folder in TOP_FOLDERS, key
        assert len(parts) in (2, 3, 4), key
        assert all(_PART.fullmatch(part) for part in parts), key
        assert f"source={partition.source}" in parts, key


def check_error(error: OptionAError, body: bytes | None = None) -> None:
    """The message can be stored, and the error carries the body it is about."""
    # other errors are stored in manifests and dead letters; a lake may have file names that are not valid text
    assert str(error).encode("utf-8", "surrogateescape" if isinstance(error, LakeError) else "strict")
    assert body is None or getattr(error, "body", None) == body


@contextmanager
def expecting(*kinds: type[Exception]) -> Iterator[None]:
    """Accept errors of these kinds if their message can be stored; any other propagates."""
    try:
        yield
    except kinds as error:
        if isinstance(error, OptionAError):
            check_error(error)
