"""docs/reliability-scale.svg: what one item costs at three sizes, and the memory that it takes, drawn by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from tests.support.resources.scale import Cost

_WIDTH, _LEFT, _ROW, _HEAD = 860, 330, 18, 52
_HALF = (_WIDTH - _LEFT - 40) // 2
_BAR = _HALF - 110
_NOTE = "Within a group, each column has a scale of its own: the longest bar is the greatest of the three."
_COLOURS = ("#a5d8e6", "#4ea3b5", "#0b7285")
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #212529 } .title { font-size: 15px; font-weight: 600 }
.note { font-size: 12px; fill: #495057 }"""


def draw(series: Mapping[str, list[Cost]]) -> str:
    """The chart as an SVG document: a group of bars for each series, one for each size."""
    parts: list[str] = []
    top = _HEAD
    for name, costs in series.items():
        parts += _group(name, costs, top)
        top += _ROW * len(costs) + 14
    parts.append(f'<text class="note" x="16" y="{top + 6}">{_NOTE}</text>')
    top += 22
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" role="img">'
    titles = [
        f'<text class="title" x="{x}" y="28">{text}</text>'
        for x, text in ((16, "How many"), (_LEFT, "CPU for one"), (_LEFT + _HALF + 20, "Peak memory"))
    ]
    about = "<title>CPU for one item, and peak memory, at three sizes</title>"
    ground = f'<rect width="{_WIDTH}" height="{top}" fill="white"/>'
    return "\n".join([head, about, f"<style>{_STYLE}</style>", ground, *titles, *parts, "</svg>", ""])


def _group(name: str, costs: list[Cost], top: int) -> Iterator[str]:
    widest = max(cost.cpu_per_item for cost in costs), max(cost.peak for cost in costs)
    yield f'<text x="16" y="{top + 13}">{escape(name)}</text>'
    for number, (cost, colour) in enumerate(zip(costs, _COLOURS, strict=False)):
        y = top + number * _ROW
        yield f'<text x="{_LEFT - 12}" y="{y + 13}" text-anchor="end">{cost.size:,}</text>'
        yield from _bar(_LEFT, y, cost.cpu_per_item / widest[0], colour, f"{cost.cpu_per_item * 1e6:,.1f} µs")
        yield from _bar(_LEFT + _HALF + 20, y, cost.peak / widest[1], colour, f"{cost.peak / 1e6:,.0f} MB")


def _bar(x: int, y: int, share: float, colour: str, text: str) -> Iterator[str]:
    yield f'<rect x="{x}" y="{y}" width="{share * _BAR:.1f}" height="{_ROW - 4}" rx="2" fill="{colour}"/>'
    yield f'<text x="{x + share * _BAR + 8:.1f}" y="{y + 12}">{text}</text>'
