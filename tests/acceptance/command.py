"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
_OURS = ("USE_REAL_HTTP", "ENDPOINT_MAP", "OPTION_A_", "AWS_", "_OPTION_A")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
DAY = "2024-05-01"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, decoded."""
        return json.loads(self.out)


class Place:
    """A folder in which commands run, with its own sources.toml, lake and queue."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.lake = folder / "lake"
        self.home = folder / ".option-a"
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_OURS) and name.lower() not in _PROXIES
        } | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", **env}

    def __call__(self, *arguments: str, stdin: str = "", **env: str) -> Done:
        """Run `option-a` with these arguments. No outcome whatever shows a traceback."""
        process = subprocess.run(
            command(*arguments), cwd=self.folder, env=self.env | env, input=stdin, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert "Traceback" not in process.stderr, process.stderr
        return Done(process.returncode, process.stdout, process.stderr)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """The same, not waited for."""
        return subprocess.Popen(
            command(*arguments), cwd=self.folder, env=self.env | env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def declare(self, text: str) -> None:
        """Write sources.toml."""
        (self.folder / "sources.toml").write_text(text, "utf-8")

    def pages(self, source: str, day: str = DAY) -> dict[int, bytes]:
        """The objects of a partition by page, as they stand."""
        folder = self.lake / "raw" / f"source={source}" / f"ingestion_date={day}"
        return {int(path.name[5:11]): path.read_bytes() for path in sorted(folder.glob("*"))}

    def lines(self, source: str, day: str = DAY) -> list[bytes]:
        """The records of a partition in the order of their pages, as any other program would read them."""
        lines: list[bytes] = []
        for page in self.pages(source, day).values():
            text = gzip.decompress(page)
            assert text.endswith(b"\n")
            lines += text[:-1].split(b"\n")
        return lines

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the lake: when it was written last, and what it holds."""
        return {
            str(path.relative_to(self.lake)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in self.lake.rglob("*")
            if path.is_file()
        }


def wait_for(running: subprocess.Popen[str], begun: Callable[[], bool]) -> None:
    """Until a process has begun what it should; it is an error if it ends before."""
    while not begun():
        assert running.poll() is None, running.communicate()
        time.sleep(0.005)


def command(*arguments: str) -> list[str]:
    """The command line of `option-a` in this interpreter."""
    return [sys.executable, "-m", "option_a.cli", *arguments]
