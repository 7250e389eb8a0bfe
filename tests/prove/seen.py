"""What was seen of each bar: the figures of its tests, kept as JSON."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import msgspec

RESULTS = Path(__file__).with_name("results.json")


class Figure(msgspec.Struct, array_like=True):
    """A value that was seen, and the limits it had to keep."""

    label: str
    value: int | float | str
    least: int | float | None = None
    most: int | float | None = None

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


def load(path: Path) -> dict[int, Seen]:
    """What was seen up to now."""
    return msgspec.json.decode(path.read_bytes(), type=dict[int, Seen], strict=False) if path.exists() else {}


def save(path: Path, seen: dict[int, Seen]) -> None:
    """Keep what was seen, in the order of the bars and one line each."""
    rows = {bar: msgspec.structs.replace(found, figures=found.joined()) for bar, found in sorted(seen.items())}
    lines = [f'"{bar}": {msgspec.json.encode(row).decode()}' for bar, row in rows.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
