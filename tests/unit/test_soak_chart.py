"""The chart of what a process holds: a document that a browser takes, with a point for each round."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tests.prove.chart import draw
from tests.support.held import Held

SVG = "{http://www.w3.org/2000/svg}"


def test_it_has_a_line_for_memory_and_one_for_files() -> None:
    chart = ET.fromstring(draw([Held(40_000 + n, 4, 2) for n in range(5)], 30.0))
    lines = [line.attrib["points"].split() for line in chart.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [5, 5]
    assert lines[0][0].startswith("64.0,")
    assert [text.text for text in chart.iter(f"{SVG}text")][
        -1
    ] == "One process, 5 rounds of runs and backfills in 30 minutes"
