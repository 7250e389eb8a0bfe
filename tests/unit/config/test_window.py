"""A partition's date as an API's own filter has it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.window import Window, date_ends_at, format_date, format_moment, midnight
from option_a.ingest.errors import ConfigError

DATE = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)
ZONES = ("UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo",
         "America/Havana", "Pacific/Apia", "Australia/Lord_Howe")  # fmt: skip


def window(**keys: Any) -> Window:
    return msgspec.convert(keys, Window)


@pytest.mark.parametrize(
    ("keys", "first", "last"),
    [
        ({}, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
        ({"end": "inclusive"}, "2026-11-23T00:00:00Z", "2026-11-23T23:59:59.999999Z"),
        ({"format": "date"}, "2026-11-23", "2026-11-24"),
        ({"format": "date", "end": "inclusive"}, "2026-11-23", "2026-11-23"),
        ({"format": "unix"}, 1_795_392_000, 1_795_478_400),
        ({"format": "unix", "end": "inclusive"}, 1_795_392_000, 1_795_478_399),
        ({"format": "unix_ms", "end": "inclusive"}, 1_795_392_000_000, 1_795_478_399_999),
        ({"format": "%Y%m%d %H:%M:%S", "end": "inclusive"}, "20261123 00:00:00", "20261123 23:59:59"),
        ({"format": "%H:%M:%S.%f", "end": "inclusive"}, "00:00:00.000000", "23:59:59.999999"),
        ({"zone": "Europe/Warsaw"}, "2026-11-23T00:00:00+01:00", "2026-11-24T00:00:00+01:00"),
        ({"zone": "Asia/Kathmandu", "format": "unix"}, 1_795_371_300, 1_795_457_700),
        ({"zone": "Asia/Kathmandu", "format": "date", "end": "inclusive"}, "2026-11-23", "2026-11-23"),
    ],
)
def test_a_window_runs_from_the_first_moment_to_the_last(keys: Any, first: str | int, last: str | int) -> None:
    assert window(**keys).bounds(DATE) == (first, last)


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Europe/Warsaw", dt.date(2026, 3, 29), 23), ("Europe/Warsaw", dt.date(2026, 10, 25), 25),
        ("Europe/Warsaw", DATE, 24), ("America/Sao_Paulo", dt.date(2018, 11, 4), 23),
        ("America/Sao_Paulo", dt.date(2018, 2, 17), 25), ("America/Havana", dt.date(2026, 11, 1), 25),
        ("Pacific/Apia", dt.date(2011, 12, 30), 0), ("Australia/Lord_Howe", dt.date(2026, 4, 5), 24.5),
    ],
)  # fmt: skip
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(zone: str, date: dt.date, hours: float) -> None:
    first, last = window(zone=zone, format="unix").bounds(date)
    assert (int(last) - int(first)) / 3600 == hours


def test_where_the_clocks_skip_midnight_the_day_begins_with_the_first_hour_that_there_is() -> None:
    day = dt.date(2018, 11, 4)
    assert window(zone="America/Sao_Paulo").bounds(day)[0] == "2018-11-04T01:00:00-02:00"
    assert window(zone="America/Sao_Paulo", format="%d %H:%M").bounds(day) == ("04 01:00", "05 00:00")


dates = st.dates(dt.date(1990, 1, 1), dt.date(2037, 12, 30))


@given(st.sampled_from(ZONES), dates, st.sampled_from(["iso", "unix", "unix_ms"]))
def test_windows_follow_each_other_with_no_gap_and_no_overlap(zone: str, date: dt.date, form: str) -> None:
    exclusive, inclusive = window(zone=zone, format=form), window(zone=zone, format=form, end="inclusive")
    assert exclusive.bounds(date)[1] == exclusive.bounds(date + DAY)[0]
    assert exclusive.bounds(date)[0] == inclusive.bounds(date)[0]
    if form != "iso":
        assert int(inclusive.bounds(date)[1]) + 1 == inclusive.bounds(date + DAY)[0]


@given(st.sampled_from(ZONES), dates)
def test_the_first_moment_of_a_date_is_of_that_date_and_the_one_before_it_is_not(zone: str, date: dt.date) -> None:
    first = midnight(date, zone)
    if zone == "Pacific/Apia" and date == dt.date(2011, 12, 30):
        return  # a date that never was there
    assert first.date() == date
    before = (first.astimezone(dt.UTC) - dt.timedelta(microseconds=1)).astimezone(first.tzinfo)
    assert before.date() < date


def test_a_date_is_over_where_the_source_counts_its_days() -> None:
    assert date_ends_at(DATE, None) is None
    assert date_ends_at(DATE, window()) is None
    assert date_ends_at(DATE, window(zone="America/New_York")) == 1_795_478_400 + 5 * 3600


@given(dates)
def test_a_date_is_spelt_as_it_is_told(date: dt.date) -> None:
    assert format_date(date, "%Y-%m-%d") == date.isoformat()
    assert dt.datetime.fromtimestamp(int(format_date(date, "unix")), dt.UTC).date() == date
    assert format_date(date, "unix_ms") == int(format_date(date, "unix")) * 1000
    assert format_moment(dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC), "date") == date.isoformat()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('{ zone = "Warsaw" }', r"window.*`zone` 'Warsaw' is unknown: .*Europe/Warsaw"),
        ('{ zone = "../etc/passwd" }', "is unknown"),
        ('{ zone = "" }', "is unknown"),
        ('{ format = "iso8601" }', "`format` 'iso8601' is not a valid format"),
        ('{ end = "open" }', "Invalid value"),
        ('{ form = "a" }', r"window: key `form` is unknown; did you mean `format`\? allowed: from, to, format"),
        ("7", "window"),
    ],
)
def test_a_window_that_says_nothing_is_refused(table: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_sources(f'[sources.s]\nurl = "https://api.test/s"\nwindow = {table}\n', {})


def test_a_source_of_windows_that_is_forced_to_mock_keeps_its_dates() -> None:
    text = '[sources.s]\nurl = "https://api.test/s"\nwindow = { from = "a", to = "b" }\nsince = 2026-01-01\n'
    forced = read_sources(text, {"USE_REAL_HTTP": "false"})["s"]
    assert (forced.origin, forced.snapshot, forced.since) == ("mock", False, dt.date(2026, 1, 1))
    assert read_sources('[sources.api-a]\nwindow = { from = "a", to = "b" }\n', {})["api-a"].date_param is None
