"""docs/security.md: each attack names what shows that it is stopped, or says that nothing does; each test exists."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from tests.architecture.tree import ROOT, kept, parsed

DOCUMENT = "docs/security.md"
NOTHING = "nothing"
_HEAD = re.compile(r"\| (tries|role) \|")
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


class Row(NamedTuple):
    """One line of one of its tables."""

    tries: str
    stopped_by: str
    shown_by: str
    left: str


def rows() -> list[Row]:
    lines = [line for line in kept()[DOCUMENT].splitlines() if line.startswith("| ")]
    return [Row(*(cell.strip() for cell in line.strip()[1:-1].split("|"))) for line in lines if not _HEAD.match(line)]


def named() -> set[tuple[str, str]]:
    """The tests that the document names, by file below tests/ and function."""
    return set(_TEST.findall(kept()[DOCUMENT]))


def test_every_attack_names_a_test_or_says_that_nothing_stops_it() -> None:
    assert len(rows()) > 30
    assert [row.tries for row in rows() if (row.stopped_by == NOTHING) == bool(_TEST.search(row.shown_by))] == []
    assert [row.tries for row in rows() if row.stopped_by == NOTHING and not row.left] == []


def test_every_test_that_is_named_exists() -> None:
    assert [f"{file}::{name}" for file, name in sorted(named()) if name not in defined(file)] == []


def defined(file: str) -> set[str]:
    """The tests of a file below tests/."""
    path = ROOT / "tests" / file
    if not path.exists():
        return set()
    return {node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef)}


def test_what_looks_like_a_test_is_read_as_one() -> None:
    """Else a name with a slip in it would be passed over."""
    assert kept()[DOCUMENT].count("::") == len(_TEST.findall(kept()[DOCUMENT]))


def test_whoever_finds_a_hole_is_led_to_where_it_is_reported() -> None:
    assert "docs/security.md" in kept()["SECURITY.md"]
    assert "(docs/security.md)" in kept()["README.md"]
    assert "private" in kept()["SECURITY.md"]
    assert not re.search(r"\w@\w+\.\w", kept()["SECURITY.md"] + kept()[DOCUMENT])
