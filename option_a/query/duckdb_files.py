"""A bucket's pages for DuckDB: a read-only file system over the lake, so that no extension has to be downloaded."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import duckdb
from fsspec.spec import AbstractFileSystem

from option_a.ingest.lake import Lake

_SCHEME = "lake"


def register(db: duckdb.DuckDBPyConnection, lake: Lake) -> str:
    """Make the lake's objects readable as `lake://<key>`; the prefix."""
    files = LakeFiles()
    files.lake = lake
    db.register_filesystem(files)
    return f"{_SCHEME}://"


class LakeFiles(AbstractFileSystem):  # type: ignore[misc]
    """Objects by key. Pages are small, so each is read whole."""

    protocol = _SCHEME
    cachable = False
    lake: Lake

    def glob(self, path: str, **options: Any) -> list[str]:
        return [self._strip_protocol(path)]

    def exists(self, path: str, **options: Any) -> bool:
        return True

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        return {"name": self._strip_protocol(path), "type": "file", "size": len(self._read(path))}

    def _open(self, path: str, mode: str = "rb", **options: Any) -> io.BytesIO:
        return io.BytesIO(self._read(path))

    @lru_cache(maxsize=32)  # noqa: B019 - it lives as long as the one query
    def _read(self, path: str) -> bytes:
        data = self.lake.get(self._strip_protocol(path))
        if data is None:
            raise FileNotFoundError(path)
        return data
