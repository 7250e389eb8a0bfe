"""A lake, a partition and a queue at a hundredth, a tenth and all of their size: an item costs the same at each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from bench.measure import measure
from tests.acceptance.command import DAY, ROOT, Place, command
from tests.conftest import Proof
from tests.prove.scale_chart import draw
from tests.prove.table import DOCUMENT
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.resources.scale import MEASUREMENTS, SOURCES, Cost

pytestmark = pytest.mark.bar(14)
DEARER, LARGER = 2.0, 1.2
"""What an item may cost, and the process hold, at the full size, if they are 1 at a tenth of it."""
CACHED = 1.8
"""The same of a queue, whose cache may fill up to its 16 MB."""
CHART = DOCUMENT.with_name("reliability-scale.svg")
Series = dict[str, list[Cost]]
GROUPS = {
    "lake": (
        {
            "measure_plan": "partitions planned, enqueued",
            "measure_status": "partitions, status",
            "measure_status_cached": "partitions, status again",
            "measure_nightly": "partitions, plan",
        },
        (SOURCES, 2 * SOURCES),
        (4 * SOURCES, 36 * SOURCES, 365 * SOURCES),
    ),
    "queue": (
        {
            "measure_send": "tasks enqueued",
            "measure_depth": "tasks counted",
            "measure_deliveries": "tasks, 1,000 handled",
        },
        (2 * SOURCES, 20 * SOURCES),
        (10_000, 100_000, 1_000_000),
    ),
}
COMMANDS = {"pages loaded": ["run"], "pages loaded again": ["run", "--fresh"], "pages verified": ["verify"]}


@pytest.fixture(scope="module")
def series() -> Iterator[Series]:
    """What was measured; the chart is drawn at the end of a full trial of all, not of a part."""
    measured: Series = {}
    yield measured
    everything = {*COMMANDS, *(name for names, _, _ in GROUPS.values() for name in names.values())}
    if measured.keys() == everything and any(cost.size == 10**6 for costs in measured.values() for cost in costs):
        CHART.write_text(draw(measured))


def in_a_process(what: str, size: int, folder: Path) -> Cost:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.resources.scale", what, str(size), str(folder)],
        cwd=ROOT, capture_output=True, check=True, timeout=1_800,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=Cost)


def judge(proof: Proof, name: str, costs: list[Cost], most: float | None) -> None:
    """Short trials are too small to tell growth from a start."""
    *_, tenth, whole = costs
    proof.figure(f"{name}, at most", f"{whole.size:,} in {whole.cpu:.1f} s of CPU and {whole.peak / 1e6:.0f} MB")
    dearer, larger = round(whole.cpu_per_item / tenth.cpu_per_item, 2), round(whole.peak / tenth.peak, 2)
    proof.figure("CPU an item, the largest against a tenth", dearer, most=DEARER if proof.full else None)
    if most is not None:
        kind = "a queue's " if most == CACHED else ""
        proof.figure(f"{kind}peak memory, the largest against a tenth", larger, most=most if proof.full else None)


@pytest.mark.parametrize("group", GROUPS)
def test_what_a_lake_and_a_queue_cost_grows_no_faster_than_they_do(
    group: str, tmp_path: Path, proof: Proof, series: Series
) -> None:
    names, short, full = GROUPS[group]
    for size in full if proof.full else short:
        folder = tmp_path / str(size)
        folder.mkdir()
        for what in names:
            series.setdefault(names[what], []).append(in_a_process(what, size, folder))
    assert set(names) <= set(MEASUREMENTS)
    for name in names.values():
        judge(proof, name, series[name], CACHED if group == "queue" else None)


def pages(count: int) -> Callable[[Exchange], None]:
    """An API whose one day has so many small pages."""
    head = b'{"total_pages": %d, "data": [{"name": "a record", "id": ' % count

    def answer(exchange: Exchange) -> None:
        exchange.send(reply(head + exchange.target.rpartition("page=")[2].encode() + b"}]}"))

    return answer


def test_a_page_costs_the_same_however_many_a_partition_has(
    tmp_path: Path, proof: Proof, series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for size in (1_000, 10_000, 100_000) if proof.full else (20, 200):
        place = Place(tmp_path)
        with Server(pages(size)) as server:
            place.declare(
                f'[sources.s-{size}]\nurl = "{server.url}/s"\ndate_param = "date"\nparallel = 8\n'
                f'pagination = {{ style = "page", total_pages = "total_pages" }}\n'
            )
            monkeypatch.chdir(tmp_path)
            for name, words in COMMANDS.items():
                dated = ["--date", DAY, "--source", f"s-{size}"] if words[0] == "run" else ["--source", f"s-{size}"]
                sample = measure(command(*words, *dated), tmp_path / "log")
                series.setdefault(name, []).append(Cost(size, size, sample.cpu, sample.peak))
        assert len(place.pages(f"s-{size}")) == size
        assert f"{size:,} pages" in (tmp_path / "log").read_text()
    for name in COMMANDS:
        judge(proof, name, series[name], LARGER)
