"""What an event asks of the planner, and which run it triggers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from option_a.aws.functions.event import known_names, read_event
from option_a.ingest.config.source import mock_source
from option_a.ingest.errors import ConfigError
from option_a.ingest.task import RUN_ID

NOW = 1_700_000_000.0
SCHEDULED: dict[str, Any] = {
    "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
    "source": "aws.events", "account": "123456789012", "time": "2026-11-24T01:00:00Z", "region": "eu-west-1",
    "resources": ["arn:aws:events:eu-west-1:123456789012:rule/Nightly"], "detail": {},
}  # fmt: skip
SOURCES = {name: mock_source(name) for name in ("api-a", "api-b")}


def test_a_scheduled_event_is_tonights_run_at_its_own_time() -> None:
    trigger = read_event(SCHEDULED, "request-1", NOW)
    assert trigger.run == "20261124T010000Z-53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"
    assert trigger.moment == dt.datetime(2026, 11, 24, 1, tzinfo=dt.UTC).timestamp()
    assert (
        trigger.plan_request.date,
        trigger.plan_request.first,
        trigger.plan_request.sources,
        trigger.plan_request.fresh,
    ) == (
        None,
        None,
        None,
        False,
    )


def test_an_event_that_is_delivered_twice_is_one_run_and_the_next_nights_is_another() -> None:
    first, second = (read_event(SCHEDULED, request, NOW + n).run for n, request in enumerate(("a", "b")))
    assert first == second
    later = read_event(SCHEDULED | {"time": "2026-11-25T01:00:00Z", "id": "other"}, "a", NOW).run
    assert later > first


def test_a_persons_event_is_a_run_of_its_request() -> None:
    one, retried, other = (read_event({}, request, NOW).run for request in ("r-1", "r-1", "r-2"))
    assert one == retried != other
    assert RUN_ID.fullmatch(one)


def test_every_key_is_read_also_within_the_detail_of_a_rules_event() -> None:
    wish = {"from": "2026-11-01", "to": "2026-11-03", "sources": ["api-a"], "only": "failed", "fresh": True}
    plain = read_event(wish, "r", NOW).plan_request
    assert (plain.first, plain.last) == (dt.date(2026, 11, 1), dt.date(2026, 11, 3))
    assert (plain.sources, plain.only, plain.fresh) == (["api-a"], "failed", True)
    assert read_event(SCHEDULED | {"detail": wish}, "r", NOW).plan_request == plain
    assert read_event({"date": "2026-11-23"}, "r", NOW).plan_request.date == dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ([], "not a JSON object"),
        ({"source": ["api-a"]}, "`source` is unknown; did you mean `sources`?"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "23.11.2026"}, "date"),
        ({"date": 20261123}, "date"),
        ({"from": "2026-11-01"}, "`from` and `to` go together"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "is after"),
        ({"date": "2026-11-01", "from": "2026-11-01", "to": "2026-11-01"}, "excludes"),
        ({"only": "some"}, "`only`: Invalid value 'some'; valid values are: all, "),
        ({"sources": "api-a"}, "sources"),
        ({"fresh": "yes"}, "fresh"),
        ({"detail-type": "Scheduled Event", "detail": {}}, "no `time`"),
        (SCHEDULED | {"time": "0101-01-01T00:00:00Z"}, "no `time`"),
        (SCHEDULED | {"time": "9999-12-31"}, "no `time`"),
        (SCHEDULED | {"detail": 5}, "`detail` is not a JSON object"),
        ({"date": "0001-01-01"}, "too early: write 0001-01-02 or a later one"),
        ({"from": "0001-01-01", "to": "2026-11-01"}, "too early: write 0001-01-02 or a later one"),
        ({"\ud800": 1}, r"`\ud800` is unknown"),
    ],
)
def test_an_event_that_is_none_says_what_is_wrong_and_how_it_looks(event: Any, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_event(event, "r", NOW)
    assert says in caught.value.what
    assert caught.value.hint


def test_a_source_that_is_not_declared_is_named_with_the_closest_one() -> None:
    wish = read_event({"sources": ["api-b", "api_a"]}, "r", NOW).plan_request
    with pytest.raises(ConfigError, match="`api_a` is unknown; did you mean `api-a`"):
        known_names(wish, SOURCES)
    with pytest.raises(ConfigError, match="empty"):
        known_names(read_event({"sources": []}, "r", NOW).plan_request, SOURCES)
    assert known_names(read_event({"sources": ["api-b", "api-b"]}, "r", NOW).plan_request, SOURCES) == ["api-b"]
    assert known_names(read_event({}, "r", NOW).plan_request, SOURCES) == ["api-a", "api-b"]
