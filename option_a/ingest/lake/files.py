"""A folder lake's files, as the system has them.

Links and their like are no objects: who planted one wants what lies behind it read, written or deleted.
"""

from __future__ import annotations

import errno
import os

from option_a.ingest.errors import LakeError

# not blocking: to open a pipe that nobody writes to would wait for ever
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_LINKED = "nothing behind it was touched; if you made it, mount the disk there or name its place with --lake"


def check_folders(root: str, key: str) -> None:
    """Raises LakeError if a folder on the way from the root to the key is a link: what is done there is done elsewhere.

    The root itself may be one.
    """
    folder = root
    for part in key.split("/")[:-1]:
        folder = f"{folder}/{part}"
        if os.path.islink(folder):
            what = f"a symbolic link stands where the lake wants a folder: {folder}"
            raise LakeError(what, hint=_LINKED)


def contents(path: str) -> bytes:
    """A file's bytes. A link is not there (FileNotFoundError), whatever it leads to."""
    try:
        handle = os.open(path, _READ)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(path) from None
        raise
    try:
        with os.fdopen(handle, "rb", buffering=0, closefd=False) as file:
            return file.read() or b""  # a pipe that nobody writes to has none
    finally:
        os.close(handle)


def write_all(handle: int, data: bytes) -> None:
    """All of it, however much one call takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
