"""The files of the project, for the tests that read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ["app.py", "lambda", "option_a", "tests", "bench", "examples"]
"""What holds Python."""


def modules(folder: str) -> list[Path]:
    """Every module below a folder of the project, less those of virtual environments."""
    found = (path for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def named(path: Path) -> str:
    """A file as it is called from the root."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def kept() -> dict[str, str]:
    """Every text file that git has, or would take, by its name."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout: clone the repository, and have git on the path")
    return dict(_texts(filter(None, names)))


def _texts(names: Iterator[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # a picture, or a file that is deleted and not yet committed
