"""What the tools say of the whole tree: types, lint, format, and who imports whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PYTHON, ROOT

TOOLS = {
    "types": ["mypy", "--strict", *PYTHON],
    "lint": ["ruff", "check", *PYTHON],
    "format": ["ruff", "format", "--check", *PYTHON],
    "imports": ["lint-imports"],
}


@pytest.mark.timeout(900)  # without a cache, mypy takes minutes beside the other tests
@pytest.mark.parametrize("tool", TOOLS)
def test_the_tree_is_clean(tool: str) -> None:
    name, *arguments = TOOLS[tool]
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
