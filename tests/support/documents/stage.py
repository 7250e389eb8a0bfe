"""Where a scene of docs/runbook.md or docs/messages.md is played: a broken world, a shell, `option-a` on its path."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.acceptance.command import DAY, Place
from tests.support.apis.paged_api import Answer, Api, Asked, listed
from tests.support.aws.deployed_stack import Stack
from tests.support.documents.transcript import Step, differs

NAME = "OptionAIngestionDemoPy"
"""The stack, as documents call it."""
NAMES = ["orders", "events"]
TABLE = """
[sources.{name}]
url = "{url}/{name}"
date_param = "date"
patience = "{patience}"
pagination = {{ style = "page", total_pages = "pages", total_records = "total" }}
"""
Events = dict[str, Callable[[], object]]
"""What the lines behind `#` do to the world."""


def healthy(asked: Asked) -> bytes:
    """Three pages of a record each."""
    return listed([b'{"id":%d}' % asked.page] if asked.page <= 3 else [], pages=3, total=3)


def refused(status: int) -> Callable[[Asked], bytes | Answer]:
    """An API that refuses orders, and answers all else."""
    return lambda asked: Answer(b"{}", status) if asked.name == "orders" else healthy(asked)


class Stage:
    """One scene's world; `stack` where its commands name one."""

    def __init__(self, folder: Path, api: Api, held: ExitStack, stack: Stack | None = None) -> None:
        self.place = Place(folder, **(stack.aws.env if stack is not None else {}))
        self.api, self.held, self.stack = api, held, stack
        self.inside: Sequence[str] = ()
        """What runs the shell elsewhere, in another namespace."""
        tools = folder / "bin"
        tools.mkdir()
        (tools / "option-a").write_text(f'#!/bin/sh\nexec {sys.executable} -m option_a.cli "$@"\n')
        (tools / "option-a").chmod(0o755)
        self.place.env["PATH"] = f"{tools}:{self.place.env['PATH']}"

    def declare(self, *names: str, patience: str = "6h", more: str = "") -> str:
        """Write sources.toml; `more` belongs to the last table."""
        text = "".join(TABLE.format(name=name, url=self.api.url, patience=patience) for name in names)
        lines = text.replace("pagination", f"{more}\npagination") if more else text
        self.place.declare(lines)
        return lines

    def healed(self) -> None:
        self.api.pages = healthy

    def prepare(self, *arguments: str, code: int = 0) -> None:
        """A command of which the scene shows nothing."""
        where = ("--stack", self.stack.name) if self.stack is not None else ()
        done = self.place(*arguments, *where)
        assert done.code == code, done.out + done.err

    def working(self) -> None:
        """The stack's worker works until the scene is over."""
        assert self.stack is not None
        self.held.enter_context(self.stack.working(self.place.folder / "sources.toml", self.place.env))

    def play(self, steps: Sequence[Step], events: Events) -> None:
        """Run each command and compare what it prints; each event once, where it stands."""
        assert [step.event for step in steps if step.event] == list(events)
        for step in steps:
            if step.event:
                events[step.event]()
            else:
                printed, code = self.shell(step.command)
                fault = differs(step, printed, code)
                assert fault is None, fault

    def shell(self, command: str) -> tuple[str, int]:
        """What a person would see, and how it ended."""
        here = self.stack.name if self.stack is not None else NAME
        done = subprocess.run(
            [*self.inside, "sh", "-c", command.replace(NAME, here)], cwd=self.place.folder, env=self.place.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout.replace(here, NAME), done.returncode

    def page(self, number: int) -> Path:
        return self.place.lake / f"raw/source=orders/ingestion_date={DAY}/page={number:06d}.json.gz"

    def queue(self) -> Path:
        (file,) = self.place.home.glob("queue-*.sqlite")
        return file
