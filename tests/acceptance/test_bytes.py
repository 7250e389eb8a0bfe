"""Records land byte for byte, whatever is in them and however their pages follow each other."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from tests.acceptance.command import DAY, Place
from tests.conftest import Proof
from tests.support.apis.page_server import ApiRequest, data_body, serve_api

SOURCE = '[sources.odd]\nurl = "{url}/odd"\ndate_param = "date"\n{more}\n'
ODD = [
    b'{"n":123456789012345678901234567890}',
    b'{"n":1.10,"m":-0,"o":-0.0,"e":1E+2,"tiny":1e-400,"huge":1e400,"long":0.1000000000000000055511151231257827}',
    b'{"z":1,"a":2,"m":3,"":4}',
    b'{"id":1,"id":2,"id":1}',
    '{"name":"Łódź 東京 🛬","line":"\u2028\u2029","nul":"\\u0000","esc":"\\u00e9\\/\\b"}'.encode(),
    rb'{"lone":"\ud800","pair":"\ud83d\ude00"}',
    b'{"Id":1,"ID":2,"id":3}',
    b'{"source":"mine","ingestion_date":"never"}',
    b"{}",
    b'{"deep":' + b"[" * 60 + b"]" * 60 + b"}",
    b'{"text":"' + b"x" * 300_000 + b'"}',
    b'{"data":[1,2],"next":"http://elsewhere.example","quote":"\\"},{\\""}',
]


@pytest.mark.parametrize("together", [True, False], ids=["in one page", "each in its own"])
def test_odd_records_land_byte_for_byte(option_a: Place, together: bool) -> None:
    bodies = [ODD] if together else [[record] for record in ODD]
    with serve_api(lambda asked: data_body(bodies[asked.page - 1] if asked.page <= len(bodies) else [])) as api:
        option_a.declare(SOURCE.format(url=api.url, more=""))
        done = option_a("run", "--date", DAY)
    assert done.code == 0, done.err
    assert option_a.lines("odd") == ODD
    assert option_a("verify").code == 0


VERY_ODD = [
    b'{"id":1,"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", b'{"x":' * 20_000 + b"1" + b"}" * 20_000,
    rb'{"id":"\ud800","\ud800":1}', b'{"id":' + b"9" * 5_000 + b"}", b'{"":1}',
]  # fmt: skip


@pytest.mark.bar(9)
@pytest.mark.parametrize("record", VERY_ODD, ids=["a deep list", "a deep object", "a surrogate", "digits", "no name"])
def test_what_is_legal_and_very_odd_can_be_looked_at(option_a: Place, record: bytes, proof: Proof) -> None:
    with serve_api(lambda asked: b'{"data":[%b]}' % record) as api:
        option_a.declare(SOURCE.format(url=api.url, more='pagination = { style = "none" }'))
        for command in (["preview"], ["preview", "--json"], ["preview", "--columns"], ["doctor"]):
            done = option_a(*command, "odd", "--date", DAY)
            assert done.code == 0 or command == ["doctor"], done.err
        assert option_a("run", "--date", DAY).code == 0
    assert option_a.lines("odd") == [record]
    assert option_a("query", "SELECT record FROM raw", "--format", "csv").code == 0
    shown = option_a("query", "SELECT * FROM odd")
    assert shown.code == 0 or "SELECT record FROM raw" in shown.err
    proof.figure("tracebacks", 0, most=0)


def test_white_space_between_tokens_goes_and_inside_strings_stays(option_a: Place) -> None:
    body = b'\n{ "data" : [\r\n\t{ "a" : [ 1 , 2 ] ,\n "text" : " a : [ 1 , 2 ] " } ,\n\n { "b" : 1.10 } ] }\n'
    with serve_api(lambda asked: body if asked.page == 1 else data_body([])) as api:
        option_a.declare(SOURCE.format(url=api.url, more=""))
        assert option_a("run", "--date", DAY).code == 0
    assert option_a.lines("odd") == [b'{"a":[1,2],"text":" a : [ 1 , 2 ] "}', b'{"b":1.10}']


def test_a_body_that_is_the_list_itself_lands_too(option_a: Place) -> None:
    with serve_api(lambda asked: b"[" + (b",".join(ODD) if asked.page == 1 else b"") + b"]") as api:
        option_a.declare(SOURCE.format(url=api.url, more=""))
        assert option_a("run", "--date", DAY).code == 0
    assert option_a.lines("odd") == ODD


NEXT = {
    "next": ('path = "next"', b'"next":"%s"', b'"next":null'),
    "dotted": ('path = "links.next"', b'"links":{"next":"%s"}', b'"links":{"next":null}'),
    "missing": ('path = "@odata.nextLink", stop = "missing"', b'"@odata.nextLink":"%s"', b'"n":1'),
}
"""A table's keys, what a page says that has a next one, and what the last page says."""


