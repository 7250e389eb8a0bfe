"""Credentials from end to end: a real command, a real server, and no trace of a secret in any file or output."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.acceptance.command import DAY, Done, Place
from tests.support.apis.http_server import Exchange, Server, reply

SECRET = "q7Rz9KfW2mXc"
TOKEN = "tok-5f3a9b1c7e"
PAGES = 3
OAUTH = """
auth = {{ style = "oauth2", token_url = "{url}/token", client_id = "us", client_secret = "env:ETL", scope = "r" }}
pagination = {{ style = "link" }}
"""
KEY = """
auth = {{ style = "api_key", key = "env:ETL", param = "key" }}
headers = {{ X-Org = "env:ORG" }}
pagination = {{ style = "next_url" }}
"""
POST = """
headers = {{ Authorization = "env:ETL" }}
method = "POST"
body = {{ day = "{{date}}", at = "{{cursor}}" }}
pagination = {{ style = "cursor", path = "next" }}
"""


def page_of(number: int, url: str | None) -> bytes:
    """Page n, which leads on in its body and in its headers, and repeats what it was asked."""
    more = url if number < PAGES else None
    body = json.dumps({"data": [{"n": number}], "next": more}).encode()
    return reply(body, 200, {"Link": f"<{more}>; rel=next"} if more else {})


def oauth(exchange: Exchange) -> bytes:
    if exchange.target == "/token":
        form = {name: values[0] for name, values in parse_qs(exchange.body.decode()).items()}
        known = (form["client_id"], form["client_secret"], form["scope"]) == ("us", SECRET, "r")
        answer = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 60} if known else {"error": SECRET}
        return reply(json.dumps(answer).encode(), 200 if known else 401)
    if exchange.headers.get("authorization") != f"Bearer {TOKEN}":
        return reply(b"no: " + exchange.headers.get("authorization", "").encode(), 401)
    query = parse_qs(urlsplit(exchange.target).query)
    number = int(query.get("p", ["1"])[0])
    return page_of(number, f"/orders?p={number + 1}")


def key(exchange: Exchange) -> bytes:
    query = parse_qs(urlsplit(exchange.target).query)
    if query.get("key") != [SECRET] or exchange.headers.get("x-org") != "acme-org":
        return reply(exchange.target.encode(), 403)
    number = int(query.get("p", ["1"])[0])
    return page_of(number, f"/orders?p={number + 1}&key={SECRET}")


def post(exchange: Exchange) -> bytes:
    if exchange.method != "POST" or exchange.headers.get("authorization") != SECRET:
        return reply(exchange.headers.get("authorization", "").encode(), 403)
    asked = json.loads(exchange.body)
    number = asked.get("at", 1)
    following = number + 1 if number < PAGES else None
    return reply(json.dumps({"data": [{"n": number, "day": asked["day"]}], "next": following}).encode())


WAYS = {"oauth2": (OAUTH, oauth), "a key in the query": (KEY, key), "a header of a POST": (POST, post)}


def assert_no_trace(option_a: Place, *done: Done) -> None:
    """In no file of the folder, nor in what was printed."""
    for secret in (SECRET, TOKEN):
        for one in done:
            assert secret not in one.out + one.err
        for path in option_a.folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def looks(option_a: Place) -> list[Done]:
    return [
        option_a("preview", "orders", "--date", DAY, ETL=SECRET, ORG="acme-org"),
        option_a("preview", "orders", "--date", DAY, "--json", ETL=SECRET, ORG="acme-org"),
        option_a("check", "--json"),
        option_a("logs", "orders", DAY),
        option_a("logs", "orders", DAY, "--json"),
        option_a("status", "--json"),
        option_a("dead", "--json"),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_every_page_lands_and_no_secret_does(way: str, option_a: Place) -> None:
    table, answer = WAYS[way]
    with Server(lambda exchange: exchange.send(answer(exchange))) as server:
        head = f'[sources.orders]\nurl = "{server.url}/orders"\n' + (
            "" if way.endswith("POST") else 'date_param = "d"\n'
        )
        option_a.declare(head + table.format(url=server.url))
        done = option_a("run", "--date", DAY, "--json", ETL=SECRET, ORG="acme-org")
        seen = looks(option_a)
    assert done.code == 0, done.err
    assert [json.loads(line)["n"] for line in option_a.lines("orders")] == [1, 2, 3]
    assert [one.code for one in seen[:4]] == [0, 0, 0, 0], [one.err for one in seen]
    assert_no_trace(option_a, done, *seen)
    if way == "oauth2":
        assert server.targets.count("/token") == 3  # the run, and two previews


@pytest.mark.parametrize("way", WAYS)
def test_where_they_are_refused_the_cause_is_told_and_no_secret_is(way: str, option_a: Place) -> None:
    table, answer = WAYS[way]
    wrong = SECRET[::-1]

    def behave(exchange: Exchange) -> None:
        exchange.send(answer(exchange))

    with Server(behave) as server:
        head = f'[sources.orders]\nurl = "{server.url}/orders"\n' + (
            "" if way.endswith("POST") else 'date_param = "d"\n'
        )
        option_a.declare(head + table.format(url=server.url))
        done = option_a("run", "--date", DAY, ETL=wrong, ORG="acme-org")
        seen = [done, *looks(option_a)[3:]]
    assert done.code == 1
    assert ("no token from 127.0.0.1: the API answered 401" if way == "oauth2" else "answered 403") in done.err
    for one in seen:
        assert wrong not in one.out + one.err
    for path in option_a.folder.rglob("*"):
        assert not path.is_file() or wrong.encode() not in path.read_bytes(), path
