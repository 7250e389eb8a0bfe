"""Runs Python on a disk of its own: one that is tiny, or read-only. It vanishes with the process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from tests.contract.process import ROOT

Kind = Literal["full", "read-only"]
_MOUNT = {
    "full": 'mount -t tmpfs -o size=256k tmpfs "$1"',
    "read-only": 'mount -t tmpfs -o ro tmpfs "$1"',
}


@cache
def _unshare() -> tuple[str, ...] | None:
    """The command that gives a process mounts of its own; None where the system allows it to nobody here."""
    if shutil.which("unshare") is None:
        return None
    for command in (("unshare", "-m"), ("unshare", "-rm")):
        if subprocess.run([*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0:
            return command
    return None


def on_disk(kind: Kind, folder: Path, script: str) -> str:
    """What the script prints; `folder`, its first argument, is a 256 kB disk, or one that nobody may write to."""
    command = _unshare()
    if command is None:
        pytest.skip("no mounts here: run as root on Linux, or allow user namespaces, with util-linux installed")
    shell = f'{_MOUNT[kind]} && exec "$2" -W error -c "$3" "$1"'
    done = subprocess.run(
        [*command, "sh", "-c", shell, "sh", str(folder), sys.executable, script],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
