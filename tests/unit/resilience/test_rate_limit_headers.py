"""Rates as they are written, and what APIs tell of theirs."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.duration import interval
from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.http.status_errors import refusal
from option_a.ingest.resilience.rate_limit_headers import seconds_until_reset, server_time

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("rate", "seconds"), [("10/s", 0.1), ("600/min", 0.1), ("1000/h", 3.6), (" 1 / min ", 60.0), ("1/s", 1.0)]
)
def test_a_rate_is_the_seconds_between_two_requests(rate: str, seconds: float) -> None:
    assert interval(rate) == pytest.approx(seconds)
    assert Source(name="s", rate=rate).interval == interval(rate)


@pytest.mark.parametrize(
    "rate", ["", "10", "0/s", "-1/s", "1.5/s", "10/d", "10/sec", "10 per s", "1/h", "1e3/s", "٣/s"]
)
def test_what_is_no_rate_is_refused_with_advice(rate: str) -> None:
    with pytest.raises(ValueError, match=r"10/s|slower than 1/min"):
        interval(rate)
    with pytest.raises(ValueError, match="`rate`"):
        Source(name="s", rate=rate)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 42:.0f}"}, 42.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{(NOW + 42) * 1000:.0f}"}, 42.0),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": f"{NOW - 42:.0f}"}, 0.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "7", "ratelimit-limit": "10"}, 7.0),
        ({"ratelimit-remaining": "0.0", "ratelimit-reset": "0.5"}, 0.5),
        ({"ratelimit": "limit=100, remaining=0, reset=30"}, 30.0),
        ({"ratelimit": '"default";r=0;t=30'}, 30.0),
        ({"ratelimit": '"burst";r=5;t=1, "daily";r=0;t=600'}, 600.0),
        ({"ratelimit": '"burst";r=0;t=1, "daily";r=0;t=600'}, 600.0),
        ({"ratelimit": '"default";r=1;t=30'}, None),
        ({"ratelimit": "limit=100, remaining=3, reset=30"}, None),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "30"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, None),
        ({}, None),
    ],
)
def test_how_long_an_api_takes_no_more_requests(headers: dict[str, str], wait: float | None) -> None:
    assert seconds_until_reset(headers, NOW) == (None if wait is None else pytest.approx(wait))


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_a_reset_at_a_moment_is_meant_by_the_apis_own_clock(skew: float) -> None:
    date = formatdate(NOW + skew, usegmt=True)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + skew + 42:.0f}", "date": date}
    assert seconds_until_reset(headers, NOW) == 42.0


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_a_date_in_retry_after_is_meant_by_the_apis_own_clock(skew: float) -> None:
    headers = {"retry-after": formatdate(NOW + skew + 75, usegmt=True), "date": formatdate(NOW + skew, usegmt=True)}
    error = refusal(503, headers, b"", None, NOW)
    assert isinstance(error, TransientError)
    assert error.retry_after == 75.0


@given(st.dictionaries(st.sampled_from(["date", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"]), st.text()))
def test_whatever_the_headers_hold_it_is_a_wait_or_none(headers: dict[str, str]) -> None:
    wait = seconds_until_reset(headers, NOW)
    assert wait is None or wait >= 0


@pytest.mark.parametrize("status", [403, 429])
def test_a_refusal_for_the_limit_waits_for_its_reset(status: int) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 42:.0f}"}
    error = refusal(status, headers, b"", None, NOW)
    assert isinstance(error, TransientError)
    assert error.retry_after == 42.0
    wished = refusal(status, {**headers, "retry-after": "9"}, b"", None, NOW)
    assert isinstance(wished, TransientError)
    assert wished.retry_after == 9.0


def test_a_refusal_of_another_kind_is_what_it_was() -> None:
    assert isinstance(refusal(403, {"x-ratelimit-remaining": "3", "x-ratelimit-reset": "9"}, b"", None, NOW), HttpError)
    limited = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}
    assert isinstance(refusal(403, limited, b"", "permanent", NOW), HttpError)
    assert isinstance(refusal(404, limited, b"", None, NOW), HttpError)


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize("date", ["Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 -0000"])
def test_a_date_without_a_zone_is_utc_wherever_the_machine_is(date: str) -> None:
    assert server_time({"date": date}, 0.0) == NOW
