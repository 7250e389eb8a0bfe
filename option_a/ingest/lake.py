"""The lake: where objects live. One class over obstore, for S3, GCS and Azure; `folder` makes a folder of it.

Every call raises LakeError alone. A tag names one version of one object, for compare-and-swap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

from option_a.ingest.errors import LakeError

_DELETE_AT_ONCE = 1_000


class Entry(msgspec.Struct, frozen=True):
    """One listed object: its key, its size in bytes, and a mark that changes when it does."""

    key: str
    size: int
    mark: str


class Lake:
    """Objects by key. `name` is how the user wrote the lake."""

    def __init__(self, store: Any, name: str) -> None:
        self.name = name
        self._store = store

    def get(self, key: str) -> bytes | None:
        """The object's bytes; None if there is none."""
        found = self.read(key)
        return None if found is None else found[0]

    def read(self, key: str) -> tuple[bytes, str] | None:
        """The object's bytes and tag; None if there is none."""
        with self._errors("read", key):
            try:
                found = obstore.get(self._store, key)
                return bytes(found.bytes()), _tag(found.meta)
            except (NotFoundError, FileNotFoundError):
                return None

    def put(self, key: str, data: bytes) -> None:
        """Write the object whole or not at all."""
        with self._errors("write", key):
            obstore.put(self._store, key, data)

    def swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        """Write the object if its version is still `tag` (None: if there is none). The new tag, or None: too late."""
        mode: Any = "create" if tag is None else {"e_tag": tag}
        with self._errors("write", key):
            try:
                return _tag(obstore.put(self._store, key, data, mode=mode))
            except (AlreadyExistsError, FileExistsError, PreconditionError):
                return None

    def copy(self, source: str, target: str) -> None:
        """Copy one object over another."""
        with self._errors("write", target):
            obstore.copy(self._store, source, target)

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Every object under a prefix, in no order."""
        with self._errors("list", prefix):
            for batch in obstore.list(self._store, prefix):
                for meta in batch:
                    yield Entry(meta["path"], meta["size"], _tag(meta) or str(meta["last_modified"]))

    def delete(self, keys: Iterable[str]) -> int:
        """Delete objects; one that is not there is none the less gone. How many were asked for."""
        every = list(keys)
        for first in range(0, len(every), _DELETE_AT_ONCE):
            self._delete(every[first : first + _DELETE_AT_ONCE])
        return len(every)

    def _delete(self, keys: list[str]) -> None:
        with self._errors("delete", keys[0]):
            obstore.delete(self._store, keys)

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            hint = "check the bucket, the credentials and the network"
            raise LakeError(f"cannot {verb} {key} in the lake {self.name}: {reason}", hint=hint) from None


def _tag(meta: Any) -> str:
    return str(meta["e_tag"] or "")
