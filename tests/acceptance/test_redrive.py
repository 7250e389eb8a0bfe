"""A poison page, from its failure to the day it lands after all."""

from __future__ import annotations

import pytest

from tests.acceptance.command import DAY, Place
from tests.conftest import Proof
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, data_body, serve_api

TWO = """
[sources.orders]
url = "{url}/orders"
date_param = "date"
pagination = {{ style = "page", total_pages = "pages" }}
[sources.events]
url = "{url}/events"
date_param = "date"
"""


def healthy(asked: ApiRequest) -> bytes:
    return data_body([b'{"id":%d}' % asked.page] if asked.page <= 3 else [], pages=3)


def poisoned(asked: ApiRequest) -> ApiResponse:
    return ApiResponse(b"<html>") if asked.page == 2 else ApiResponse(healthy(asked))


def refused(asked: ApiRequest) -> ApiResponse:
    return ApiResponse(b"", 401) if asked.name == "events" else poisoned(asked)


def declared(option_a: Place, api: FakeApi) -> None:
    option_a.declare(TWO.format(url=api.url))


@pytest.mark.bar(5)
def test_after_the_api_is_mended_redrive_lands_everything(option_a: Place) -> None:
    with serve_api(poisoned) as api:
        declared(option_a, api)
        assert option_a("run", "--date", DAY).code == 1
        listing = option_a("dead")
        assert listing.out.count(DAY) >= 2
        assert "2 dead letters. When the cause is fixed: option-a redrive" in listing.out
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


POISONS = [
    ApiResponse(b"<html>"), ApiResponse(b'{"data":[{"id":1}'), ApiResponse(b'{"data":[{"id":"\xff"}]}'),
    ApiResponse(b'{"error":"quota"}'), ApiResponse(b""), *[ApiResponse(b"", status) for status in (401, 403, 404, 410)],
]  # fmt: skip


@pytest.mark.bar(5)
def test_one_redrive_lands_every_source_that_had_a_poison_page(option_a: Place, proof: Proof) -> None:
    every = [(page, poison) for page in (1, 2, 3) for poison in POISONS]
    poisons = dict(enumerate(proof.rng("sources").sample(every, proof.size(6, len(every)))))
    names = [f"{kind}-{number}" for number in poisons for kind in ("ill", "well")]

    def ill(asked: ApiRequest) -> bytes | ApiResponse:
        kind, _, number = asked.name.partition("-")
        page, poison = poisons[int(number)]
        return poison if kind == "ill" and asked.page == page else healthy(asked)

    with serve_api(ill) as api:
        table = '[sources.{0}]\nurl = "{1}/{0}"\ndate_param = "date"\npagination = {{ {2} }}\n'
        option_a.declare(
            "".join(table.format(name, api.url, 'style = "page", total_pages = "pages"') for name in names)
        )
        assert option_a("run", "--date", DAY).code == 1
        letters = option_a("dead", "--json").json()
        assert sorted(letter["source"] for letter in letters) == sorted(n for n in names if n.startswith("ill"))
        assert {letter["receives"] for letter in letters} == {1}
        assert [n for n in names if n.startswith("well") and len(option_a.lines(n)) != 3] == []
        api.pages = healthy
        assert option_a("redrive").code == 0
    landed = sum(option_a.lines(name) == [b'{"id":1}', b'{"id":2}', b'{"id":3}'] for name in names)
    assert option_a("dead").out == "0 dead letters\n"
    assert option_a("verify").code == 0
    proof.figure("poison pages", len(poisons))
    proof.figure("neighbours complete", len(poisons))
    proof.figure("landed after redrive", landed - len(poisons), least=len(poisons))


def test_redrive_of_an_api_that_is_still_ill_fails_again_and_keeps_the_letter(option_a: Place) -> None:
    with serve_api(poisoned) as api:
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
    with serve_api(refused) as api:
        declared(option_a, api)
        option_a("run", "--date", DAY)
        assert {letter["cause"]["kind"] for letter in option_a("dead", "--json").json()} == {"http", "body"}
        api.pages = healthy
        assert option_a("redrive", *arguments).code == 0
    assert {letter["source"] for letter in option_a("dead", "--json").json()} == left


def test_a_plain_run_tries_again_what_has_failed(option_a: Place) -> None:
    with serve_api(poisoned) as api:
        declared(option_a, api)
        option_a("run", "--date", DAY)
        api.pages = healthy
        assert option_a("run", "--date", DAY).code == 0
    assert option_a.lines("orders") == [b'{"id":1}', b'{"id":2}', b'{"id":3}']


def test_a_failed_load_leaves_the_day_before_it_untouched(option_a: Place) -> None:
    with serve_api(healthy) as api:
        declared(option_a, api)
        assert option_a("run", "--date", DAY).code == 0
        before = option_a.pages("orders")
        api.pages = poisoned
        assert option_a("run", "--date", DAY, "--fresh").code == 1
    assert option_a.pages("orders") == before
    assert option_a("verify").code == 0
    assert option_a("query", "SELECT count(*) AS n FROM orders", "--format", "csv").out == "n\n3\n"
