"""Sources that are broken, each in its own way: what is printed of them is what docs/messages.md explains."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.acceptance.command import DAY, Done, Place
from tests.support.apis.http_server import Exchange, Server, reply, until_close
from tests.support.apis.page_server import data_body
from tests.support.documents.messages import message_rows
from tests.support.documents.transcript import MESSAGES

ROWS = message_rows(MESSAGES)
PAGED = 'pagination = { style = "page", total_pages = "pages", total_records = "total" }'
NEXT = 'pagination = { style = "next_url", path = "next" }'
CURSOR = 'pagination = { style = "cursor", path = "next" }'
Behaviour = Callable[[Exchange, int], object]
"""What answers an exchange that asks for a page."""


class Way(NamedTuple):
    """How a source is broken, and the message of the table that says so."""

    kind: str
    message: str
    answer: Behaviour
    table: str = PAGED
    mended: str = PAGED


def page(number: int, *, pages: int = 3, total: int = 3) -> bytes:
    return data_body([b'{"id":%d}' % number] if number <= pages else [], pages=pages, total=total)


def healthy(exchange: Exchange, number: int) -> None:
    exchange.send(reply(page(number)))


def status(code: int, **headers: str) -> Behaviour:
    return lambda exchange, number: exchange.send(reply(b"{}", code, headers))


def body(data: bytes) -> Behaviour:
    return lambda exchange, number: exchange.send(reply(data))


def cut(exchange: Exchange, number: int) -> None:
    exchange.send(until_close(page(number), {"Content-Length": "999"}))
    exchange.close()


def longer(exchange: Exchange, number: int) -> None:
    exchange.send(reply(page(number, total=4)))


NOBODY = "http://127.0.0.1:1"
"""Stands for an address that nobody listens to."""
HASTY = f'patience = "1s"\n{PAGED}'
LATE = "…, for longer than the patience of …"
NO_TOKEN = 'auth = { style = "bearer", token = "env:NO" }'
WAYS = {
    "key": Way("http", "the API answered 401", status(401)),
    "right": Way("http", "the API answered 403", status(403)),
    "moved": Way("http", "the API answered 404", status(404)),
    "wrong": Way("http", "the API answered …", status(422)),
    "elsewhere": Way("http", "refused a redirect to …", status(302, Location="https://elsewhere.example/orders")),
    "private": Way("address", "refused to connect to …", healthy, 'url = "http://169.254.169.254/orders"\n' + PAGED),
    "html": Way("body", "the body is not …", body(b"<html>Sign in</html>")),
    "shape": Way("body", "no records at …", body(b'{"rows":[]}'), f'records = "data"\n{PAGED}'),
    "numbers": Way("body", "record …", body(b'{"data":[1],"pages":1,"total":1}')),
    "huge": Way("body", "the body is larger than … bytes", healthy, f"max_body = 10\n{PAGED}"),
    "repeated": Way("pagination", "page … repeats page …", body(page(1))),
    "endless": Way("pagination", "no end after … pages", healthy, "max_pages = 2\npagination = { style = 'page' }"),
    "number": Way("pagination", "`…` …", body(b'{"data":[{"id":1}]}')),
    "next": Way("pagination", "the body has no …", body(b'{"data":[{"id":1}]}'), NEXT),
    "cursor": Way("pagination", "… is not there, so nothing says …", body(b'{"data":[{"id":1}]}'), CURSOR),
    "total": Way("total", "… records landed, the API declares …", longer),
    "limited": Way("patience", LATE, status(429), HASTY),
    "down": Way("patience", LATE, status(503), HASTY),
    "cut": Way("patience", LATE, cut, HASTY),
    "closed": Way("patience", LATE, healthy, f'url = "{NOBODY}/closed"\n{HASTY}'),
    "secret": Way(
        "secret", "the environment has no …", healthy, f'{PAGED}\nauth = {{ style = "bearer", token = "env:NO" }}'
    ),
}


def declared(url: str, *, mended: bool) -> str:
    tables = {name: way.mended if mended else way.table for name, way in WAYS.items()}
    return "".join(
        f'[sources.{name}]\ndate_param = "date"\n{table}\n' + ("" if "url =" in table else f'url = "{url}/{name}"\n')
        for name, table in tables.items()
    )


class Night(NamedTuple):
    """A run in which everything failed, what was seen after it, and what came of it once it was mended."""

    run: Done
    letters: Done
    status: Done
    redrive: Done
    verify: Done


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    ill = {name: way.answer for name, way in WAYS.items()}

    def answer(exchange: Exchange) -> None:
        parts = urlsplit(exchange.target)
        ill.get(parts.path.strip("/"), healthy)(exchange, int(parse_qs(parts.query).get("page", ["1"])[0]))

    with ExitStack() as held:
        server = held.enter_context(Server(answer))
        option_a = Place(tmp_path_factory.mktemp("night"))
        unheard = held.enter_context(closing(socket.socket()))
        unheard.bind(("127.0.0.1", 0))
        text = declared(server.url, mended=False)
        option_a.declare(text.replace(NOBODY, f"http://127.0.0.1:{unheard.getsockname()[1]}"))
        run = option_a("run", "--date", DAY, "--workers", "32")
        letters, seen = option_a("dead", "--json"), option_a("status", "--json")
        ill.clear()
        option_a.declare(declared(server.url, mended=True))
        for breaker in (option_a.lake / "control").rglob("breaker.json"):
            breaker.unlink()
        return Night(run, letters, seen, option_a("redrive", "--workers", "32"), option_a("verify"))


@pytest.mark.parametrize("name", WAYS)
def test_what_is_printed_of_a_broken_source_is_what_the_messages_explain(name: str, night: Night) -> None:
    way, place = WAYS[name], f"error: {name} {DAY}"
    (line,) = [line for line in night.run.err.splitlines() if line.startswith(place)]
    (letter,) = [one for one in night.letters.json() if one["source"] == name]
    (row,) = [one for one in night.status.json()["partitions"] if one["source"] == name and one["date"] == DAY]
    assert letter["cause"]["kind"] == row["cause_kind"] == way.kind
    assert f"error: {row['cause']}" == f"error: {letter['cause']['message']}" == line
    told = [one for entry in ROWS for one in entry.matches(way.kind, words(line))]
    assert way.message in told, (line, told)


def words(line: str) -> str:
    """The message of a line, less its place before it and its hint behind it."""
    return line.partition(": ")[2].partition(": ")[2].partition(" (")[0]


def test_of_sources_that_are_down_status_shows_until_when_they_are_not_asked(night: Night) -> None:
    shown = {one["source"]: one["why"] for one in night.status.json()["breakers"]}
    assert shown.keys() == {name for name, way in WAYS.items() if way.kind == "patience"}
    assert (shown["limited"], shown["down"]) == ("the API answered 429", "the API answered 503")


def test_all_of_them_land_once_they_are_mended_and_redriven(night: Night) -> None:
    assert night.run.code == 1
    assert night.redrive.code == 0, night.redrive.err
    assert f"{len(WAYS)} partitions, {3 * len(WAYS)} pages, {3 * len(WAYS)} records" in night.redrive.out
    assert "all as the manifest has it" in night.verify.out
