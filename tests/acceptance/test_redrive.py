"""A poison page, from its failure to the day it lands after all."""

from __future__ import annotations

import pytest

from tests.acceptance.command import DAY, Place
from tests.support.api import Answer, Api, Asked, listed, serving

TWO = """
[sources.orders]
url = "{url}/orders"
date_param = "date"
pagination = {{ style = "page", total_pages = "pages" }}
[sources.events]
url = "{url}/events"
date_param = "date"
"""


def healthy(asked: Asked) -> bytes:
    return listed([b'{"id":%d}' % asked.page] if asked.page <= 3 else [], pages=3)


def poisoned(asked: Asked) -> Answer:
    return Answer(b"<html>") if asked.page == 2 else Answer(healthy(asked))


def refused(asked: Asked) -> Answer:
    return Answer(b"", 401) if asked.name == "events" else poisoned(asked)


def declared(option_a: Place, api: Api) -> None:
    option_a.declare(TWO.format(url=api.url))


def test_after_the_api_is_mended_redrive_lands_everything(option_a: Place) -> None:
    with serving(poisoned) as api:
        declared(option_a, api)
        assert option_a("run", "--date", DAY).code == 1
        listing = option_a("dead")
        assert listing.out.count(DAY) >= 2
        assert "2 dead letters. When the cause is mended: option-a redrive" in listing.out
        api.pages = healthy
        api.asked.clear()
        done = option_a("redrive")
        assert done.code == 0, done.err
        assert 1 not in {asked.page for asked in api.asked if asked.name == "orders"}, "what had landed stays"
    for name in ("orders", "events"):
        assert option_a.lines(name) == [b'{"id":1}', b'{"id":2}', b'{"id":3}']
    assert option_a("dead").out == "0 dead letters\n"
    assert option_a("verify").code == 0
    assert option_a("redrive").out == "Nothing to do.\n"


def test_redrive_of_an_api_that_is_still_ill_fails_again_and_keeps_the_letter(option_a: Place) -> None:
    with serving(poisoned) as api:
        declared(option_a, api)
        option_a("run", "--date", DAY)
        done = option_a("redrive")
    assert done.code == 1
    assert f"error: orders {DAY} page 2: " in done.err
    assert len(option_a("dead", "--json").json()) == 2


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (("orders",), {"events"}),
        (("--cause", "http"), {"orders"}),
        (("--cause", "body"), {"events"}),
        (("--date", DAY), set()),
        (("--date", "2024-05-02"), {"orders", "events"}),
        (("events", "--cause", "body"), {"orders", "events"}),
    ],
    ids=lambda value: " ".join(sorted(value)) or "none",
)
def test_redrive_sends_just_what_fits_the_wishes(option_a: Place, arguments: tuple[str, ...], left: set[str]) -> None:
    with serving(refused) as api:
        declared(option_a, api)
        option_a("run", "--date", DAY)
        assert {letter["cause"]["kind"] for letter in option_a("dead", "--json").json()} == {"http", "body"}
        api.pages = healthy
        assert option_a("redrive", *arguments).code == 0
    assert {letter["source"] for letter in option_a("dead", "--json").json()} == left


def test_a_plain_run_tries_again_what_has_failed(option_a: Place) -> None:
    with serving(poisoned) as api:
        declared(option_a, api)
        option_a("run", "--date", DAY)
        api.pages = healthy
        assert option_a("run", "--date", DAY).code == 0
    assert option_a.lines("orders") == [b'{"id":1}', b'{"id":2}', b'{"id":3}']


def test_a_failed_load_leaves_the_day_before_it_untouched(option_a: Place) -> None:
    with serving(healthy) as api:
        declared(option_a, api)
        assert option_a("run", "--date", DAY).code == 0
        before = option_a.pages("orders")
        api.pages = poisoned
        assert option_a("run", "--date", DAY, "--fresh").code == 1
    assert option_a.pages("orders") == before
    assert option_a("verify").code == 0
    assert option_a("query", "SELECT count(*) AS n FROM orders", "--format", "csv").out == "n\n3\n"
