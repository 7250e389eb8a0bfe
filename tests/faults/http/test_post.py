"""POST, headers and credentials over the wire: what a real server receives."""

from __future__ import annotations

import json
import logging

import pytest

from option_a.ingest.errors import HttpError
from option_a.ingest.http.auth import Authenticated
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.ports import Request, Response
from option_a.ingest.secrets import Reference
from tests.support.apis.http_server import ConnectionBehaviour, Exchange, Server, reply
from tests.support.clock import FakeClock
from tests.support.pipeline import source

BODY = b'{"q": "\xc4\x85"}'
JSON = {"Content-Type": "application/json"}


def conversation(behaviour: ConnectionBehaviour, request: Request) -> tuple[Response, list[Exchange]]:
    """One request to a server that behaves so, and what reached it."""
    seen: list[Exchange] = []

    def behave(exchange: Exchange) -> None:
        seen.append(exchange)
        behaviour(exchange)

    with Server(behave) as server:
        url = server.url + request.url
        made = Request(
            "s", url, request.params, 20.0, 2**20, request.headers, request.method, request.body, request.credentials
        )
        return HttpFetch(FakeClock())(made), seen


def ok(exchange: Exchange) -> None:
    exchange.send(reply(b"{}"))


def test_a_body_reaches_the_server_as_it_is() -> None:
    _, (seen,) = conversation(ok, Request("s", "/q", {"a": "1"}, headers=JSON, method="POST", body=BODY))
    assert (seen.method, seen.target, seen.body) == ("POST", "/q?a=1", BODY)
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["accept", "Accept", "USER-AGENT"])
def test_a_header_of_the_sources_own_takes_the_place_of_ours(name: str) -> None:
    _, (seen,) = conversation(ok, Request("s", "/", headers={name: "theirs"}))
    assert seen.headers[name.lower()] == "theirs"
    assert sum(line.lower().startswith(name.lower() + ":") for line in seen.lines) == 1


@pytest.mark.parametrize(("status", "method", "body"), [(307, "POST", BODY), (308, "POST", BODY), (303, "GET", b"")])
def test_a_redirect_carries_the_body_along_but_for_see_other(status: int, method: str, body: bytes) -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.target == "/a":
            exchange.send(reply(b"", status, {"Location": "/b"}))
        else:
            ok(exchange)

    _, seen = conversation(behave, Request("s", "/a", headers=JSON, method="POST", body=BODY))
    assert [(one.method, one.body) for one in seen] == [("POST", BODY), (method, body)]


def test_several_headers_of_one_name_are_one() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLink: </a>; rel=prev\r\nLink: </b>; rel=next\r\n\r\n{}")

    response, _ = conversation(behave, Request("s", "/"))
    assert response.headers["link"] == "</a>; rel=prev, </b>; rel=next"


def test_a_key_in_the_query_reaches_the_server_and_neither_an_error_nor_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keyed = source(auth={"style": "api_key", "key": "env:K", "param": "key"})

    def secret(wanted: Reference) -> str:
        return "s3cr&t k"

    def behave(exchange: Exchange) -> None:
        exchange.send(reply(json.dumps({"asked": exchange.target}).encode(), 403))

    fetch = Authenticated(HttpFetch(FakeClock()), {"s": keyed}, secret, FakeClock())
    with Server(behave) as server, pytest.raises(HttpError) as caught:
        fetch(Request("s", server.url + "/s?a=1", {"page": "2"}))
    assert server.targets == ["/s?a=1&page=2&key=s3cr%26t+k"]
    assert "s3cr" not in str(caught.value) + caplog.text
    assert caught.value.body == b'{"asked": "/s?a=1&page=2&key=***"}'
