"""The folder that every test of the command starts from: empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.command import Place


@pytest.fixture
def option_a(tmp_path: Path) -> Place:
    """`option_a("run", "--json")` runs the command in an empty folder."""
    return Place(tmp_path)
