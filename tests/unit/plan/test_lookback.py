"""Dates that a night loads again, because records may have come late."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.source import Source
from option_a.ingest.manifest.cutoff import utc_date_end
from option_a.ingest.manifest.model import Load, Manifest
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import Planned, lookback_partitions, nightly_partitions, plan_tasks
from option_a.ingest.plan.summary import Summary, needs_reload, summarize
from tests.support.pipeline import source

TODAY = dt.date(2026, 11, 24)
DAY = dt.timedelta(days=1)
NOW = utc_date_end(TODAY) - 3600
RUN = "20261124T010000Z-a"
LATE = source(lookback=3)


def complete(*days: int, **fields: Any) -> dict[Partition, Summary]:
    """Complete partitions so many days ago."""
    base: dict[str, Any] = {"source": "s", "state": "complete", "run": "r", "origin": "real", "pages": 1, "records": 1,
                            "bytes": 1, "started": 0.0}  # fmt: skip
    return {Partition("s", TODAY - DAY * n): Summary(date=TODAY - DAY * n, **{**base, **fields}) for n in days}


def nightly(known: dict[Partition, Summary], of: Source = LATE, **options: Any) -> list[Planned]:
    late = lookback_partitions([of], TODAY, known)
    partitions = [*nightly_partitions([of], TODAY, known, NOW), *late]
    return plan_tasks(dict.fromkeys(partitions), {"s": of}, known, RUN, now=NOW, late=late, **options)


def whys(planned: list[Planned]) -> list[tuple[int, str, bool]]:
    return [((TODAY - one.task.date).days, one.why, one.task.fresh) for one in planned]


def test_the_dates_before_the_newest_are_loaded_again_beside_what_is_there() -> None:
    assert whys(nightly(complete(1, 2, 3, 4))) == [
        (0, "missing", False), (1, "lookback", True), (2, "lookback", True), (3, "lookback", True),
    ]  # fmt: skip


def test_they_are_counted_from_the_date_that_the_night_asks_for() -> None:
    assert whys(nightly(complete(1, 2, 3), source(lookback=1, date_offset=-1))) == [(2, "lookback", True)]


def test_none_is_before_since() -> None:
    assert whys(nightly(complete(1, 2, 3), source(lookback=3, since=TODAY - DAY * 2)))[1:] == [
        (1, "lookback", True), (2, "lookback", True),
    ]  # fmt: skip


def test_what_is_not_complete_is_not_looked_back_at() -> None:
    assert whys(nightly({})) == [(0, "missing", False)]
    for state in ("failed", "loading", "promoting"):
        assert whys(nightly(complete(1, state=state))) == [(0, "missing", False)]
    assert whys(nightly(complete(1, origin="mock"))) == [(0, "missing", False)]


def test_what_was_loaded_today_is_not_loaded_again_by_the_days_second_run() -> None:
    assert whys(nightly(complete(1, started=utc_date_end(TODAY - DAY)))) == [(0, "missing", False)]
    assert whys(nightly(complete(1, started=utc_date_end(TODAY - DAY) - 1)))[1:] == [(1, "lookback", True)]


@pytest.mark.usefixtures("far_from_utc")
def test_today_begins_by_utc_whatever_the_machines_zone() -> None:
    found = [lookback_partitions([LATE], TODAY, complete(1, started=utc_date_end(TODAY - DAY) + by)) for by in (-1, 0)]
    assert [len(partitions) for partitions in found] == [1, 0]


def test_an_open_day_that_is_over_keeps_its_own_reason() -> None:
    assert whys(nightly(complete(1, open=True)))[1:] == [(1, "open", False)]


def test_a_partition_whose_task_waits_gets_no_second_one_and_only_narrows() -> None:
    assert whys(nightly(complete(1), queued={Partition("s", TODAY - DAY)})) == [(0, "missing", False)]
    assert whys(nightly(complete(1), only="failed")) == []


def test_a_source_that_does_not_look_back_asks_for_nothing_more() -> None:
    assert lookback_partitions([source()], TODAY, complete(1, 2, 3)) == []


@given(st.integers(0, 40), st.sets(st.integers(0, 50)))
def test_of_any_dates_those_that_are_complete_and_near_are_planned(days: int, there: set[int]) -> None:
    found = lookback_partitions([source(lookback=days)], TODAY, complete(*there))
    assert [(TODAY - p.date).days for p in found] == [n for n in range(1, days + 1) if n in there]


def test_a_day_of_another_zone_is_over_when_it_is_over_there() -> None:
    ends = utc_date_end(TODAY) + 5 * 3600
    load = Load(run=RUN, origin="real", shape="x", started=ends - 1, date_ends_at=ends)
    found = summarize(Manifest("s", TODAY, "complete", load))
    assert found.open
    assert not needs_reload(found, ends - 1)
    assert needs_reload(found, ends)
    load.started = ends
    assert not summarize(Manifest("s", TODAY, "complete", load)).open
