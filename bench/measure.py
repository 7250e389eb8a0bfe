"""Run a command and take what it cost from the kernel's own accounts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.group import run_group

_SPAWN = Path(__file__).with_name("spawn.py")
_HIDDEN = ("USE_REAL_HTTP", "ENDPOINT_MAP")  # they would turn the sources of the bench into others


class CommandError(Exception):
    """A measured command that failed, with the end of what it printed."""


@dataclass(frozen=True)
class Sample:
    """What one run cost.

    wall: seconds from start to exit.
    cpu: user and system seconds of the process and every process it waited for.
    peak: bytes resident at most, of the largest single process.
    """

    wall: float
    cpu: float
    peak: int


def measure(command: Sequence[str], log: Path) -> Sample:
    """Run the command to its end, its output going to `log`. Raises CommandError."""
    spawn = [sys.executable, "-I", "-S", str(_SPAWN), str(log), *command]
    cost = json.loads(run_group(spawn, _environment()))
    if cost["code"] != 0:
        raise CommandError(_failure(command, cost["code"], log))
    return Sample(cost["wall"], cost["cpu"], cost["peak"])


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in _HIDDEN}


def _failure(command: Sequence[str], code: int, log: Path) -> str:
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    return f"{' '.join(command)}\nended with {code}:\n{tail}"
