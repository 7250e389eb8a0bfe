"""A bucket as a lake: S3, GCS and Azure through obstore, which has conditional puts for all three."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

from option_a.ingest.errors import LakeError
from option_a.ingest.lake.base import Entry, Lake

_ABSENT = (NotFoundError, FileNotFoundError)
_HINT = "check the bucket, the credentials and the network"


class BucketLake(Lake):
    """Objects in a bucket; tags are ETags."""

    def __init__(self, store: Any, name: str, *, slowest: float = 0.0) -> None:
        self.name, self.max_write_seconds = name, slowest
        self._store = store

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._errors("read", key):
            try:
                found = obstore.get(self._store, key)
                return bytes(found.bytes()), _tag(found.meta)
            except _ABSENT:
                return None

    def put(self, key: str, data: bytes) -> None:
        with self._errors("write", key):
            obstore.put(self._store, key, data)

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        mode: Any = "create" if tag is None else {"e_tag": tag}
        with self._errors("write", key):
            try:
                return _tag(obstore.put(self._store, key, data, mode=mode))
            except (AlreadyExistsError, FileExistsError, PreconditionError):
                return None

    def copy(self, source: str, target: str) -> None:
        with self._errors("write", target):
            obstore.copy(self._store, source, target)

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._errors("list", prefix):
            for batch in obstore.list(self._store, prefix):
                for meta in batch:
                    yield Entry(meta["path"], meta["size"], _tag(meta) or str(meta["last_modified"]))

    def _delete(self, keys: list[str]) -> None:
        with self._errors("delete", keys[0]):
            try:
                obstore.delete(self._store, keys)
            except _ABSENT:  # S3 alone is silent about what is not there
                for key in keys:
                    with suppress(*_ABSENT):
                        obstore.delete(self._store, key)

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:  # ValueError: a key that is none
            reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise LakeError(f"cannot {verb} {key} in the lake {self.name}: {reason}", hint=_HINT) from None


def _tag(meta: Any) -> str:
    return str(meta["e_tag"] or "")
