"""A source: what it derives from its table."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.duration import seconds
from option_a.ingest.config.source import NAME, mock_source
from tests.support.pipeline import source


@pytest.mark.parametrize(
    ("text", "length"),
    [("90s", 90), ("30m", 1800), ("6h", 21600), ("2d", 172800), ("1.5h", 5400), (" 5 s ", 5), ("0s", 0)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "6", "h", "-1h", "6 hours", "1h30m", "6H", ".5h", "1e3s"])
def test_a_duration_that_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and s, m, h or d, as in 6h"):
        seconds(text)


SHAPING: list[dict[str, Any]] = [
    {"url": "https://api.test/other"}, {"records": "data"}, {"date_param": "day"}, {"params": {"a": 1}},
    {"pagination": {"style": "page", "size": 5}}, {"pagination": {"style": "next_url"}},
]  # fmt: skip
OTHER: list[dict[str, Any]] = [
    {"parallel": 9}, {"timeout": 5.0}, {"patience": "1h"}, {"max_pages": 5}, {"total": "ignore"}, {"repeats": "allow"},
    {"errors": "allow"}, {"errors": "beside"},
    {"columns": {"id": "bigint"}}, {"since": "2026-01-01"}, {"date_offset": -1}, {"name": "t"}, {"max_body": 9},
]  # fmt: skip


def test_a_shape_changes_with_what_decides_which_records_a_page_holds() -> None:
    shapes = {source(**change).fingerprint for change in [{}, *SHAPING]}
    assert len(shapes) == len(SHAPING) + 1


@pytest.mark.parametrize("change", OTHER)
def test_a_shape_changes_with_nothing_else(change: dict[str, Any]) -> None:
    assert source(**change).fingerprint == source().fingerprint


def test_a_source_is_mock_by_its_url_alone() -> None:
    assert (mock_source("api-a").origin, source(url="mock://x").origin, source().origin) == ("mock", "mock", "real")


def test_a_source_without_a_date_is_a_snapshot() -> None:
    assert source(date_param=None).snapshot
    assert not source().snapshot


@given(st.from_regex(NAME, fullmatch=True))
def test_a_view_is_named_as_its_source_in_the_letters_that_sql_takes(name: str) -> None:
    view = source(name=name).view
    assert view.replace("_", "-") == name.replace("_", "-")
    assert "-" not in view


def test_fixed_parameters_go_along_as_text() -> None:
    assert source(params={"a": True, "b": False, "c": 1, "d": 1.5, "e": "x"}).query == {
        "a": "true", "b": "false", "c": "1", "d": "1.5", "e": "x",
    }  # fmt: skip


@pytest.mark.parametrize("rule", ["at_least", "ignore"])
@pytest.mark.parametrize("style", [{"style": "offset", "size": 5}, {"style": "page"}, {"style": "page", "size": 5}])
def test_an_estimate_is_no_end(style: dict[str, Any], rule: str) -> None:
    counted = {**style, "total_records": "n"}
    with pytest.raises(ValueError, match=r'needs pagination\.stop: .*set stop = "empty"'):
        source(pagination=counted, total=rule)
    for ends in ({"stop": "empty"}, {"has_more": "more"}):
        assert source(pagination={**counted, **ends}, total=rule).total == rule
    assert source(pagination={"style": "page", "total_pages": "p", "total_records": "n"}, total=rule).total == rule


_AFTER = {"style": "cursor", "record": "who.mail"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"drop": ["who.mail"]}, "drops it"),
        ({"drop": ["who"]}, "drops it"),
        ({"hash": ["who.mail"], "salt": "env:S"}, "hashes it"),
        ({"hash": ["who"], "salt": "env:S"}, "hashes it"),
        ({"keep": ["id", "who.name", "who.mail.at"]}, "does not keep it"),
    ],
)
def test_a_cursor_that_does_not_land_as_it_is_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"pagination\.record is `who\.mail`, and `fields` {why}"):
        source(pagination=_AFTER, fields=fields)


@pytest.mark.parametrize("fields", [{"keep": ["who"]}, {"keep": ["who.mail"]}, {"drop": ["who.ma", "mail"]}])
def test_one_that_lands_is_not(fields: dict[str, Any]) -> None:
    assert source(pagination=_AFTER, fields=fields).fields is not None
