"""Which partitions a night and a backfill ask for, and which of them need a task."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import ManifestError
from option_a.ingest.manifest.cutoff import utc_date_end
from option_a.ingest.manifest.model import Attempt, LeaseRecord, Load, Manifest, State
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import Only, backfill_partitions, is_real_under_mock, nightly_partitions, plan_tasks
from option_a.ingest.plan.summary import (
    PartitionState,
    Summary,
    expected_dates,
    needs_reload,
    partition_state,
    summarize,
    unreadable_summary,
)
from option_a.ingest.ports import Cause
from tests.support.pipeline import source

TODAY = dt.date(2026, 11, 24)
DAY = dt.timedelta(days=1)
YESTERDAY = TODAY - DAY
NOW = utc_date_end(YESTERDAY) + 3600
RUN = "20261124T010000Z-a"
P = Partition("s", YESTERDAY)


def known(date: dt.date = YESTERDAY, name: str = "s", **fields: Any) -> dict[Partition, Summary]:
    """One summary, complete unless told otherwise, by its partition."""
    base = {"source": name, "date": date, "state": "complete", "run": RUN, "origin": "real", "pages": 1, "records": 1,
            "bytes": 1, "started": 0.0}  # fmt: skip
    return {Partition(name, date): Summary(**{**base, **fields})}


STATES: dict[PartitionState, dict[Partition, Summary]] = {
    "missing": {},
    "complete": known(),
    "open": known(open=True),
    "incomplete": known(state="loading", leased_until=NOW),
    "loading": known(state="loading", leased_until=NOW + 1),
    "promoting": known(state="promoting", leased_until=NOW + 1),
    "failed": known(state="failed", leased_until=NOW + 1),
}


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_a_partition_is_told_as_a_person_wants_it(state: PartitionState) -> None:
    assert partition_state(STATES[state].get(P), NOW) == state


def test_a_promotion_or_a_load_that_nobody_works_on_is_incomplete() -> None:
    assert partition_state(known(state="promoting")[P], NOW) == "incomplete"
    assert partition_state(known(state="loading")[P], NOW) == "incomplete"


def why(stored: dict[Partition, Summary], only: Only | None = None, **options: Any) -> str | None:
    """Why the partition gets a task, if it does."""
    planned = plan_tasks([P], {"s": source()}, stored, RUN, now=NOW, only=only, **options)
    assert len(planned) <= 1
    assert all(p.task.partition == P and p.task.run == RUN for p in planned)
    return planned[0].why if planned else None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("missing", "missing"), ("incomplete", "incomplete"), ("failed", "failed"), ("open", "open"),
        ("complete", None), ("loading", None), ("promoting", None),
    ],
)  # fmt: skip
def test_a_partition_gets_a_task_unless_it_is_complete_or_in_good_hands(
    state: PartitionState, reason: str | None
) -> None:
    assert why(STATES[state]) == reason


def test_an_open_day_is_left_alone_until_it_is_over() -> None:
    stored = known(TODAY, open=True)
    today = Partition("s", TODAY)
    assert not plan_tasks([today], {"s": source()}, stored, RUN, now=utc_date_end(TODAY) - 1)
    assert [p.why for p in plan_tasks([today], {"s": source()}, stored, RUN, now=utc_date_end(TODAY))] == ["open"]


@pytest.mark.parametrize("state", ["complete", "loading", "failed"])
def test_a_partition_of_another_origin_is_loaded_again(state: str) -> None:
    stored = known(state=state, origin="mock", leased_until=NOW + 9)
    assert why(stored) == why(stored, "missing") == "origin"
    assert plan_tasks([P], {"s": source(url="mock://s")}, stored, RUN, now=NOW, only="missing") == []


def test_what_was_tried_last_tells_the_origin_of_a_partition_and_not_what_stands_beneath() -> None:
    assert why(known(state="failed", origin="real", tried="mock")) == "origin"
    assert why(known(state="failed", origin="mock", tried="real")) == "failed"


HELD: list[tuple[dict[str, Any], bool]] = [
    ({"origin": "real"}, True),
    ({"origin": "real", "tried": "mock", "state": "failed"}, True),
    ({"origin": "mock", "tried": "real", "state": "failed"}, True),
    ({"origin": "mock", "state": "failed"}, False),
]


@pytest.mark.parametrize(("fields", "real"), HELD)
def test_real_data_is_replaced_by_mock_data_where_that_is_asked_for_and_not_by_mistake(
    fields: dict[str, Any], real: bool
) -> None:
    stored, mock = known(**fields), source(url="mock://s")
    assert is_real_under_mock(mock, stored[P]) is real
    assert not is_real_under_mock(source(), stored[P])
    assert not is_real_under_mock(mock, None)
    asked: list[dict[str, Any]] = [{}, {"mock_over_real": True}, {"fresh": True}]
    planned = [bool(plan_tasks([P], {"s": mock}, stored, RUN, now=NOW, **options)) for options in asked]
    assert planned == [not real, True, True]


@pytest.mark.parametrize(
    ("only", "states"),
    [("missing", {"missing"}), ("incomplete", {"incomplete"}), ("failed", {"failed"}), ("all", set(STATES))],
)
def test_only_narrows_a_plan_to_one_kind_and_all_takes_every_partition(only: Only, states: set[str]) -> None:
    assert {state for state, stored in STATES.items() if why(stored, only)} == states


@pytest.mark.parametrize("options", [{"fresh": True}, {"only": "all"}])
def test_what_is_loaded_again_is_asked_for_afresh(options: dict[str, Any]) -> None:
    planned = plan_tasks([P], {"s": source()}, known(), RUN, now=NOW, **options)
    assert [(p.why, p.task.fresh) for p in planned] == [("fresh", True)]
    assert not plan_tasks([P], {"s": source()}, {}, RUN, now=NOW)[0].task.fresh


def test_a_partition_whose_task_waits_in_the_queue_gets_no_second_one() -> None:
    assert why({}, queued={P}) is None
    assert why({}, queued={Partition("s", TODAY)}) == "missing"


def test_tasks_come_in_the_order_of_the_partitions() -> None:
    partitions = [Partition(name, TODAY - DAY * n) for n in (2, 0, 1) for name in ("t", "s")]
    planned = plan_tasks(partitions, {"s": source(), "t": source(name="t")}, {}, RUN, now=NOW)
    assert [p.task.partition for p in planned] == partitions


def test_tonight_asks_each_source_for_its_newest_date() -> None:
    sources = [source(), source(name="late", date_offset=-1), source(name="whole", date_param=None)]
    assert nightly_partitions(sources, TODAY, {}, NOW) == [
        Partition("s", TODAY), Partition("late", YESTERDAY), Partition("whole", TODAY),
    ]  # fmt: skip


def test_tonight_asks_again_for_open_days_that_are_over_newest_first() -> None:
    stored: dict[Partition, Summary] = {}
    for name in ("t", "s"):
        for n in (3, 1, 2, 0):
            stored |= known(TODAY - DAY * n, name, open=True)
    stored |= known(TODAY - DAY * 4) | known(TODAY - DAY * 5, open=True, state="failed")
    stored |= known(YESTERDAY, "gone", open=True) | known(TODAY - DAY * 6, open=True, origin="mock")
    asked = nightly_partitions([source(), source(name="t")], TODAY, stored, NOW)
    assert asked[:2] == [Partition("s", TODAY), Partition("t", TODAY)]
    assert asked[2:] == [Partition(name, TODAY - DAY * n) for n in (1, 2, 3) for name in ("s", "t")]


def test_tonight_asks_for_nothing_twice() -> None:
    assert nightly_partitions([source(date_offset=-1)], TODAY, known(open=True), NOW) == [P]


@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 40), st.integers(-50, 50))
def test_a_backfill_goes_from_the_newest_date_to_the_oldest_and_not_before_since(
    first: dt.date, days: int, since: int
) -> None:
    last = first + DAY * days
    sources = [source(), source(name="young", since=first + DAY * since), source(name="whole", date_param=None)]
    asked = backfill_partitions(sources, first, last)
    assert [p.date for p in asked if p.source == "s"] == [last - DAY * n for n in range(days + 1)]
    assert [p.date for p in asked] == sorted((p.date for p in asked), reverse=True)
    assert {p.date for p in asked if p.source == "young"} == {
        first + DAY * n for n in range(days + 1) if n >= since
    }  # fmt: skip
    assert not [p for p in asked if p.source == "whole"]


def test_the_dates_that_should_be_there_are_the_newest_and_those_since_since() -> None:
    assert list(expected_dates(source(), TODAY)) == [TODAY]
    assert list(expected_dates(source(since="2026-11-21", date_offset=-1), TODAY)) == [YESTERDAY, YESTERDAY - DAY,
                                                                                      YESTERDAY - DAY * 2]  # fmt: skip
    assert list(expected_dates(source(since="2027-01-01"), TODAY)) == [TODAY]


def loaded(**fields: Any) -> Load:
    return Load(**{"run": RUN, "origin": "real", "shape": "x", "started": NOW - 9, **fields})


def test_a_summary_shows_the_load_that_can_be_read() -> None:
    below = loaded(run="20261101T000000Z-a", pages=7, records=70, bytes=700, finished=5.0, restated=1)
    beside = loaded(pages=2, records=20, bytes=200, staged=True, last=9)
    manifest = Manifest("s", YESTERDAY, "failed", beside, below, LeaseRecord("x", 5.0, 0), Cause("http", "no"))
    manifest.begin_attempt(Attempt(RUN, NOW, 1, 0))
    found = summarize(manifest)
    assert (found.pages, found.records, found.bytes, found.finished, found.restated) == (7, 70, 700, 5.0, 1)
    assert (found.run, found.last, found.staged, found.has_previous_load) == ("20261101T000000Z-a", 9, True, True)
    assert (found.cause, found.cause_kind, found.leased_until, found.partition) == ("no", "http", 5.0, P)


@pytest.mark.parametrize(
    ("state", "attempts", "message"),
    [
        ("loading", [("waiting", "500"), ("died", "")], "500"),
        ("loading", [("waiting", "500"), ("waiting", "503")], "503"),
        ("loading", [("died", "")], ""),
        ("loading", [("before", "401")], ""),
        ("failed", [("waiting", "500"), ("failed", "401")], ""),
        ("complete", [("waiting", "500"), ("complete", "")], ""),
    ],
)
def test_a_summary_of_an_unfinished_load_says_what_it_waits_for(
    state: State, attempts: list[tuple[str, str]], message: str
) -> None:
    manifest = Manifest("s", YESTERDAY, state, loaded())
    for outcome, told in attempts:
        began = manifest.load.started - (1 if outcome == "before" else 0)
        manifest.begin_attempt(Attempt(RUN, began, 1, 0))
        manifest.end_attempt(outcome, NOW, told)
    assert summarize(manifest).message == message


def test_a_partition_whose_manifest_cannot_be_read_has_failed_with_that_cause() -> None:
    found = unreadable_summary(P, ManifestError("the manifest x cannot be read", hint="restore it"))
    assert (found.partition, found.state, found.cause_kind) == (P, "failed", "manifest")
    assert found.cause == "the manifest x cannot be read (restore it)"
    assert partition_state(found, NOW) == "failed"


@pytest.mark.parametrize(
    ("fields", "opened"),
    [
        ({"started": utc_date_end(YESTERDAY) - 1}, True),
        ({"started": utc_date_end(YESTERDAY)}, False),
        ({"started": 0.0, "origin": "mock"}, False),
        ({"started": 0.0, "snapshot": True}, False),
    ],
)
def test_a_day_is_open_if_a_real_api_was_asked_for_it_before_it_was_over(fields: dict[str, Any], opened: bool) -> None:
    found = summarize(Manifest("s", YESTERDAY, "complete", loaded(**fields)))
    assert found.open is opened
    assert needs_reload(found, NOW) is opened
    assert not needs_reload(found, utc_date_end(YESTERDAY) - 1)


def test_the_last_day_of_the_calendar_ends_too() -> None:
    assert utc_date_end(dt.date.max) - utc_date_end(dt.date.max - DAY) == 86_400
