"""What a person may request, and what is refused."""

from __future__ import annotations

import datetime as dt

import pytest

from option_a.ingest.errors import InvalidRequest, UserError
from option_a.operations.requests import DateRange, reject_future, resolve_sources
from tests.support.pipeline import source
from tests.unit.operations.memory_pipeline import TODAY, YESTERDAY

DECLARED = {"a": source(name="a"), "b": source(name="b")}
TOMORROW = TODAY + dt.timedelta(days=1)


def test_no_names_are_all_sources_and_a_repeated_name_counts_once() -> None:
    assert resolve_sources(DECLARED, []) == ["a", "b"]
    assert resolve_sources(DECLARED, ["b", "a", "b"]) == ["b", "a"]


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest) as refused:
        resolve_sources(DECLARED, ["a", "c"])
    assert refused.value.what == "no source `c`; declared: a, b"
    assert isinstance(refused.value, UserError)


def test_a_range_holds_its_dates_in_order() -> None:
    assert DateRange(TODAY, TODAY).last == TODAY
    with pytest.raises(InvalidRequest, match="--from 2026-11-24 is after --to 2026-11-23"):
        DateRange(TODAY, YESTERDAY)


def test_a_date_is_in_the_future_once_it_is_after_every_sources_latest_date() -> None:
    reject_future(DECLARED, TODAY, TODAY)
    with pytest.raises(InvalidRequest, match=r"^2026-11-25 is in the future \(it is 2026-11-24, UTC\)$"):
        reject_future(DECLARED, TOMORROW, TODAY)
    reject_future({"ahead": source(name="ahead", date_offset=1)}, TOMORROW, TODAY)
    reject_future({"behind": source(name="behind", date_offset=-1)}, TODAY, TODAY)
