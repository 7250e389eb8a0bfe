"""Whatever call of a port a process dies at, before or after it: the next ones finish, and the lake is the same."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.lake.base import Lake
from option_a.ingest.ports import Queue
from tests.conftest import Proof
from tests.support.crashes.crash_trial import CrashTrial, end_state
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.crashes.scenarios import SCENARIOS, Scenario, first_load, longer_then_shorter, out_of_time

ROOMS = {
    "put": {"raw", "staging", "dead"},
    "copy": {"raw"},
    "compare_and_swap": {"manifest", "control"},
    "delete": {"raw", "staging"},
    "read": {"raw", "manifest", "control"},
    "entries": {"raw", "staging", "manifest"},
    "unchanged": {"manifest"},
}
"""Where each call of the lake goes. Segments are many pages away: tests/prove/test_segments.py kills there."""


def points(scenario: Scenario, root: Path) -> list[str]:
    """Every call of a port, in the order of an undisturbed run."""
    crash_point = CrashPoint(every_call=True)
    assert not run_until_crash(scenario(root), crash_point)
    return crash_point.points


@pytest.mark.bar(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_loses_nothing_and_doubles_nothing(
    scenario: Scenario, after: bool, tmp_path: Path, proof: Proof
) -> None:
    undisturbed = scenario(tmp_path / "undisturbed")
    whole = CrashPoint(every_call=True)
    assert not run_until_crash(undisturbed, whole)
    expected = end_state(undisturbed)
    assert undisturbed.differences() == []
    tried: Counter[str] = Counter()
    beyond = 0
    for at, point in enumerate(whole.points, 1):
        trial = CrashTrial(scenario(tmp_path / str(at)), undisturbed)
        crash_point = CrashPoint(at, after=after, every_call=True)
        assert trial.crash(crash_point), at
        assert crash_point.points[-1] == point, at
        trial.finish(expected)
        tried[point.partition(" ")[0]] += 1
        beyond = max(beyond, trial.excess_fetches)
    proof.figure("crash points", tried.total())
    proof.figure("of them not tried", whole.calls - tried.total(), most=0)
    for call, count in sorted(tried.items()):
        proof.figure(call, count)
    proof.figure("pages fetched again beyond those since the last checkpoint and those in flight", beyond, most=0)


def test_the_points_to_die_at_are_every_call_of_every_port_in_every_room(tmp_path: Path) -> None:
    found = {point for n, scenario in enumerate(SCENARIOS) for point in points(scenario, tmp_path / str(n))}
    of_lake = {f"{call} {room}" for call, rooms in ROOMS.items() for room in rooms}
    of_queue = {name for name in vars(Queue) if not name.startswith("_")}
    assert found == of_lake | of_queue | {"fetch", "secret"}
    calls = {name for name, value in vars(Lake).items() if callable(value) and not name.startswith("_")}
    assert set(ROOMS) == calls - {"get", "key_batches"}  # they read, and list


@pytest.mark.parametrize("scenario", [first_load, longer_then_shorter, out_of_time])
def test_so_it_is_where_pages_are_fetched_by_threads(scenario: Scenario, tmp_path: Path) -> None:
    undisturbed = scenario(tmp_path / "undisturbed")
    crash_point = CrashPoint()
    assert not run_until_crash(undisturbed, crash_point)
    for at in range(2, crash_point.calls, 3):
        pipeline = scenario(tmp_path / str(at))
        pipeline.services = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor)
        run_until_crash(pipeline, CrashPoint(at, after=bool(at % 2)))
        pipeline.drain()
        assert pipeline.objects("raw") == undisturbed.objects("raw"), at
        assert pipeline.objects("staging") == {}, at
        assert pipeline.manifest().state == "complete", at
        assert pipeline.differences() == [], at
