"""What `strace` saw of a process's writes, as calls: on which files, with which bytes, from when to when."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_TRACED = (
    "openat", "write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "truncate", "copy_file_range",
    "sendfile", "fallocate", "fsync", "fdatasync", "renameat", "renameat2", "linkat", "symlinkat", "unlinkat",
    "mkdirat", "?open", "?creat", "?rename", "?link", "?symlink", "?unlink", "?mkdir", "?rmdir",
)  # fmt: skip
_LONGEST = 2**20
"""Bytes of one call that are written down; a call with more could not be followed."""
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*?)(?:\) += (-?\d+)(?:<(.*)>)?.*| <unfinished \.\.\.>)")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*?)\) += (-?\d+)(?:<(.*)>)?.*")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\.{3})?|(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>|([^\s,"<>][^,"<>]*)')
_WITH_DATA = frozenset({"write", "pwrite64"})


class Call(NamedTuple):
    """One call that succeeded. `begun` and `ended` are lines of the trace: threads interleave between them."""

    begun: int
    ended: int
    name: str
    paths: tuple[str, ...]
    data: bytes
    words: tuple[str, ...]
    """Flags and numbers."""

    @property
    def writes(self) -> bool:
        """Whether it opens a file to write to it."""
        return bool({"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"} & set("|".join(self.words).split("|")))


def command(trace: Path) -> list[str]:
    """The command that traces the command which follows it, threads and children too."""
    return ["strace", "-f", "-y", "-qq", "-s", str(_LONGEST), "-e", f"trace={','.join(_TRACED)}", "-o", str(trace)]


def why_not(folder: Path) -> str | None:
    """Why nothing can be traced here."""
    try:
        done = subprocess.run([*command(folder / "probe"), "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "no strace: apt-get install strace"
    if done.returncode:
        return f"strace may not trace here (in a container: --cap-add SYS_PTRACE): {done.stderr.strip()}"
    return None


def read(lines: Iterable[str]) -> Iterator[Call]:
    """The calls that succeeded, in the order in which they ended."""
    open_calls: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        if resumed := _RESUMED.fullmatch(line):
            thread, name, rest, result, made = resumed.groups()
            begun, arguments = open_calls.pop(f"{thread} {name}")
            arguments += rest
        elif begins := _BEGUN.fullmatch(line):
            thread, name, arguments, result, made = begins.groups()
            begun = number
            if result is None:
                open_calls[f"{thread} {name}"] = (number, arguments)
                continue
        else:
            continue
        if int(result) >= 0:
            yield _call(begun, number, name, arguments, made)


def _call(begun: int, ended: int, name: str, arguments: str, made: str | None) -> Call:
    paths, words, data, folder = [], [], b"", ""
    for text, cut, file, word in _TOKEN.findall(arguments):
        if word:
            words.append(word.strip())
        elif file:
            folder = _bytes(file).decode()
        elif name in _WITH_DATA:
            assert not cut, f"more than {_LONGEST} bytes at once: {name} of {folder}"
            data = _bytes(text)
        else:
            paths.append(os.path.normpath(os.path.join(folder, _bytes(text).decode())))
    if made:
        paths = [_bytes(made).decode()]
    return Call(begun, ended, name, tuple(paths or [folder]), data, tuple(words))


def _bytes(text: str) -> bytes:
    """What stands between the quotes, its escapes undone."""
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def traced(trace: Path, arguments: Sequence[str], folder: Path, env: dict[str, str]) -> list[Call]:
    """Run a command to its good end, and tell its calls."""
    done = subprocess.run(
        [*command(trace), *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    with trace.open(encoding="utf-8") as lines:
        return list(read(line.rstrip("\n") for line in lines))
