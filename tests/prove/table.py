"""What was seen of each bar, kept as JSON and shown as the table of docs/reliability.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import msgspec

BEGIN, END = "<!-- figures: written by `make prove` -->", "<!-- end of figures -->"

BARS = {
    1: "random `kill -9` of `option-a run`, 4 at once on one queue and one lake",
    2: "death before and after each call of each port",
    3: "each message delivered 1 to 3 times, reordered, two workers on one partition at once",
    4: "an SQS batch of 10, every subset of it failing",
    5: "a poison page and a poison message, mended and redriven",
    6: "the same run twice; a longer, then a shorter one; death during a promotion",
    7: "the order of writes, as the kernel sees it",
    8: "a disk that is full or read-only, a queue locked or corrupt, a manifest corrupt: at each step",
    9: "malformed bodies, and APIs' own ways to fail",
    10: "an outage of 4 hours, with the semantics of SQLite's queue and of SQS",
    11: "a whole night simulated on one clock, faults by seed, every invariant after every step",
    12: "fuzzed messages, events, configurations, manifests, bodies and keys",
    13: "secrets, addresses, rights",
    14: "scale: a year of 400 sources planned, one partition of 100,000 pages, a queue of a million tasks",
    15: "runs and backfills with faults, without a pause",
}


class Figure(msgspec.Struct, array_like=True):
    """A value that was seen, and the limits it had to keep."""

    label: str
    value: int | float | str
    least: int | float | None = None
    most: int | float | None = None

    def __str__(self) -> str:
        limits = [f"≥ {self.least:,}"] if self.least is not None else []
        limits += [f"≤ {self.most:,}"] if self.most is not None else []
        value = self.value if isinstance(self.value, str) else f"{self.value:,}"
        return f"{self.label} **{value}**" + (f" ({', '.join(limits)})" if limits else "")

    def joined(self, other: Figure) -> Figure:
        """Of two tests: counts add up, with their limits; of measures the larger stands; texts are listed."""
        if isinstance(self.value, int) and isinstance(other.value, int):
            return Figure(
                self.label, self.value + other.value, _sum(self.least, other.least), _sum(self.most, other.most)
            )
        if isinstance(self.value, str) or isinstance(other.value, str):
            texts = dict.fromkeys([*str(self.value).split(", "), *str(other.value).split(", ")])
            return Figure(self.label, ", ".join(texts))
        return self if self.value >= other.value else other


class Seen(msgspec.Struct):
    """One bar, as its tests left it."""

    seed: int
    date: str
    machine: str
    passed: int = 0
    seconds: float = 0.0
    missed: list[str] = []
    figures: list[Figure] = []

    @classmethod
    def now(cls, seed: int) -> Seen:
        """Nothing seen yet, here and today."""
        machine = (
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        return cls(seed, dt.datetime.now(dt.UTC).date().isoformat(), machine)

    def add(self, outcome: str, test: str, seconds: float, figures: Iterable[Figure]) -> None:
        """Count one test; one that did not pass is named."""
        self.seconds = round(self.seconds + seconds, 1)
        self.figures += figures
        if outcome == "passed":
            self.passed += 1
        else:
            self.missed.append(f"{outcome}: {test}")

    def joined(self) -> list[Figure]:
        """One figure for each label, in the order in which they were seen."""
        labels = dict.fromkeys(figure.label for figure in self.figures)
        return [reduce(Figure.joined, (f for f in self.figures if f.label == label)) for label in labels]

    def row(self, bar: int) -> str:
        """The bar as a line of the table."""
        figures = [str(figure) for figure in self.joined()] + [f"{self.passed:,} tests passed"]
        figures += [f"**{missed}**" for missed in self.missed]
        return f"| {bar} | {BARS[bar]} | {'; '.join(figures)} | {self.seconds:,.0f} s, {self.date} | `{self.seed}` |"


def load(path: Path) -> dict[int, Seen]:
    """What was seen up to now."""
    return msgspec.json.decode(path.read_bytes(), type=dict[int, Seen], strict=False) if path.exists() else {}


def save(path: Path, seen: dict[int, Seen]) -> None:
    """Keep what was seen, in the order of the bars and one line each."""
    rows = {bar: msgspec.structs.replace(found, figures=found.joined()) for bar, found in sorted(seen.items())}
    lines = [f'"{bar}": {msgspec.json.encode(row).decode()}' for bar, row in rows.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def table(seen: dict[int, Seen]) -> str:
    """The figures as Markdown."""
    rows = [found.row(bar) for bar, found in sorted(seen.items())]
    machines = "; ".join(dict.fromkeys(found.machine for found in seen.values()))
    return "\n".join(
        [
            "| # | what is tried | what was seen | took | seed |",
            "|--:|---|---|---|---|",
            *rows,
            "",
            f"Seen on {machines}.",
        ]
    )


def inserted(document: str, text: str) -> str:
    """The document with its table replaced."""
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
