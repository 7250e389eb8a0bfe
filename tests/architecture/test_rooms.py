"""Sockets, clocks, the environment and the file system are touched in a few rooms; the rest of `ingest` is pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT, modules, named, parsed

PURE = {
    *("__future__", "abc", "collections.abc", "typing", "contextlib", "contextvars", "functools", "itertools"),
    *(
        "array",
        "base64",
        "bisect",
        "heapq",
        "operator",
        "math",
        "json",
        "re",
        "codecs",
        "csv",
        "hashlib",
        "hmac",
        "ipaddress",
        "uuid",
        "difflib",
        "html",
        "tomllib",
    ),
    *("datetime", "email.utils", "urllib.parse", "unicodedata", "errno", "random", "secrets", "queue", "zlib"),
    *("isal", "msgspec", "msgspec.inspect", "concurrent.futures.Executor", "concurrent.futures.Future"),
}
"""What any room may import: it computes, or hands values between threads. Neither time nor a byte comes in by it."""

ACTING = {
    "http/build": {"threading"},
    "http/auth": {"threading"},
    "lake/bucket": {"obstore", "obstore.exceptions"},
    "config/window": {"zoneinfo"},
    "http/deadline": {"socket", "threading", "time"},
    "http/client": {"urllib3"},
    "lake/files": {"os"},
    "lake/folder": {"fcntl", "os", "pathlib", "time"},
    "http/content_encoding": {"backports", "brotli", "compression", "gzip", "io", "sys"},
    "load/loader": {"threading"},
    "http/oauth": {"threading"},
    "lake/open": {"obstore.exceptions", "obstore.store", "pathlib"},
    "resilience/rate_limiter": {"threading"},
    "http/connections": {
        *("logging", "os", "socket", "ssl", "threading"),
        *("urllib3", "urllib3.connection", "urllib3.exceptions", "urllib3.util.connection"),
    },
}
"""What touches the world, or starts threads, and the rooms that may."""

FORBIDDEN = {"open", "print", "input", "__import__", "exec", "eval"}
NOW = {"now", "utcnow", "today"}
ROOMS = {
    path.relative_to(ROOT / "option_a/ingest").with_suffix("").as_posix(): path for path in modules("option_a/ingest")
}


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, at the top or within, by its dotted name; of the pools of threads each name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            wanted = [alias.name for alias in node.names] if node.module == "concurrent.futures" else []
            yield from (f"{node.module}.{name}" for name in wanted)
            yield from [] if wanted else [node.module or ""]


def strange(tree: ast.Module, allowed: set[str]) -> set[str]:
    """What a room imports, or calls, that it may not."""
    found = {name for name in imported(tree) if not name.startswith("option_a")} - PURE - allowed
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found |= {call.id for call in calls if isinstance(call, ast.Name) and call.id in FORBIDDEN}
    return found | {ast.unparse(call) for call in calls if isinstance(call, ast.Attribute) and _reads_the_clock(call)}


def _reads_the_clock(call: ast.Attribute) -> bool:
    owner = ast.unparse(call.value).rpartition(".")[2]
    return call.attr in NOW and owner in ("datetime", "date")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_touches_the_world_only_where_it_is_named(room: str) -> None:
    assert strange(parsed(ROOMS[room]), ACTING.get(room, set())) == set()


def test_no_room_is_allowed_more_than_it_uses() -> None:
    used = {room: set(imported(parsed(ROOMS[room]))) for room in ACTING}
    assert {room: allowed - used[room] for room, allowed in ACTING.items()} == {room: set() for room in ACTING}


@pytest.mark.parametrize(
    "text",
    [
        "import socket", "import time as t", "from os import path", "import os.path", "from pathlib import Path",
        "def f():\n    import subprocess", "import urllib.request", "import urllib3", "import threading",
        "import sqlite3", "from concurrent.futures import ThreadPoolExecutor", "import importlib",
        "open('x')", "print(1)", "import datetime as dt\ndt.datetime.now()", "from datetime import date\ndate.today()",
    ],
)  # fmt: skip
def test_what_touches_the_world_is_seen(text: str) -> None:
    assert strange(ast.parse(text), set())


def test_a_clock_that_is_handed_in_may_be_read() -> None:
    assert strange(ast.parse("now = clock.now()"), set()) == set()


def test_the_environment_is_read_in_the_wiring_alone() -> None:
    readers = {named(path) for path in modules("option_a") if _names(parsed(path)) & {"environ", "getenv"}}
    assert readers == {"option_a/aws/functions/wiring.py", "option_a/workspace/settings.py"}


def _names(tree: ast.Module) -> set[str]:
    """Every name and attribute that the code uses, and none that a docstring only speaks of."""
    nodes = list(ast.walk(tree))
    return {n.attr for n in nodes if isinstance(n, ast.Attribute)} | {n.id for n in nodes if isinstance(n, ast.Name)}
