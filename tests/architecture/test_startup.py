"""A command imports what it uses and no more: that is what makes `--help` and `status` answer at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.command import Place, command

HEAVY = {"boto3", "botocore", "rich", "duckdb", "urllib3", "fsspec", "asyncio", "pydantic"}


def imports(folder: Path, *arguments: str) -> set[str]:
    """Every module that the command has imported by its end."""
    line = [sys.executable, "-X", "importtime", *command(*arguments)[1:]]
    done = subprocess.run(line, cwd=folder, env=Place(folder).env, capture_output=True, text=True, check=True)
    return {row.rpartition("|")[2].strip() for row in done.stderr.splitlines() if row.startswith("import time:")}


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (("--help",), {"obstore", "isal", "sqlite3"}),
        (("--version",), {"obstore", "isal", "sqlite3"}),
        (("completion", "zsh"), {"obstore"}),
        (("status",), {"obstore"}),
        (("plan",), {"obstore"}),
        (("run", "--source", "api-a"), {"obstore"}),
        (("verify",), {"obstore"}),
        (("check",), {"obstore"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...], also: set[str]) -> None:
    found = imports(tmp_path, *arguments)
    assert "option_a.cli.main" in found
    assert found & HEAVY == set()
    assert found & also == set()


def test_what_is_heavy_is_seen_where_it_is_used(tmp_path: Path) -> None:
    assert "duckdb" in imports(tmp_path, "query", "SELECT 1")
