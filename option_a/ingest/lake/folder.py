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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from option_a.ingest.errors import LakeError
from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.lake.files import check_folders, contents, write_all

T = TypeVar("T")
_WHOLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}
_STALE = 3600.0
_TRIES = 100
"""How often a folder is made anew that others prune in the same moment."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_HINTS = {
    errno.ENOSPC: "the disk is full: free some space and run again: the load resumes where it stopped",
    errno.EDQUOT: "the quota is used up: free some space and run again: the load resumes where it stopped",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "give this user the right to write there, or choose another lake with --lake",
    errno.EPERM: "give this user the right to write there, or choose another lake with --lake",
    errno.ENOTDIR: "a file stands where the lake wants a folder",
    errno.EISDIR: "a folder stands where the lake wants a file",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "this machine has too many open files: end what does not need them",
    errno.EIO: "the disk fails: see what the system says of it, or choose another lake with --lake",
}
_HINT = "check that path; once it is repaired, run again: the load resumes where it stopped"


class FolderLake(Lake):
    """Objects as files below a folder. `durable`: each is on the disk, not just in its cache, before `put` returns."""

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        self.name = str(root)
        self._root = root
        self._temporary = f"{root}/staging/.tmp"
        self._durable = durable
        self._own = f"{os.getpid()}-{secrets.token_hex(4)}"  # containers that share a folder share process ids
        self._names = itertools.count()
        self._synced: set[str] = set()

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._errors("read", key):
            try:
                data = contents(self._path(key))
            except FileNotFoundError:
                return None
            return data, _digest(data)

    def put(self, key: str, data: bytes) -> None:
        with self._errors("write", key):
            self._write(self._path(key), data)

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        path = self._path(key)
        with self._errors("write", key), self._locked(os.path.dirname(path)):
            try:
                current: str | None = _digest(contents(path))
            except FileNotFoundError:
                current = None
            if current != tag:
                return None
            self._write(path, data)
            return _digest(data)

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        folder = os.path.dirname(self._path(key))
        with self._errors("lock", key), self._locked(folder), super().unchanged(key, tag) as still:
            yield still

    def copy(self, source: str, target: str) -> None:
        data = self.get(source)
        if data is None:
            raise LakeError(f"cannot copy {source} in the lake {self.name}: it is missing")
        self.put(target, data)

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._errors("list", prefix):
            check_folders(self.name, f"{prefix}/")
            yield from self._walk(self._path(prefix), prefix)

    def sweep(self) -> None:
        """Delete what a killed process left half made, an hour ago or more."""
        with self._errors("delete", "staging/.tmp"):
            check_folders(self.name, "staging/.tmp/")
            for path in Path(self._temporary).glob("*"):
                try:
                    if time.time() - path.stat().st_mtime > _STALE:
                        path.unlink()
                except FileNotFoundError:
                    continue

    def _delete(self, keys: list[str]) -> None:
        with self._errors("delete", keys[0]):
            emptier = set()
            for key in keys:
                path = Path(self._path(key))
                path.unlink(missing_ok=True)
                emptier.add(self._prune(path.parent))
            for folder in emptier if self._durable else ():
                _fsync_folder(str(folder))

    def _prune(self, folder: Path) -> Path:
        """An object store has no empty folders. One that a swap has locked stays. The first that does."""
        try:
            while folder != self._root:
                handle = os.open(folder, os.O_RDONLY)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    folder.rmdir()
                    self._synced.discard(os.path.abspath(folder))
                finally:
                    os.close(handle)
                folder = folder.parent
        except OSError:  # not empty, or in use
            return folder
        return folder

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
                    try:
                        stat = item.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # deleted since the folder was read
                    yield Entry(key, stat.st_size, f"{stat.st_mtime_ns}-{stat.st_ino}-{stat.st_size}")

    def _write(self, path: str, data: bytes) -> None:
        check_folders(self.name, "staging/.tmp/")
        temporary = f"{self._temporary}/{self._own}-{next(self._names)}"
        handle = _within(self._temporary, lambda: os.open(temporary, _NEW, 0o644))
        try:
            try:
                write_all(handle, data)
                if self._durable:
                    os.fsync(handle)
            finally:
                os.close(handle)
            self._rename(temporary, path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _rename(self, temporary: str, path: str) -> None:
        folder = os.path.dirname(path)
        _within(folder, lambda: os.replace(temporary, path))
        if self._durable:
            self._fsync_up(os.path.abspath(folder))

    def _fsync_up(self, folder: str) -> None:
        """The folder; the first time those above it too, in which it may be a new entry, as the lake itself may be."""
        _fsync_folder(folder)
        if folder in self._synced:
            return
        if not os.path.ismount(folder):
            self._fsync_up(os.path.dirname(folder))
        self._synced.add(folder)  # no sooner: another thread would take it for done

    @contextmanager
    def _locked(self, folder: str) -> Iterator[None]:
        while True:
            handle = _within(folder, lambda: os.open(folder, os.O_RDONLY))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if _stands(handle, folder):
                    yield
                    return
            finally:
                os.close(handle)

    def _path(self, key: str) -> str:
        if not key or key.startswith("/") or "\0" in key or any(part in ("", ".", "..") for part in key.split("/")):
            raise LakeError(f"{key!r} is not a valid key of a lake")
        check_folders(self.name, key)
        return f"{self.name}/{key}"

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            hint = _HINTS.get(error.errno or 0, _HINT)
            what = f"cannot {verb} {key} in the lake {self.name}: {reason}"
            raise LakeError(what, whole=error.errno in _WHOLE, hint=hint) from None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _within(folder: str, act: Callable[[], T]) -> T:
    """Do what needs the folder, and make it first if it is missing; others may prune it at the same moment."""
    for _ in range(_TRIES):
        try:
            return act()
        except FileNotFoundError:
            with suppress(FileNotFoundError, FileExistsError):
                os.makedirs(folder, exist_ok=True)
    return act()


def _stands(handle: int, folder: str) -> bool:
    """Whether the open folder is still the one at its path: the lock on a pruned one holds nobody off."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False


def _fsync_folder(folder: str) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except (PermissionError, FileNotFoundError):
        return  # it is not ours to sync, or it is gone and holds nothing
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
