"""Evidence: tests marked `bar(n)` show one bar of docs/reliability.md, in short always and in full with `--prove`."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from tests.prove.seen import RESULTS, Figure, Seen, load, save
from tests.prove.table import DOCUMENT, table, write

SEED = 20240501
LONGEST = {11, 15}
"""Bars of half an hour and more: begun first in full, while others run beside them."""


class Proof:
    """How hard to try, from which seed, and what was seen of it."""

    def __init__(self, record: Callable[[str, object], None], *, full: bool, seed: int) -> None:
        self._record, self.full, self.seed = record, full, seed

    def size(self, short: int, full: int) -> int:
        """How much to try: in `make test`, and in `make prove`."""
        return full if self.full else short

    def rng(self, *of: object) -> random.Random:
        """A stream of its own for each `of`, so that one case replays without those before it."""
        return random.Random(f"{self.seed}/{of}")

    def figure(self, label: str, value: float | str, *, least: float | None = None, most: float | None = None) -> None:
        """Write down what was seen; fails if it is not within the bar."""
        self._record("figure", [label, value, least, most])
        assert least is None or float(value) >= least, f"{label}: {value} is less than {least} (--seed {self.seed})"
        assert most is None or float(value) <= most, f"{label}: {value} is more than {most} (--seed {self.seed})"


@pytest.fixture
def proof(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Proof:
    """The effort that is asked for; its figures go to docs/reliability.md when that is the full one."""
    return Proof(record_property, full=request.config.getoption("--prove"), seed=request.config.getoption("--seed"))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("evidence")
    group.addoption("--prove", action="store_true", help="try in full, and write docs/reliability.md's figures")
    group.addoption("--seed", type=int, default=SEED, help="what random trials begin from (default: %(default)s)")
    group.addoption("--bar", type=int, action="append", default=[], help="only what shows this bar (repeatable)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bar(number): shows this bar of docs/reliability.md")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Writer(config), "evidence")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what shows the bars that are asked for, and let its report say which they are."""
    wanted = set(config.getoption("--bar"))
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        bars = [mark.args[0] for mark in item.iter_markers("bar")]
        item.user_properties += [("bar", bar) for bar in bars]
        (kept if not wanted or wanted & set(bars) else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
    if config.getoption("--prove"):
        kept.sort(key=lambda item: not any(mark.args[0] in LONGEST for mark in item.iter_markers("bar")))
    items[:] = kept


class _Writer:
    """Gathers what the tests of each bar report, and writes it when the trial was the full one."""

    def __init__(self, config: pytest.Config) -> None:
        self._full, self._seed, self._only = (config.getoption(name) for name in ("--prove", "--seed", "--bar"))
        self._seen: dict[int, Seen] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        figures = [msgspec.convert(value, Figure) for name, value in report.user_properties if name == "figure"]
        for bar in [msgspec.convert(value, int) for name, value in report.user_properties if name == "bar"]:
            if not self._only or bar in self._only:
                seen = self._seen.setdefault(bar, Seen.now(self._seed))
                seen.add(report.outcome, report.nodeid, report.duration, figures)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        if not self._full or not self._seen or exitstatus == pytest.ExitCode.INTERRUPTED:
            return
        known = load(RESULTS) | self._seen
        save(RESULTS, known)
        write(DOCUMENT, known)
        terminalreporter.section("evidence")
        terminalreporter.write_line(table(self._seen))
