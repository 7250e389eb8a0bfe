"""What follows a transient fault: full jitter, Retry-After, delays."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.resilience.retry import (
    ATTEMPTS,
    FIRST_DELAY,
    LONGEST_DELAY,
    MAX_IN_PROCESS_WAIT,
    Requeue,
    Retry,
    is_transient,
    next_attempt,
    parse_retry_after,
    requeue_delay,
)

NOW = dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=dt.UTC)
chances = st.floats(0, 1, exclude_max=True)


def wait_of(attempt: int, wish: float | None, chance: float) -> float:
    """The wait of a decision that must be to ask again."""
    decision = next_attempt(attempt, wish, lambda: chance)
    assert isinstance(decision, Retry)
    return decision.wait


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0)])
def test_a_backoff_is_any_part_of_a_ceiling_that_doubles(attempt: int, ceiling: float) -> None:
    assert wait_of(attempt, None, 0.0) == 0.0
    assert wait_of(attempt, None, 0.5) == ceiling / 2
    assert ceiling * 0.99 < wait_of(attempt, None, 0.999) < ceiling


@given(st.integers(1, ATTEMPTS - 1), st.floats(0, MAX_IN_PROCESS_WAIT), chances)
def test_a_short_wish_is_the_least_that_is_waited(attempt: int, wish: float, chance: float) -> None:
    assert wait_of(attempt, wish, chance) == max(wish, wait_of(attempt, None, chance))
    assert wait_of(attempt, MAX_IN_PROCESS_WAIT, chance) == MAX_IN_PROCESS_WAIT


@given(st.integers(1, 99), st.floats(MAX_IN_PROCESS_WAIT, 1e9, exclude_min=True))
def test_a_long_wish_is_never_slept_out(attempt: int, wish: float) -> None:
    assert next_attempt(attempt, wish, lambda: 0.5) == Requeue(wish)


@given(st.integers(ATTEMPTS, 10_000), st.none() | st.floats(0, MAX_IN_PROCESS_WAIT))
def test_the_last_attempt_gives_the_task_back(attempt: int, wish: float | None) -> None:
    assert next_attempt(attempt, wish, lambda: 0.5) == Requeue(wish)


@given(st.floats(0, 1e7), st.none() | st.floats(0, 1e9), chances)
def test_a_delay_is_at_least_the_wish_and_half_its_ceiling_and_at_most_what_sqs_can(
    waited: float, wish: float | None, chance: float
) -> None:
    seconds = requeue_delay(waited, wish, lambda: chance)
    ceiling = min(LONGEST_DELAY, max(FIRST_DELAY, waited))
    assert max(ceiling / 2, min(wish or 0.0, LONGEST_DELAY)) <= seconds <= LONGEST_DELAY
    assert wish is not None or seconds <= ceiling


def test_delays_double_from_thirty_seconds_to_fifteen_minutes() -> None:
    waits, waited = [], 0.0
    for _ in range(7):
        waits.append(requeue_delay(waited, None, lambda: 1.0))
        waited += waits[-1]
    assert waits == [30, 30, 60, 120, 240, 480, 900]


@pytest.mark.parametrize("value", ["0", "7", " 120 ", "3600", "999999999"])
def test_retry_after_in_seconds(value: str) -> None:
    assert parse_retry_after(value, NOW.timestamp()) == float(value)


def test_a_wish_of_more_than_thirty_years_is_one_of_thirty() -> None:
    assert parse_retry_after("9" * 40, NOW.timestamp()) == 999_999_999


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_a_date_is_the_time_until_then_and_never_negative(seconds: int) -> None:
    value = format_datetime(NOW + dt.timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(value, NOW.timestamp()) == max(0, seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 13:00:30 +0100", 30),
        ("Monday, 23-Nov-26 12:00:30 GMT", 30),
        ("Mon Nov 23 12:00:30 2026", 30),
        ("Mon, 23 Nov 2026 12:00:30", 30),
    ],
)
@pytest.mark.usefixtures("far_from_utc")
def test_retry_after_takes_the_old_forms_of_dates_too_wherever_the_machine_is(value: str, seconds: float) -> None:
    assert parse_retry_after(value, NOW.timestamp()) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "soon", "-1", "1.5", "1e3", "٣", "12³", "NaN", "\x00", "Mon, 32 Nov 2026 12:00:00 GMT",
        "Mon, 23 Nov 99999999999999999999 00:00:00 GMT", "Mon, 23 Nov 2026 00:00:00 +99999999999999999999",
        "Mon, 23 Nov 2026 99:00:00 GMT", "1 2 3 4 5",
    ],
)  # fmt: skip
def test_nonsense_in_retry_after_is_no_wish(value: str | None) -> None:
    assert parse_retry_after(value, NOW.timestamp()) is None


@given(st.text(max_size=60) | st.from_regex(r"\A(Mon, )?\d{1,20} (Nov|Jan) \d{1,22} \d+:\d+:\d+ [+-]?\d{0,20}\Z"))
def test_no_header_whatever_breaks_retry_after(value: str) -> None:
    seconds = parse_retry_after(value, NOW.timestamp())
    assert seconds is None or seconds >= 0


def test_overload_and_outage_are_transient_and_nothing_else_is() -> None:
    transient = {status for status in range(100, 1_000) if is_transient(status)}
    assert {408, 425, 429} == {status for status in transient if status < 500}
    assert {status for status in transient if status >= 500} == set(range(500, 600)) - {501, 505}
