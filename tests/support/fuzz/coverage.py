"""Runs a fuzz target under libFuzzer, guided by coverage: `python -m tests.support.fuzz.coverage TARGET`.

libFuzzer takes over the process, so it needs one of its own. Exits with 0 unless it finds a fault.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

HANG = 10
"""Seconds after which an input is a hang."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with atheris.instrument_imports(include=["option_a"]):
        from tests.support.fuzz.targets import TARGETS
    target = TARGETS[given.target]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        options = [
            f"-runs={given.runs}",
            f"-seed={given.seed}",
            f"-timeout={HANG}",
            f"-artifact_prefix={folder}/",
            "-max_len=4096",
        ]
        atheris.Setup([sys.argv[0], *options, folder], _reporting(target.run))
        atheris.Fuzz()


def _reporting(run: Any) -> Any:
    def run_and_report(data: bytes) -> None:
        try:
            run(data)
        except Exception:
            print(f"found by {data!r}", flush=True)
            raise

    return run_and_report


if __name__ == "__main__":
    main()