@pytest.mark.parametrize("style", NEXT)
@pytest.mark.parametrize("absolute", [True, False], ids=["absolute", "relative"])
def test_next_urls_are_followed_to_their_end(option_a: Place, style: str, absolute: bool) -> None:
    """The last page is known by its own word, so that the pages asked for are just those there are."""
    keys, more, last = NEXT[style]
    prefix = ""

    def pages(asked: ApiRequest) -> bytes:
        number = int(asked.query.get("cursor", "1"))
        following = more % f"{prefix}?date={DAY}&cursor={number + 1}".encode() if number < 4 else last
        return b'{"data":[{"n":%d}],%s}' % (number, following)

    with serve_api(pages) as api:
        prefix = f"{api.url}/odd" if absolute else ""
        option_a.declare(SOURCE.format(url=api.url, more=f'pagination = {{ style = "next_url", {keys} }}'))
        done = option_a("run", "--date", DAY)
        assert done.code == 0, done.err
        assert [asked.query.get("cursor") for asked in api.asked] == [None, "2", "3", "4"]
    assert option_a.lines("odd") == [b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":4}']


def test_a_next_url_that_leads_to_another_host_is_not_followed(option_a: Place) -> None:
    with serve_api(lambda asked: data_body([])) as other:
        next_url = json.dumps(f"{other.url}/odd").encode()
        with serve_api(lambda asked: b'{"data":[{"n":1}],"next":' + next_url + b"}") as api:
            option_a.declare(SOURCE.format(url=api.url, more='pagination = { style = "next_url" }'))
            done = option_a("run", "--date", DAY)
        assert other.asked == []
    assert done.code == 1
    assert f"error: odd {DAY} page 1: the next url leads to another host" in done.err


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pages_of_any_shape_land_once_each_and_in_their_order(option_a: Place, seed: int) -> None:
    """Empty pages among full ones are legal where the API declares how many there are."""
    rng = random.Random(seed)
    numbers = iter(range(10_000))
    sizes = [rng.choice((0, 1, 7, 200)) for _ in range(23)]
    pages = [[b'{"id":%d,"x":%s}' % (next(numbers), _number(rng)) for _ in range(size)] for size in sizes]
    with serve_api(lambda asked: data_body(pages[asked.page - 1], pages=23)) as api:
        option_a.declare(SOURCE.format(url=api.url, more='pagination = { style = "page", total_pages = "pages" }'))
        done = option_a("run", "--date", DAY, "--json")
        assert done.code == 0, done.err
        assert sorted(asked.page for asked in api.asked) == list(range(1, 24))
    found = {page: gzip.decompress(data) for page, data in option_a.pages("odd").items()}
    assert found == {n: b"\n".join([*page, b""]) for n, page in enumerate(pages, 1) if page}
    (row,) = done.json()["partitions"]
    assert row["records"] == sum(map(len, pages))


def _number(rng: random.Random) -> bytes:
    long = b"%d" % rng.getrandbits(rng.randrange(1, 120))
    return rng.choice([long, repr(rng.random()).encode(), b"1.10", b"-0", b"1E5"])
