"""Runs the transcripts of docs/runbook.md and docs/messages.md in a shell with a broken API, lake, queue or stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.acceptance.command import DAY, Place
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, data_body
from tests.support.aws.deployed_stack import FakeStack
from tests.support.documents.transcript import Step, mismatch

STACK_NAME = "OptionAIngestionDemoPy"
"""The stack's name in the documents."""
SOURCE_NAMES = ["orders", "events"]
TABLE = """
[sources.{name}]
url = "{url}/{name}"
date_param = "date"
patience = "{patience}"
pagination = {{ style = "page", total_pages = "pages", total_records = "total" }}
"""
Events = dict[str, Callable[[], object]]
"""What each `#` line of a transcript makes happen."""


def healthy_api(asked: ApiRequest) -> bytes:
    """Three pages of one record each."""
    return data_body([b'{"id":%d}' % asked.page] if asked.page <= 3 else [], pages=3, total=3)


def refusing_api(status: int) -> Callable[[ApiRequest], bytes | ApiResponse]:
    """An API that answers `orders` with this status, and everything else correctly."""
    return lambda asked: ApiResponse(b"{}", status) if asked.name == "orders" else healthy_api(asked)


class TranscriptRunner:
    """One transcript's folder and API, and its stack if the commands name one."""

    def __init__(self, folder: Path, api: FakeApi, exit_stack: ExitStack, stack: FakeStack | None = None) -> None:
        self.cli = Place(folder, **(stack.aws.env if stack is not None else {}))
        self.api, self.exit_stack, self.stack = api, exit_stack, stack
        self.shell_prefix: Sequence[str] = ()
        """A command that runs the shell elsewhere, e.g. in another namespace."""
        tools = folder / "bin"
        tools.mkdir()
        (tools / "option-a").write_text(f'#!/bin/sh\nexec {sys.executable} -m option_a.cli "$@"\n')
        (tools / "option-a").chmod(0o755)
        self.cli.env["PATH"] = f"{tools}:{self.cli.env['PATH']}"

    def declare(self, *names: str, patience: str = "6h", more: str = "") -> str:
        """Write sources.toml; `more` adds keys to each table."""
        text = "".join(TABLE.format(name=name, url=self.api.url, patience=patience) for name in names)
        lines = text.replace("pagination", f"{more}\npagination") if more else text
        self.cli.declare(lines)
        return lines

    def heal(self) -> None:
        """The API works again."""
        self.api.pages = healthy_api

    def run_unseen(self, *arguments: str, code: int = 0) -> None:
        """Run a command that the transcript does not show."""
        where = ("--stack", self.stack.name) if self.stack is not None else ()
        done = self.cli(*arguments, *where)
        assert done.code == code, done.out + done.err

    def start_worker(self) -> None:
        """Start the stack's worker; it runs until the transcript ends."""
        assert self.stack is not None
        self.exit_stack.enter_context(self.stack.worker_running(self.cli.folder / "sources.toml", self.cli.env))

    def run(self, steps: Sequence[Step], events: Events) -> None:
        """Run each command and compare its output; make each event happen in its place."""
        assert [step.event for step in steps if step.event] == list(events)
        for step in steps:
            if step.event:
                events[step.event]()
            else:
                printed, code = self.shell(step.command)
                fault = mismatch(step, printed, code)
                assert fault is None, fault

    def shell(self, command: str) -> tuple[str, int]:
        """The output a user would see, and the exit code."""
        here = self.stack.name if self.stack is not None else STACK_NAME
        done = subprocess.run(
            [*self.shell_prefix, "sh", "-c", command.replace(STACK_NAME, here)], cwd=self.cli.folder, env=self.cli.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout.replace(here, STACK_NAME), done.returncode

    def page(self, number: int) -> Path:
        """The file of a landed page."""
        return self.cli.lake / f"raw/source=orders/ingestion_date={DAY}/page={number:06d}.json.gz"

    def queue(self) -> Path:
        """The file of the local queue."""
        (file,) = self.cli.home.glob("queue-*.sqlite")
        return file
