"""`python -m bench`: measure, print side by side, and write RESULTS.md, results.svg and results.json."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import chart, machine, report
from bench.contenders import Contender, choose, option_a_executable
from bench.measure import CommandError
from bench.results import MB, Results, collect
from bench.rounds import Bench, Run
from bench.servers import ServerError, find_nginx
from bench.venvs import peers_python
from bench.verify import Mismatch

_HERE = Path(__file__).parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Option A beside the bare loop, a script and dlt. A whole run writes bench/RESULTS.md.",
        epilog="Exit codes: 0 measured, 1 a contender failed or landed what the API does not hold, 2 not set up.",
    )
    parser.add_argument("--quick", action="store_true", help="one round, without the long ones; writes no results")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these contenders or groups; writes none")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds (3); the median counts")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the bench; give the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.repeat < 1:
        parser.error("--repeat is at least 1")
    try:
        chosen = [c for c in choose(options.only) if not (options.quick and c.once)]
    except ValueError as error:
        parser.error(str(error))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that `kill` cleans up like Ctrl-C
    try:
        _prepare(chosen)
        about = machine.describe()
        results = _measure(chosen, 1 if options.quick else options.repeat)
    except (ServerError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (CommandError, Mismatch) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\n{report.terminal(results)}")
    if not options.quick and not options.only:
        _write(about, results)
    return 0


def _prepare(contenders: list[Contender]) -> None:
    """Find or install what the contenders need, before anything is measured."""
    find_nginx()
    if any(c.option_a or c.group == "start" for c in contenders) and not option_a_executable().exists():
        raise ServerError(f"{option_a_executable()} is missing; install it with: make run")
    peers_python()


def _measure(contenders: list[Contender], repeat: int) -> Results:
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="option-a-bench-") as root, ExitStack() as stack:
        for run in Bench(Path(root), stack).rounds(contenders, repeat):
            cost = run.sample
            print(
                f"{run.contender.name:18} {cost.wall:7.2f} s wall {cost.cpu:7.2f} s CPU {cost.peak / MB:5.0f} MB"
                f"   {run.verdict}",
                flush=True,
            )
            runs.append(run)
    return collect(runs)


def _write(about: dict[str, str], results: Results) -> None:
    texts = {
        "RESULTS.md": report.markdown(about, results),
        "results.json": report.figures(about, results),
        "results.svg": chart.draw(results),
    }
    for name, text in texts.items():
        (_HERE / name).write_text(text, encoding="utf-8")
    print(f"written: {', '.join(f'bench/{name}' for name in texts)}")


if __name__ == "__main__":
    sys.exit(main())
