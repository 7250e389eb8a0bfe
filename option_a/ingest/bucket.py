"""A bucket as a lake: S3, GCS and Azure through obstore, which has conditional puts for all three."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

from option_a.ingest.errors import LakeError
from option_a.ingest.lake import Entry, Lake

_HINT = "check the bucket, the credentials and the network"


class BucketLake(Lake):
    """Objects in a bucket; tags are ETags."""

    def __init__(self, store: Any, name: str) -> None:
        self.name = name
        self._store = store

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._errors("read", key):
            try:
                found = obstore.get(self._store, key)
                return bytes(found.bytes()), _tag(found.meta)
            except (NotFoundError, FileNotFoundError):
                return None

    def put(self, key: str, data: bytes) -> None:
        with self._errors("write", key):
            obstore.put(self._store, key, data)

    def swap(self, key: str, data: bytes, tag: str | None) -> str | None:
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
            obstore.delete(self._store, keys)

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise LakeError(f"cannot {verb} {key} in the lake {self.name}: {reason}", hint=_HINT) from None


def _tag(meta: Any) -> str:
    return str(meta["e_tag"] or "")
