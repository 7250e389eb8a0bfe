"""How a page is asked for: fixed parameters, headers and bodies, the date, and the position."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.body_template import SLOTS, fill_template, set_path, template_slots
from option_a.ingest.config.source import Source
from option_a.ingest.http.request import build_request
from option_a.ingest.ports import Request
from option_a.ingest.task import Task
from tests.support.pipeline import RUN, source

SPAN = {"from": "a", "to": "b"}
TASK = Task("s", dt.date(2026, 11, 23), RUN)


def asked(page: int = 1, cursor: Any = None, **fields: Any) -> Request:
    return build_request(source(**fields), TASK, page, cursor)


def body(page: int = 1, cursor: Any = None, **fields: Any) -> Any:
    request = asked(page, cursor, **{"method": "POST", "date_param": None, **fields})
    assert (request.method, request.headers["Content-Type"]) == ("POST", "application/json")
    return json.loads(request.body or b"")


def test_a_get_has_its_parameters_its_date_and_its_position() -> None:
    request = asked(3, params={"a": True}, headers={"X-Org": "acme"})
    assert request.params == {"a": "true", "date": "2026-11-23", "page": "3"}
    assert (request.method, request.body, request.headers) == ("GET", None, {"X-Org": "acme"})


def test_the_apis_own_url_is_asked_as_it_is() -> None:
    request = asked(2, "https://api.test/s?c=2", pagination={"style": "next_url"}, params={"a": 1}, headers={"X": "y"})
    assert (request.url, request.params, request.headers) == ("https://api.test/s?c=2", {}, {"X": "y"})


def test_a_body_is_filled_in_and_what_has_no_value_yet_is_left_out() -> None:
    table = {"q": {"day": "{date}", "label": "day {date} of {page}"}, "page": "{page}", "n": [1, "{page}", {"x": 1.5}]}
    assert body(7, body=table) == {
        "q": {"day": "2026-11-23", "label": "day 2026-11-23 of 7"}, "page": 7, "n": [1, 7, {"x": 1.5}],
    }  # fmt: skip
    chain: dict[str, Any] = {
        "body": {"at": {"c": "{cursor}"}, "all": ["{cursor}"]},
        "pagination": {"style": "cursor", "path": "n"},
    }
    assert body(**chain) == {"at": {}, "all": []}
    assert body(2, [1, "b"], **chain) == {"at": {"c": [1, "b"]}, "all": [[1, "b"]]}


def test_a_position_that_the_body_names_is_not_sent_twice() -> None:
    request = asked(2, method="POST", date_param=None, body={"p": "{page}"})
    assert request.params == {}
    assert asked(2, method="POST", date_param=None, body={"p": 1}).params == {"page": "2"}


def test_a_position_may_be_set_in_a_body_that_does_not_name_it() -> None:
    paged = {"style": "offset", "size": 50, "send": "body", "param": "paging.offset", "size_param": "paging.limit"}
    table = {"paging": {"sort": "id"}}
    assert body(3, body=table, pagination=paged) == {"paging": {"sort": "id", "offset": 100, "limit": 50}}
    assert body(3, pagination=paged) == {"paging": {"offset": 100, "limit": 50}}
    assert table == {"paging": {"sort": "id"}}


def test_a_date_is_spelt_as_the_api_wants_it_and_keeps_its_type_in_a_body() -> None:
    assert asked(date_format="%d/%m/%Y").params["date"] == "23/11/2026"
    assert asked(date_format="unix").params["date"] == "1795392000"
    assert body(date_format="unix_ms", body={"d": "{date}", "t": "at {date}"}) == {
        "d": 1_795_392_000_000, "t": "at 1795392000000",
    }  # fmt: skip


def test_a_window_has_two_parameters_or_two_slots_or_both() -> None:
    window = {"from": "since", "to": "until", "format": "date"}
    assert asked(date_param=None, window=window).params == {"since": "2026-11-23", "until": "2026-11-24", "page": "1"}
    slotted: dict[str, Any] = {"body": {"f": "{from}", "t": "{to}"}, "window": {"format": "unix"}}
    assert body(**slotted) == {"f": 1_795_392_000, "t": 1_795_478_400}


def test_a_content_type_of_its_own_stays() -> None:
    request = asked(method="POST", body={"a": 1}, headers={"Content-Type": "application/vnd.x+json"})
    assert request.headers == {"Content-Type": "application/vnd.x+json"}


def test_what_is_sent_along_is_not_shown() -> None:
    request = msgspec.structs.replace(asked(), credentials={"key": "k3y"}, headers={"a": "k3y"}, body=b"k3y")
    assert "k3y" not in repr(request)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"body": {"a": 1}}, '`body` needs method = "POST"'),
        ({"method": "PUT"}, "Invalid enum value"),
        ({"method": "POST", "body": {"p": "{offset}"}}, r"`body` names \{offset\}, and it is not what `pagination`"),
        ({"method": "POST", "body": {"p": ["{to}"]}}, r"`body` names \{to\}, and `window` is not declared"),
        ({"window": {"from": "a"}}, r"`window` needs `to`: the parameter, unless the body names \{to\}"),
        ({"window": {}}, "`window` needs `from`"),
        ({"pagination": {"style": "page", "send": "header", "param": "a b"}}, "not a valid header name"),
        ({"pagination": {"style": "page", "send": "body"}}, 'send = "body" needs method = "POST"'),
        ({"date_param": "d", "window": SPAN}, "are mutually exclusive"),
        ({"date_param": None, "lookback": 1}, "`lookback` needs `date_param`"),
        ({"lookback": -1}, ">= 0"),
        ({"date_format": "iso8601"}, "`date_format` 'iso8601' is not a valid format: write unix, unix_ms"),
        ({"date_format": "%s"}, "`date_format` '%s' is not a valid format"),
        ({"headers": {"Host": "x"}}, "the header Host is set by option-a itself"),
        ({"headers": {"a b": "x"}}, "not a valid header name"),
        ({"headers": {"X-A": "a\nb"}}, "no header may"),
    ],
)
def test_a_request_that_cannot_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        source(**{"date_param": None, **fields})


def test_a_body_that_names_the_date_is_dated() -> None:
    assert not source(method="POST", date_param=None, body={"d": "{date}"}, since="2026-01-01").snapshot
    assert not source(date_param=None, window=SPAN).snapshot
    assert source(method="POST", date_param=None, body={"d": 1}).snapshot


def test_what_decides_which_records_come_is_part_of_the_fingerprint() -> None:
    changes: list[dict[str, Any]] = [
        {}, {"method": "POST"}, {"method": "POST", "body": {"a": 1}}, {"headers": {"X-Org": "a"}},
        {"date_format": "unix"}, {"date_param": None, "window": SPAN}, {"date_param": None},
    ]  # fmt: skip
    assert len({source(**change).fingerprint for change in changes}) == len(changes)
    assert source(lookback=3).fingerprint == source().fingerprint


names = st.sampled_from(SLOTS)
leaves = st.none() | st.booleans() | st.integers() | st.text("ab{}", max_size=5) | names.map("{{{}}}".format)
templates = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner))


@given(templates, st.dictionaries(names, st.integers()))
def test_whatever_a_body_holds_its_slots_are_filled_and_nothing_else_changes(
    table: Any, values: dict[str, int]
) -> None:
    if not isinstance(table, dict):
        table = {"it": table}
    filled = fill_template(table, values)
    assert template_slots(filled) & values.keys() == set()
    assert template_slots(filled) == set()
    if not template_slots(table):
        assert filled == table


def test_a_path_is_made_where_there_is_none() -> None:
    table: dict[str, Any] = {"a": 1, "b": {"c": 2}}
    set_path(table, "a.x", 3)
    set_path(table, "b.d", 4)
    assert table == {"a": {"x": 3}, "b": {"c": 2, "d": 4}}


def shown(text: str) -> Source:
    return msgspec.convert({"name": "s", "url": "https://api.test/s", "method": "POST", "body": {"q": text}}, Source)


@pytest.mark.parametrize("text", ["query { orders { id page } }", "{ date }", "{id}", "{{}}"])
def test_braces_that_are_no_slot_stay(text: str) -> None:
    assert json.loads(build_request(shown(text), TASK, 1, None).body or b"") == {"q": text}
