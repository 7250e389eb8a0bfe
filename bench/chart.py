"""results.svg: three panels of bars, drawn by hand so that the bench needs no plotting library."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from bench.contenders import LATENCY
from bench.results import Result, Results

_WIDTH, _LEFT, _BAR, _STEP, _HEAD = 860, 250, 22, 32, 62
_PLOT = _WIDTH - _LEFT - 110
_OURS, _LIMIT, _OTHERS = "#0b7285", "#868e96", "#ced4da"
_STYLE = """\
text { font: 14px system-ui, sans-serif; fill: #212529 }
.title { font-size: 17px; font-weight: 600 } .note { font-size: 12px; fill: #495057 }
.grid { stroke: #e9ecef }"""


@dataclass(frozen=True)
class Panel:
    """One group of bars on one scale."""

    title: str
    note: str
    names: tuple[str, ...]
    value: Callable[[Result], float]


_SPEED_NOTE = "records a second; longer is better"
PANELS = (
    Panel(
        "As fast as the API can send", _SPEED_NOTE, ("option-a", "limit", "requests", "dlt", "dlt-default"),
        lambda result: result.records_per_second,
    ),
    Panel(
        f"The API takes {LATENCY * 1000:.0f} ms for each page", _SPEED_NOTE,
        ("option-a-latency", "limit-latency", "dlt-latency"), lambda result: result.records_per_second,
    ),
    Panel(
        "Peak memory", "MB; shorter is better", ("option-a", "option-a-10x", "limit", "requests", "dlt"),
        lambda result: result.peak.median,
    ),
)  # fmt: skip


def draw(results: Results) -> str:
    """The chart as an SVG document."""
    parts: list[str] = []
    top = 16
    for panel in PANELS:
        shown = [results[name] for name in panel.names if name in results]
        if shown:
            parts += _panel(panel, shown, top)
            top += _HEAD + _STEP * len(shown) + 28
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" role="img">'
    about = "<title>Records a second and peak memory: option-a, the bare loop, requests and dlt</title>"
    ground = f'<rect width="{_WIDTH}" height="{top}" fill="white"/>'
    return "\n".join([head, about, f"<style>{_STYLE}</style>", ground, *parts, "</svg>", ""])


def _panel(panel: Panel, shown: list[Result], top: int) -> Iterator[str]:
    values = [panel.value(result) for result in shown]
    ticks = _ticks(max(values))

    def x(value: float) -> float:
        return _LEFT + value / ticks[-1] * _PLOT

    first = top + _HEAD
    yield f'<text class="title" x="16" y="{top + 18}">{escape(panel.title)}</text>'
    yield f'<text class="note" x="16" y="{top + 36}">{escape(panel.note)}</text>'
    for tick in ticks:
        end = first + _STEP * len(shown) - 6
        yield f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{first - 6}" y2="{end}"/>'
        yield f'<text class="note" x="{x(tick):.1f}" y="{first - 10}" text-anchor="middle">{tick:,.0f}</text>'
    for row, (result, value) in enumerate(zip(shown, values, strict=True)):
        yield from _bar(result, value, x(value), first + row * _STEP)


def _bar(result: Result, value: float, end: float, y: int) -> Iterator[str]:
    label, middle = escape(result.contender.title.replace("`", "")), y + _BAR - 6
    yield f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end">{label}</text>'
    yield f'<rect x="{_LEFT}" y="{y}" width="{end - _LEFT:.1f}" height="{_BAR}" rx="2" fill="{_colour(result)}"/>'
    yield f'<text x="{end + 8:.1f}" y="{middle}">{value:,.0f}</text>'


def _colour(result: Result) -> str:
    if result.contender.option_a:
        return _OURS
    return _LIMIT if result.contender.name.startswith("limit") else _OTHERS


def _ticks(greatest: float) -> list[float]:
    """From nought to beyond the greatest value, in at most six round steps."""
    power = 10.0 ** math.floor(math.log10(greatest))
    step = next(step for step in (power / 5, power / 2, power, power * 2) if greatest <= 6 * step)
    return [step * n for n in range(math.ceil(greatest / step) + 1)]
