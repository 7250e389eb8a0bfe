"""The figures of the rounds: medians with their range, and the bars that they are held against."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench.contenders import Contender
from bench.rounds import Run

MB = 1e6


@dataclass(frozen=True)
class Figure:
    """The median of some measurements, and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """The figure of one or more values."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])


@dataclass(frozen=True)
class Result:
    """All the runs of one contender. wall, cpu: seconds; peak: MB of 10^6 bytes; ledger: bytes."""

    contender: Contender
    runs: int
    wall: Figure
    cpu: Figure
    peak: Figure
    ledger: int
    verdict: str

    @property
    def loads(self) -> bool:
        """Whether it lands the workload, rather than just starting up."""
        return self.contender.check is not None

    @property
    def records_per_second(self) -> float:
        """Records landed in a second of wall time."""
        return self.contender.workload.total_records / self.wall.median

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for a million records."""
        return self.cpu.median / self.contender.workload.total_records * 1e6

    @property
    def ledger_per_page(self) -> float:
        """Bytes of ledger for one page."""
        return self.ledger / self.contender.workload.total_pages


Results = Mapping[str, Result]


def collect(runs: Iterable[Run]) -> Results:
    """The runs by contender, in the order they came."""
    grouped: dict[str, list[Run]] = {}
    for run in runs:
        grouped.setdefault(run.contender.name, []).append(run)
    return {name: _result(same) for name, same in grouped.items()}


def _result(runs: list[Run]) -> Result:
    return Result(
        contender=runs[0].contender,
        runs=len(runs),
        wall=Figure.of(run.sample.wall for run in runs),
        cpu=Figure.of(run.sample.cpu for run in runs),
        peak=Figure.of(run.sample.peak / MB for run in runs),
        ledger=runs[-1].ledger,
        verdict=runs[-1].verdict,
    )


@dataclass(frozen=True)
class Bar:
    """What is asked of option-a. most: the value must not exceed the bar; otherwise it must reach it."""

    what: str
    needs: tuple[str, ...]
    value: Callable[[Results], float]
    bar: float
    unit: str
    most: bool = True

    def met(self, value: float) -> bool:
        """Whether the value is good enough."""
        return value <= self.bar if self.most else value >= self.bar


def _wall(name: str, over: str) -> Callable[[Results], float]:
    return lambda results: results[name].wall.median / results[over].wall.median


def _cpu(name: str, over: str) -> Callable[[Results], float]:
    return lambda results: results[name].cpu.median / results[over].cpu.median


BARS = (
    Bar("wall time over the bare loop's", ("option-a", "limit"), _wall("option-a", "limit"), 1.3, "x"),
    Bar("CPU over the bare loop's", ("option-a", "limit"), _cpu("option-a", "limit"), 1.3, "x"),
    Bar(
        "`--durable`: wall time over the bare loop's with fsync", ("option-a-durable", "limit-fsync"),
        _wall("option-a-durable", "limit-fsync"), 1.3, "x",
    ),
    Bar(
        "`--durable`: CPU over the bare loop's with fsync", ("option-a-durable", "limit-fsync"),
        _cpu("option-a-durable", "limit-fsync"), 1.3, "x",
    ),
    Bar("times faster than tuned dlt", ("dlt", "option-a"), _wall("dlt", "option-a"), 25.0, "x", most=False),
    Bar(
        "100 ms a page: wall time over the bare loop's", ("option-a-latency", "limit-latency"),
        _wall("option-a-latency", "limit-latency"), 1.5, "x",
    ),
    Bar("peak memory", ("option-a",), lambda r: r["option-a"].peak.median, 120.0, "MB"),
    Bar("peak memory at 10 x the pages", ("option-a-10x",), lambda r: r["option-a-10x"].peak.median, 120.0, "MB"),
    Bar(
        "the same over the standard workload's", ("option-a-10x", "option-a"),
        lambda r: r["option-a-10x"].peak.median / r["option-a"].peak.median, 1.1, "x",
    ),
    Bar("`option-a --help`", ("help",), lambda r: r["help"].cpu.median, 0.35, "CPU s"),
    Bar("`option-a status`", ("status",), lambda r: r["status"].cpu.median, 0.35, "CPU s"),
)  # fmt: skip


def judged(results: Results) -> list[tuple[Bar, float, bool]]:
    """Each bar that these results can be held against, its value, and whether it is met."""
    able = [(bar, bar.value(results)) for bar in BARS if all(name in results for name in bar.needs)]
    return [(bar, value, bar.met(value)) for bar, value in able]
