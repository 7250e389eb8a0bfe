"""A folder as a lake. obstore's folder store stages beside the target, knows no If-Match and no fsync: this one does.

Objects are made under staging/.tmp and renamed, so nothing but pages ever stands under raw/. Compare-and-swap is an
exclusive `flock` on the object's folder, which `kill -9` frees, round read, compare and rename.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from option_a.ingest.errors import LakeError
from option_a.ingest.lake import Entry, Lake

_STALE = 3600.0
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_HINTS = {
    errno.ENOSPC: "the disk is full: free some space and run again, it goes on where it stood",
    errno.EDQUOT: "the quota is used up: free some space and run again, it goes on where it stood",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "give this user the right to write there, or choose another lake with --lake",
    errno.EPERM: "give this user the right to write there, or choose another lake with --lake",
    errno.ENOTDIR: "a file stands where the lake wants a folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


class FolderLake(Lake):
    """Objects as files below a folder. `durable`: each is on the disk, not just in its cache, before `put` returns."""

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        super().__init__(None, str(root))
        self._root = root
        self._temporary = root / "staging" / ".tmp"
        self._durable = durable
        self._own = f"{os.getpid()}-{secrets.token_hex(4)}"  # containers that share a folder share process ids
        self._names = itertools.count()

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._errors("read", key):
            try:
                data = self._path(key).read_bytes()
            except FileNotFoundError:
                return None
            return data, _digest(data)

    def put(self, key: str, data: bytes) -> None:
        with self._errors("write", key):
            self._write(self._path(key), data)

    def swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        path = self._path(key)
        with self._errors("write", key), self._locked(path.parent):
            try:
                current: str | None = _digest(path.read_bytes())
            except FileNotFoundError:
                current = None
            if current != tag:
                return None
            self._write(path, data)
            return _digest(data)

    def copy(self, source: str, target: str) -> None:
        data = self.get(source)
        if data is None:
            raise LakeError(f"cannot copy {source} in the lake {self.name}: it is gone")
        self.put(target, data)

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._errors("list", prefix):
            yield from self._walk(str(self._path(prefix)), prefix)

    def sweep(self) -> None:
        """Delete what a killed process left half made, an hour ago or more."""
        with self._errors("delete", "staging/.tmp"):
            for path in self._temporary.glob("*"):
                try:
                    if time.time() - path.stat().st_mtime > _STALE:
                        path.unlink()
                except FileNotFoundError:
                    continue

    def _delete(self, keys: list[str]) -> None:
        with self._errors("delete", keys[0]):
            for key in keys:
                path = self._path(key)
                path.unlink(missing_ok=True)
                self._prune(path.parent)

    def _prune(self, folder: Path) -> None:
        """An object store has no empty folders."""
        try:
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent
        except OSError:
            return  # not empty

    def _walk(self, folder: str, prefix: str) -> Iterator[Entry]:
        try:
            found = os.scandir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        with found:
            for item in found:
                key = f"{prefix}/{item.name}"
                if item.is_dir(follow_symlinks=False):
                    yield from self._walk(item.path, key)
                elif not key.startswith("staging/.tmp/"):
                    stat = item.stat()
                    yield Entry(key, stat.st_size, f"{stat.st_mtime_ns}-{stat.st_ino}-{stat.st_size}")

    def _write(self, path: Path, data: bytes) -> None:
        temporary = self._temporary / f"{self._own}-{next(self._names)}"
        handle = self._made(temporary)
        try:
            try:
                _write_all(handle, data)
                if self._durable:
                    os.fsync(handle)
            finally:
                os.close(handle)
            self._rename(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _made(self, temporary: Path) -> int:
        try:
            return os.open(temporary, _NEW, 0o644)
        except FileNotFoundError:
            self._temporary.mkdir(parents=True, exist_ok=True)
            return os.open(temporary, _NEW, 0o644)

    def _rename(self, temporary: Path, path: Path) -> None:
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, path)
            if self._durable:
                for folder in (path.parent, *path.parent.parents):
                    _fsync_folder(folder)
                    if folder == self._root:
                        break
        else:
            if self._durable:
                _fsync_folder(path.parent)

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _path(self, key: str) -> Path:
        if not key or key.startswith("/") or any(part in ("", ".", "..") for part in key.split("/")):
            raise LakeError(f"{key!r} is no key of a lake")
        return self._root / key

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            hint = _HINTS.get(error.errno or 0, "")
            raise LakeError(f"cannot {verb} {key} in the lake {self.name}: {reason}", hint=hint) from None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
