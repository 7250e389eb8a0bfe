"""Reads the table of docs/messages.md and the error messages in the code, for tests that they match."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from option_a.ingest import errors
from option_a.ingest.errors import OptionAError
from tests.support.documents.transcript import ELLIPSIS, line_pattern

_CODE = re.compile(r"``` (.+?) ```|`([^`]+)`")
_CLASSES = {
    name: found for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, OptionAError)
}


class MessageRow(msgspec.Struct, frozen=True):
    """One row of the table; without messages it stands for every message of its kind."""

    kind: str
    messages: tuple[str, ...]
    remedy: str

    def matches(self, kind: str, message: str) -> list[str]:
        """The patterns of this row that match the message."""
        return [one for one in self.messages if self.kind == kind and re.fullmatch(line_pattern(one), message)]


class ErrorSite(msgspec.Struct, frozen=True, order=True):
    """A place in the code that creates an error; `…` stands for what varies in its message."""

    kind: str
    message: str
    place: str
    hinted: bool


def message_rows(document: str) -> list[MessageRow]:
    """The rows of the table under `## Messages`."""
    section = document.split("\n## Messages\n")[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [MessageRow(kind.strip(" `"), _messages(shown), remedy.strip()) for kind, shown, remedy in cells]


def error_sites(path: Path) -> Iterator[ErrorSite]:
    """Every error and cause that a module creates with a message of its own."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        made = call.func.id if isinstance(call.func, ast.Name) else ""
        if made in _CLASSES and call.args:
            kind, message = _CLASSES[made].kind, call.args[0]
        elif made == "Cause" and isinstance(call.args[0], ast.Constant):
            kind, message = str(call.args[0].value), call.args[1]
        else:
            continue
        around = [one for one in functions if one.lineno <= call.lineno <= (one.end_lineno or 0)]
        for text in _texts(message, around[-1] if around else tree):
            hinted = any(keyword.arg == "hint" for keyword in call.keywords)
            yield ErrorSite(kind, text, f"{path.name}:{call.lineno} {ast.unparse(message)}", hinted)


def _texts(node: ast.expr, scope: ast.AST) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else ELLIPSIS for part in parts)]
        case ast.IfExp(body=one, orelse=other):
            return _texts(one, scope) + _texts(other, scope)
        case ast.Name(id=name):
            return [text for value in _assigned(name, scope) for text in _texts(value, scope)] or [ELLIPSIS]
    return [ELLIPSIS]


def _assigned(name: str, scope: ast.AST) -> list[ast.expr]:
    assignments = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    return [node.value for node in assignments if name in {ast.unparse(target) for target in node.targets}]


def _messages(cell: str) -> tuple[str, ...]:
    return tuple(one or other for one, other in _CODE.findall(cell))
