"""reliability-soak.svg: what one process holds, round after round; drawn by hand, so it needs no plotting library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.support.held import Held

_WIDTH, _LEFT, _RIGHT, _HEIGHT, _HEAD, _FOOT = 860, 64, 20, 150, 56, 40
_PLOT = _WIDTH - _LEFT - _RIGHT
_STYLE = """\
text { font: 14px system-ui, sans-serif; fill: #212529 }
.title { font-size: 17px; font-weight: 600 } .note { font-size: 12px; fill: #495057 }
.grid { stroke: #e9ecef } .line { fill: none; stroke: #0b7285; stroke-width: 1.5 }"""


class Panel(NamedTuple):
    """One measure over the rounds, on a scale from nought to beyond its greatest value."""

    title: str
    values: Sequence[float]


def draw(rounds: Sequence[Held], minutes: float) -> str:
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
    most = max(panel.values) * 1.15 or 1.0
    yield f'<text class="title" x="16" y="{top - 18}">{panel.title}</text>'
    for share in (0, 0.5, 1):
        y = top + _HEIGHT * (1 - share)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="note" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{most * share:.0f}</text>'
    last = max(1, len(panel.values) - 1)
    points = [(_LEFT + _PLOT * n / last, top + _HEIGHT * (1 - value / most)) for n, value in enumerate(panel.values)]
    yield f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
