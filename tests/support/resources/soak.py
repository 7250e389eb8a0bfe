"""A process that runs commands without a pause, for tests/prove/test_soak.py: commands in, exit codes and usage out."""

from __future__ import annotations

import gc
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

import msgspec

from option_a.cli.main import cli
from tests.support.resources.process_usage import ProcessUsage


def main() -> None:
    """Each line of stdin is a list of commands; each line of stdout their exit codes and the usage after them."""
    out = sys.stdout
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        for line in sys.stdin:
            codes = [_called(arguments) for arguments in json.loads(line)]
            gc.collect()
            out.write(msgspec.json.encode([codes, ProcessUsage.of()]).decode() + "\n")
            out.flush()


def _called(arguments: list[str]) -> int:
    try:
        cli(arguments, prog_name="option-a")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    main()
