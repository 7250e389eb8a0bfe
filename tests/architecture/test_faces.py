"""Each package of `ingest` has a face, its `__init__.py`: all that is imported from outside, and nothing besides."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, modules, named, parsed

INGEST = "option_a.ingest"
WINGS = sorted(path.parent.name for path in (ROOT / "option_a" / "ingest").glob("*/__init__.py"))
OUTSIDE = ["app.py", "lambda", "option_a", "bench", "examples"]


def imports(path: Path) -> Iterator[tuple[str, str, str]]:
    """The wing, the module within it (empty: the face) and the name of each import from a wing that is not its own."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{INGEST}."):
            wing, _, module = (node.module or "").removeprefix(f"{INGEST}.").partition(".")
            if wing in WINGS and not named(path).startswith(f"option_a/ingest/{wing}/"):
                yield from ((wing, module, alias.name) for alias in node.names)


def outside() -> list[Path]:
    return [path for folder in OUTSIDE for path in ([ROOT / folder] if folder.endswith(".py") else modules(folder))]


def face(wing: str) -> list[str]:
    """The names in `__all__`."""
    module = parsed(ROOT / "option_a" / "ingest" / wing / "__init__.py")
    lists = [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    ]
    return [str(name) for name in ast.literal_eval(lists[0])]


def test_nothing_is_imported_from_behind_a_face() -> None:
    found = [f"{named(path)}: {wing}.{module}" for path in outside() for wing, module, _ in imports(path) if module]
    assert found == []


@pytest.mark.parametrize("wing", WINGS)
def test_a_face_shows_what_is_used_and_no_more(wing: str) -> None:
    used = {name for path in outside() for found, module, name in imports(path) if found == wing and not module}
    assert set(face(wing)) == used


def test_the_wings_are_found() -> None:
    assert {"load", "http", "manifest", "pagination"} <= set(WINGS)
    assert any(wing == "plan" for path in outside() for wing, _, _ in imports(path))
