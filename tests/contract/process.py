"""Runs Python in processes of their own, which may be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def process(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process whose output can be read; it is killed at the end, if it has not ended."""
    command = [sys.executable, "-W", "error", "-c", script, *(str(argument) for argument in arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as child:
        try:
            yield child
        finally:
            child.kill()


def together(script: str, many: int, *arguments: object) -> list[str]:
    """What each of many processes prints that run at once; the last argument of each is its number."""
    with ExitStack() as stack:
        children = [stack.enter_context(process(script, *arguments, number)) for number in range(many)]
        answers = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0] * many, [answer[1] for answer in answers]
    return [answer[0] for answer in answers]
