"""Runs a command under `strace` and parses its file writes, for tests/prove/test_write_order.py."""

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
"""Bytes recorded per call; a call with more cannot be followed."""
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*?)(?:\) += (-?\d+)(?:<(.*)>)?.*| <unfinished \.\.\.>)")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*?)\) += (-?\d+)(?:<(.*)>)?.*")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\.{3})?|(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>|([^\s,"<>][^,"<>]*)')
_WITH_DATA = frozenset({"write", "pwrite64"})


class Syscall(NamedTuple):
    """A system call that succeeded. `begun` and `ended` are trace lines; threads interleave between them."""

    begun: int
    ended: int
    name: str
    paths: tuple[str, ...]
    data: bytes
    words: tuple[str, ...]
    """Flags and numbers."""

    @property
    def writes(self) -> bool:
        """Whether it opens a file for writing."""
        return bool({"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"} & set("|".join(self.words).split("|")))


def strace_command(trace: Path) -> list[str]:
    """The command line that traces the command appended to it, with threads and children."""
    return ["strace", "-f", "-y", "-qq", "-s", str(_LONGEST), "-e", f"trace={','.join(_TRACED)}", "-o", str(trace)]


def unavailable_reason(folder: Path) -> str | None:
    """Why nothing can be traced on this system, or None."""
    try:
        done = subprocess.run([*strace_command(folder / "probe"), "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "no strace: apt-get install strace"
    if done.returncode:
        return f"strace may not trace here (in a container: --cap-add SYS_PTRACE): {done.stderr.strip()}"
    return None


def parse_trace(lines: Iterable[str]) -> Iterator[Syscall]:
    """The successful calls, in the order in which they ended."""
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


def _call(begun: int, ended: int, name: str, arguments: str, made: str | None) -> Syscall:
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
    return Syscall(begun, ended, name, tuple(paths or [folder]), data, tuple(words))


def _bytes(text: str) -> bytes:
    """The bytes of a quoted string, unescaped."""
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def trace_command(trace: Path, arguments: Sequence[str], folder: Path, env: dict[str, str]) -> list[Syscall]:
    """Run a command, which must succeed, and return its calls."""
    done = subprocess.run(
        [*strace_command(trace), *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with trace.open(encoding="utf-8") as lines:
        return list(parse_trace(line.rstrip("\n") for line in lines))
