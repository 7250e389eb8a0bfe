"""reliability-soak.svg: what one process holds, round after round; drawn by hand, so it needs no plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.support.resources.process_usage import ProcessUsage

_WIDTH, _LEFT, _RIGHT, _HEIGHT, _HEAD, _FOOT = 860, 64, 20, 150, 76, 56
_PLOT = _WIDTH - _LEFT - _RIGHT
_STYLE = """\
text { font: 14px system-ui, sans-serif; fill: #212529 }
.title { font-size: 17px; font-weight: 600 } .note { font-size: 12px; fill: #495057 }
.grid { stroke: #e9ecef } .line { fill: none; stroke: #0b7285; stroke-width: 1.5 }"""


class Panel(NamedTuple):
    """One measure over the rounds, on a scale from nought to the round number beyond its greatest value."""

    title: str
    values: Sequence[float]


def draw(rounds: Sequence[ProcessUsage], minutes: float) -> str:
    """The chart as an SVG document."""
    panels = [
        Panel("Resident memory, MB", [held.memory / 1024 for held in rounds]),
        Panel("Open files", [held.files for held in rounds]),
    ]
    height = len(panels) * (_HEAD + _HEIGHT) + _FOOT
    title = f"One process, {len(rounds):,} rounds of runs and backfills in {minutes:.0f} minutes"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">']
    parts += [f"<title>{title}: memory and open files</title>", f"<style>{_STYLE}</style>"]
    parts += [f'<rect width="{_WIDTH}" height="{height}" fill="white"/>']
    for number, panel in enumerate(panels):
        parts += _panel(panel, number * (_HEAD + _HEIGHT) + _HEAD)
    parts += [f'<text class="note" x="{_LEFT}" y="{height - 14}">{title}</text>', "</svg>", ""]
    return "\n".join(parts)


def _panel(panel: Panel, top: int) -> Iterator[str]:
    step = _step(max(panel.values))
    most = step * max(1, math.ceil(max(panel.values) / step))
    yield f'<text class="title" x="16" y="{top - 18}">{panel.title}</text>'
    for value in range(0, most + 1, step):
        y = top + _HEIGHT * (1 - value / most)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="note" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>'
    last = max(1, len(panel.values) - 1)
    yield from _rounds(len(panel.values), top + _HEIGHT)
    points = [(_LEFT + _PLOT * n / last, top + _HEIGHT * (1 - value / most)) for n, value in enumerate(panel.values)]
    yield f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _rounds(count: int, foot: int) -> Iterator[str]:
    """The axis below: the round at which a value was seen."""
    step = _step(count)
    for number in sorted({1, *range(step, count + 1, step)}):
        x = _LEFT + _PLOT * (number - 1) / max(1, count - 1)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{foot - _HEIGHT}" y2="{foot + 4}"/>'
        yield f'<text class="note" x="{x:.1f}" y="{foot + 18}" text-anchor="middle">round {number:,}</text>'


def _step(most: float) -> int:
    """The round distance of three to six lines up to `most`: 1, 2 or 5 and noughts."""
    least = max(1.0, most / 5)
    unit: int = 10 ** math.floor(math.log10(least))
    return next(unit * times for times in (1, 2, 5, 10) if unit * times >= least)
