"""The house style, as far as it can be counted."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from option_a.ingest import errors
from tests.architecture.tree import kept, modules, named, parsed

LINES = 250
FUNCTION_LINES = 40
PATCHES = {"mock", "unittest.mock", "pytest_mock", "mocker"}
_LEFT_UNDONE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
_BRANCH = re.compile(r"^(?P<stem>(?:│   |    )*)[├└]── (?P<name>\w+)", re.MULTILINE)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_file_is_a_room() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in modules("option_a")}
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_a_function_does_one_thing() -> None:
    lengths = {
        f"{named(path)} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in modules("option_a")
        for function in functions(path)
    }
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


@pytest.mark.parametrize("folder", ["option_a", "tests"])
def test_every_module_says_what_it_is_for(folder: str) -> None:
    texts = {named(path): path.read_text("utf-8") for path in modules(folder)}
    assert [name for name, text in texts.items() if text and not ast.get_docstring(ast.parse(text))] == []


def test_every_function_of_the_package_is_annotated() -> None:
    bare = [f"{named(path)} {f.name}" for path in modules("option_a") for f in functions(path) if f.returns is None]
    assert bare == []


def test_nothing_is_left_undone() -> None:
    assert {name: match[0] for name, text in kept().items() if (match := _LEFT_UNDONE.search(text))} == {}


def test_no_test_patches_the_project() -> None:
    assert [found for path in modules("tests") for found in patches(path.read_text("utf-8"), named(path))] == []


@pytest.mark.parametrize(
    "text",
    [
        "from unittest import mock",
        "import unittest.mock as m",
        "from unittest.mock import patch",
        "def test(mocker): ...",
        "def test(monkeypatch):\n    monkeypatch.setattr(x, 'y', 1)",
    ],
)
def test_a_patch_is_seen(text: str) -> None:
    assert list(patches(text, "it"))


def patches(text: str, name: str) -> Iterator[str]:
    """The places where a test replaces a part of the code."""
    for node in ast.walk(ast.parse(text)):
        words = set()
        if isinstance(node, ast.Import):
            words = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            words = {node.module or ""} | {alias.name for alias in node.names}
        elif isinstance(node, ast.arg):
            words = {node.arg}
        if words & PATCHES or (isinstance(node, ast.Attribute) and ast.unparse(node) == "monkeypatch.setattr"):
            yield f"{name}:{getattr(node, 'lineno', 0)}"


def drawn() -> dict[str, str]:
    """The tree in the docstring of `errors`: each class to its parent."""
    path = ["OptionAError"]
    found = {}
    for branch in _BRANCH.finditer(errors.__doc__ or ""):
        depth = len(branch["stem"]) // 4 + 1
        found[branch["name"]] = path[depth - 1]
        path[depth:] = [branch["name"]]
    return found


def test_every_error_stands_in_the_tree_where_it_is_drawn() -> None:
    classes = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]
    parents = {cls.__name__: cls.__bases__[0].__name__ for cls in classes if cls is not errors.OptionAError}
    assert drawn() == parents
