"""Which partitions should be there by now."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from option_a.ingest.config.source import Source
from option_a.ingest.partition import Partition
from option_a.ingest.plan.freshness import (
    expected_partitions,
    late_partitions,
    overdue_partitions,
    unfinished_partitions,
)
from option_a.ingest.plan.planner import Summaries
from option_a.ingest.plan.summary import Summary

DAY = dt.date(2026, 11, 24)


def source(**fields: object) -> Source:
    return msgspec.convert({"name": "s", "url": "https://api.test/s", "date_param": "date", **fields}, Source)


def at(hour: int, minute: int = 0) -> float:
    return dt.datetime(2026, 11, 24, hour, minute, tzinfo=dt.UTC).timestamp()


def summary(**fields: object) -> Summary:
    return msgspec.structs.replace(Summary("s", DAY, "complete", "r", "real", 1, 1, 1, 0.0), **fields)


@pytest.mark.parametrize(
    ("moment", "date"),
    [(at(0), 23), (at(1), 23), (at(4, 59), 23), (at(5), 24), (at(23, 59), 24)],
)
def test_the_newest_partition_is_expected_from_four_hours_after_the_schedule(moment: float, date: int) -> None:
    assert expected_partitions([source()], moment) == [Partition("s", dt.date(2026, 11, date))]


@pytest.mark.usefixtures("far_from_utc")
def test_it_is_expected_by_utc_whatever_the_machines_zone() -> None:
    assert expected_partitions([source()], at(5)) == [Partition("s", DAY)]


def test_due_and_date_offset_and_since_move_what_is_expected() -> None:
    assert expected_partitions([source(due="30m")], at(1, 30)) == [Partition("s", DAY)]
    assert expected_partitions([source(due="2d")], at(12)) == [Partition("s", dt.date(2026, 11, 22))]
    assert expected_partitions([source(date_offset=-1)], at(5)) == [Partition("s", dt.date(2026, 11, 23))]
    assert expected_partitions([source(since="2026-11-24")], at(5)) == [Partition("s", DAY)]
    assert expected_partitions([source(since="2026-11-25")], at(5)) == []
    snapshot = msgspec.convert({"name": "s", "url": "https://api.test/s"}, Source)
    assert expected_partitions([snapshot], at(5)) == [Partition("s", DAY)]


@pytest.mark.parametrize(
    ("known", "is_late"),
    [
        (None, True),
        (summary(), False),
        (summary(open=True), False),
        (summary(state="failed", cause="no"), True),
        (summary(state="loading"), True),
        (summary(state="loading", leased_until=at(23)), True),
        (summary(state="failed", has_previous_load=True), False),
        (summary(state="loading", has_previous_load=True), False),
        (summary(state="promoting", has_previous_load=True, leased_until=at(23)), False),
        (summary(state="promoting", has_previous_load=True, leased_until=at(5)), True),
    ],
)
def test_late_is_what_no_complete_load_can_be_read_of(known: Summary | None, *, is_late: bool) -> None:
    partition = Partition("s", DAY)
    assert late_partitions([partition], {} if known is None else {partition: known}, at(6)) == (
        [partition] if is_late else []
    )


def before(days: int, name: str = "s") -> Partition:
    return Partition(name, DAY - dt.timedelta(days=days))


def test_what_is_lacking_has_failed_or_is_left_or_missing_since_it_was_promised() -> None:
    known: Summaries = {
        before(0): summary(state="loading", leased_until=at(7)),
        before(1): summary(),
        before(2): summary(state="failed", has_previous_load=True),
        before(3): summary(state="loading", leased_until=at(5)),
        before(9): summary(state="failed"),
        before(1, "another's"): summary(state="failed"),
    }
    found = unfinished_partitions([source(since="2026-11-20")], DAY, known, at(6))
    assert found == {before(2): "failed", before(3): "incomplete", before(4): "missing", before(9): "failed"}
    found = unfinished_partitions([source()], DAY, known, at(6))
    assert found == {before(2): "failed", before(3): "incomplete", before(9): "failed"}, "nothing was promised"


@pytest.mark.parametrize("since", [{}, {"since": "2026-11-23"}])
@pytest.mark.parametrize(
    ("today", "hour", "wrong"),
    [
        (None, 4, {}),
        (None, 5, {"missing"}),
        (summary(), 5, {}),
        (summary(open=True), 5, {}),
        (summary(state="failed"), 4, {"failed"}),
        (summary(state="loading"), 4, {}),
        (summary(state="loading"), 5, {"incomplete"}),
        (summary(state="loading", leased_until=at(6)), 4, {}),
        (summary(state="loading", leased_until=at(6)), 5, {"late"}),
    ],
)
def test_the_newest_date_has_time_until_it_is_due(
    since: dict[str, str], today: Summary | None, hour: int, wrong: set[str]
) -> None:
    known = {before(1): summary()} | ({} if today is None else {before(0): today})
    found = overdue_partitions([source(**since)], DAY, known, at(hour))
    promised = {"late"} if wrong == {"missing"} and not since else wrong
    assert found == dict.fromkeys([before(0)] if wrong else [], *promised)


def test_a_source_that_was_declared_today_is_not_late_yesterday() -> None:
    assert overdue_partitions([source()], DAY, {before(0): summary()}, at(2)) == {}
    assert overdue_partitions([source()], DAY, {}, at(2)) == {before(1): "late"}, "it never ran"
    assert overdue_partitions([source(since="2026-11-24")], DAY, {}, at(2)) == {}
    assert overdue_partitions([source(since="2026-11-22")], DAY, {before(0): summary()}, at(2)).keys() == {
        before(1),
        before(2),
    }


def test_a_due_of_more_than_a_day_is_waited_for() -> None:
    known = {before(days): summary() for days in (2, 3)}
    declared = [source(since="2026-11-20", due="30h")]
    assert overdue_partitions(declared, DAY, known, at(6)).keys() == {before(4)}
    assert overdue_partitions(declared, DAY, known, at(7)).keys() == {before(4), before(1)}


def test_a_snapshot_of_an_earlier_day_can_be_taken_by_nobody_and_is_not_told() -> None:
    taken = source(date_param=None)
    known = {before(0): summary(), before(1): summary(state="failed"), before(2): summary(state="loading")}
    assert (unfinished_partitions([taken], DAY, known, at(6)), overdue_partitions([taken], DAY, known, at(6))) == (
        {},
        {},
    )
    assert overdue_partitions([taken], DAY, {before(0): summary(state="failed")}, at(6)) == {before(0): "failed"}
