"""A bucket's pages for DuckDB: a read-only file system over the lake, so that no extension has to be downloaded."""

from __future__ import annotations

import io
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
        key = self._strip_protocol(path)
        return {"name": key, "type": "file", "size": len(self.lake.get(key) or b"")}

    def _open(self, path: str, mode: str = "rb", **options: Any) -> io.BytesIO:
        data = self.lake.get(self._strip_protocol(path))
        if data is None:
            raise FileNotFoundError(path)
        return io.BytesIO(data)
