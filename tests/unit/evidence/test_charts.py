"""The charts: documents that a browser takes, with a point for each round, round numbers beside it, and scales told."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.prove import scale_chart
from tests.prove.chart import draw
from tests.support.resources.process_usage import ProcessUsage
from tests.support.resources.scale import Cost

SVG = "{http://www.w3.org/2000/svg}"


def test_it_has_a_line_for_memory_and_one_for_files() -> None:
    chart = ET.fromstring(draw([ProcessUsage(40_000 + n, 4, 2) for n in range(5)], 30.0))
    lines = [line.attrib["points"].split() for line in chart.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [5, 5]
    assert lines[0][0].startswith("64.0,")
    assert [text.text for text in chart.iter(f"{SVG}text")][
        -1
    ] == "One process, 5 rounds of runs and backfills in 30 minutes"


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (1, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (14, ["0", "5", "10", "15"]),
        (37.7, ["0", "10", "20", "30", "40"]),
        (61.8, ["0", "20", "40", "60", "80"]),
        (4_100, ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
    ],
)
def test_its_lines_are_at_round_numbers_and_the_highest_is_above_all(most: float, marks: list[str]) -> None:
    chart = ET.fromstring(draw([ProcessUsage(int(most * 1024), 4, 2), ProcessUsage(1_024, 4, 2)], 30.0))
    ends = [text.text for text in chart.iter(f"{SVG}text") if text.attrib.get("text-anchor") == "end"]
    assert ends[: len(marks)] == marks
    highest = min(float(point.split(",")[1]) for point in next(chart.iter(f"{SVG}polyline")).attrib["points"].split())
    top = min(float(line.attrib["y1"]) for line in chart.iter(f"{SVG}line") if line.attrib["y1"] == line.attrib["y2"])
    assert highest >= top


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        (1, ["round 1"]),
        (4, ["round 1", "round 2", "round 3", "round 4"]),
        (361, ["round 1", "round 100", "round 200", "round 300"]),
    ],
)
def test_an_axis_tells_the_round(rounds: int, told: list[str]) -> None:
    chart = ET.fromstring(draw([ProcessUsage(40_000, 4, 2)] * rounds, 30.0))
    below = [text for text in chart.iter(f"{SVG}text") if text.attrib.get("text-anchor") == "middle"]
    assert [text.text for text in below] == told * 2
    assert {text.attrib["y"] for text in below} == {"244", "470"}


def test_the_chart_of_sizes_says_that_each_group_has_a_scale_of_its_own() -> None:
    costs = [Cost(size, size, 0.001 * size, 30_000_000) for size in (10, 100, 1_000)]
    chart = ET.fromstring(scale_chart.draw({"tasks <counted>": costs, "tasks sent": costs}))
    texts = [text.text for text in chart.iter(f"{SVG}text")]
    assert (
        texts[-1] == "Within a group, each column has a scale of its own: the longest bar is the greatest of the three."
    )
    assert "tasks <counted>" in texts
    assert len(list(chart.iter(f"{SVG}rect"))) == 1 + 2 * 3 * 2
    assert max(float(text.attrib["y"]) for text in chart.iter(f"{SVG}text")) < float(chart.attrib["viewBox"].split()[3])
