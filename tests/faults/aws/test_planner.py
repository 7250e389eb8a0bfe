"""The planner of the stack, over a folder and a queue in memory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from option_a.aws.functions.freshness import FreshnessCheck
from option_a.aws.functions.planner import LOOK_BACK, Planner
from option_a.ingest.errors import ConfigError
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.partition import Partition
from tests.support.pipeline import Pipeline, make_pages, numbered_pages, source

TODAY = dt.date(2023, 11, 14)
"""The date on which FakeClock starts."""


class Rig:
    """A pipeline whose tasks are planned by events."""

    def __init__(self, root: Path, **fields: object) -> None:
        sources = (source(name="s", **fields), source(name="t", **fields))
        self.pipeline = Pipeline(root, numbered_pages(make_pages(2)), *sources)
        self.planner = Planner(self.pipeline.sources, self.pipeline.lake, self.pipeline.queue, self.pipeline.clock)

    def plan(self, request: str = "r", **event: Any) -> dict[str, Any]:
        return self.planner(event, request)

    def queued(self) -> list[tuple[str, str]]:
        return [(task.source, task.day) for task in self.pipeline.queue.tasks()]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def scheduled(day: dt.date) -> dict[str, Any]:
    return {"detail-type": "Scheduled Event", "id": f"id-{day}", "time": f"{day}T01:00:00Z", "detail": {}}


def test_a_schedule_enqueues_every_sources_newest_date_and_says_so(rig: Rig) -> None:
    answer = rig.planner(scheduled(TODAY), "r")
    assert answer["run"] == "20231114T010000Z-id-2023-11-14"
    assert (answer["partitions"], answer["enqueued"], answer["why"], answer["more"]) == (2, 2, {"missing": 2}, 0)
    assert answer["tasks"] == [{"source": name, "date": "2023-11-14", "why": "missing"} for name in ("s", "t")]
    assert rig.queued() == [("s", "2023-11-14"), ("t", "2023-11-14")]


def test_a_schedule_that_is_delivered_again_loads_nothing_twice(rig: Rig) -> None:
    rig.planner(scheduled(TODAY), "r-1")
    assert rig.pipeline.drain() == ["complete", "complete"]
    asked = len(rig.pipeline.requests)
    answer = rig.planner(scheduled(TODAY), "r-2")
    assert answer["enqueued"] == 0
    rig.pipeline.send("20231114T010000Z-id-2023-11-14", date=TODAY)  # and SQS may deliver the first one's tasks again
    assert rig.pipeline.drain() == ["done"]
    assert len(rig.pipeline.requests) == asked


def test_a_schedule_also_loads_again_the_days_that_were_loaded_before_they_were_over(rig: Rig) -> None:
    rig.planner(scheduled(TODAY), "r")
    rig.pipeline.drain()
    rig.pipeline.clock.sleep(86_400)
    answer = rig.planner(scheduled(TODAY + dt.timedelta(days=1)), "r")
    assert [(task["date"], task["why"]) for task in answer["tasks"] if task["source"] == "s"] == [
        ("2023-11-15", "missing"),
        ("2023-11-14", "open"),
    ]
    rig.pipeline.clock.sleep(86_400 * (LOOK_BACK + 1))
    later = rig.planner(scheduled(TODAY + dt.timedelta(days=LOOK_BACK + 2)), "r")
    assert "2023-11-14" not in {task["date"] for task in later["tasks"]}


def test_a_schedule_looks_back_as_far_as_its_source_says(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lookback=LOOK_BACK + 2)
    days = [TODAY - dt.timedelta(days=n) for n in (1, LOOK_BACK + 2, LOOK_BACK + 3)]
    rig.pipeline.clock.time -= 86_400
    for day in days:
        rig.pipeline.send("20231101T000000Z-a", date=day)
    rig.pipeline.drain()
    rig.pipeline.clock.time += 86_400
    answer = rig.planner(scheduled(TODAY), "r")
    assert [(task["date"], task["why"]) for task in answer["tasks"] if task["source"] == "s"] == [
        ("2023-11-14", "missing"), ("2023-11-13", "open"), (days[1].isoformat(), "lookback"),
    ]  # fmt: skip
    assert rig.plan(request="q", only="failed")["tasks"] == []
    assert rig.pipeline.drain() == ["complete"] * 4
    assert rig.planner(scheduled(TODAY), "r")["enqueued"] == 0


def test_one_date_a_range_and_some_sources(rig: Rig) -> None:
    assert rig.plan(date="2023-11-01", sources=["t"])["tasks"] == [
        {"source": "t", "date": "2023-11-01", "why": "missing"}
    ]
    rig.pipeline.drain()
    answer = rig.plan("r2", **{"from": "2023-10-31", "to": "2023-11-01"})
    assert [(task["source"], task["date"]) for task in answer["tasks"]] == [
        ("s", "2023-11-01"),
        ("s", "2023-10-31"),
        ("t", "2023-10-31"),
    ]


def test_only_and_fresh(rig: Rig) -> None:
    rig.plan(date="2023-11-01")
    rig.pipeline.drain()
    days = {"from": "2023-11-01", "to": "2023-11-01"}
    assert rig.plan("r2", **days)["enqueued"] == 0
    assert rig.plan("r3", **days, only="failed")["enqueued"] == 0
    assert rig.plan("r4", date="2023-11-01")["enqueued"] == 0
    assert rig.plan("r5", **days, only="all")["why"] == {"fresh": 2}
    assert rig.plan("r6", date="2023-11-01", fresh=True)["why"] == {"fresh": 2}
    assert rig.plan("r7", **days, fresh=True)["why"] == {"fresh": 2}
    assert {task.fresh for task in rig.pipeline.queue.tasks()} == {True}


def test_a_large_plan_is_answered_with_counts_and_the_first_hundred(rig: Rig) -> None:
    answer = rig.plan(**{"from": "2023-08-01", "to": "2023-10-31"})
    assert (answer["enqueued"], len(answer["tasks"]), answer["more"]) == (184, 100, 84)
    assert len(rig.queued()) == 184


@pytest.mark.parametrize("event", [{"date": "2024-01-01"}, {"from": "2023-11-01", "to": "2024-01-01"}])
def test_the_future_is_refused_and_nothing_is_sent(rig: Rig, event: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="in the future"):
        rig.plan(**event)
    assert rig.queued() == []


def test_more_dates_than_a_queue_should_hold_are_refused_and_nothing_is_sent(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="dates at once"):
        rig.plan(**{"from": "2000-01-01", "to": "2023-11-14"})
    assert rig.queued() == []


def test_an_unknown_source_is_refused_and_nothing_is_sent(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        rig.plan(sources=["s", "tt"])
    assert rig.queued() == []


def test_a_snapshot_is_planned_for_today_alone(tmp_path: Path) -> None:
    rig = Rig(tmp_path, date_param=None)
    assert rig.plan()["enqueued"] == 2
    assert rig.plan("r2", date="2023-11-01")["partitions"] == 0
    assert rig.plan("r3", **{"from": "2023-11-01", "to": "2023-11-02"})["partitions"] == 0


def test_a_ledger_that_cannot_be_read_is_planned_as_failed(rig: Rig) -> None:
    rig.pipeline.lake.put(manifest_key(Partition("s", TODAY)), b"{")
    assert rig.plan()["why"] == {"failed": 1, "missing": 1}


class Logged:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def warning(self, message: str, *, extra: dict[str, Any]) -> None:
        self.lines.append((message, extra))


def test_the_watch_names_what_is_late_with_its_cause(rig: Rig) -> None:
    logged = Logged()
    watch = FreshnessCheck(rig.pipeline.sources, rig.pipeline.lake, rig.pipeline.clock, logged)
    assert watch()["late"] == 2
    rig.plan(sources=["s"])
    rig.pipeline.drain()
    rig.pipeline.api = lambda request: b"<html>"
    rig.plan("r2", sources=["t"])
    rig.pipeline.drain()
    logged.lines.clear()
    answer = watch()
    assert (answer["expected"], answer["late"]) == (2, 1)
    [row] = answer["partitions"]
    assert (row["source"], row["date"], row["state"]) == ("t", "2023-11-14", "failed")
    assert "t 2023-11-14" in row["cause"]
    [(message, extra)] = logged.lines
    assert message == "late"
    assert {"run", "source", "date", "page"} <= extra.keys()
