"""The lake: where objects live. What a folder and a bucket have in common; `folder` and `bucket` are the two.

Every call raises LakeError alone. A tag names one version of one object, for compare-and-swap.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import msgspec

_DELETE_AT_ONCE = 1_000


class Entry(msgspec.Struct, frozen=True):
    """One listed object: its key, its size in bytes, and a mark that changes when it does."""

    key: str
    size: int
    mark: str


class Lake(ABC):
    """Objects by key."""

    name: str
    """How the user wrote the lake."""
    max_write_seconds: float = 0.0
    """Seconds that a write may take where nothing fences it: none is begun that its lease might not outlast."""

    def get(self, key: str) -> bytes | None:
        """The object's bytes; None if there is none."""
        stored = self.read(key)
        return None if stored is None else stored[0]

    @abstractmethod
    def read(self, key: str) -> tuple[bytes, str] | None:
        """The object's bytes and tag; None if there is none."""

    @abstractmethod
    def put(self, key: str, data: bytes) -> None:
        """Write the object whole or not at all."""

    @abstractmethod
    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        """Write the object if its version is still `tag` (None: if there is none). The new tag, or None: too late."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Copy one object over another."""

    @abstractmethod
    def entries(self, prefix: str) -> Iterator[Entry]:
        """Every object under a prefix, in no order."""

    def key_batches(self, prefix: str, size: int) -> Iterator[list[str]]:
        """The keys below a prefix, so many at a time, to be deleted before the next ones are asked for.

        It ends at what no deletion removes: in buckets, consoles make objects that stand for folders, under odd names.
        """
        before: list[str] = []
        while (batch := [entry.key for entry in islice(self.entries(prefix), size)]) and batch != before:
            yield batch
            before = batch

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is none the less gone."""
        every = list(keys)
        for first in range(0, len(every), _DELETE_AT_ONCE):
            self._delete(every[first : first + _DELETE_AT_ONCE])

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        """Whether an object's version is still `tag`. Where the lake can, it stays so until the end of the block."""
        stored = self.read(key)
        yield (None if stored is None else stored[1]) == tag

    @abstractmethod
    def _delete(self, keys: list[str]) -> None: ...
