"""An API that misbehaves on page 2 of 3 until it is repaired, for tests/faults/load/test_hostile.py.

`HOSTILE_CASES` also says how a worker must end.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from email.utils import formatdate
from functools import cache
from urllib.parse import parse_qs, urlsplit

from tests.support.apis.failing_page import LOGIN_PAGE, Failure
from tests.support.apis.http_server import Exchange, RequestHandler, encoded, reply, until_close

TIMEOUT = 1.0
"""Seconds that the source allows a request."""
MAX_BODY = 4 * 2**20
PAGES = 3
TOKEN = "fresh"


def body(page: int, value: bytes = b'"a"') -> bytes:
    """A correct page whose last value is any bytes."""
    return b'{"total_pages":%d,"data":[{"id":%d,"value":%b}]}' % (PAGES, page, value)


def always(data: bytes, *, close: bool = False) -> RequestHandler:
    """Answer every request with the same bytes."""

    def act(exchange: Exchange, n: int) -> None:
        exchange.send(data)
        if close:
            exchange.close()

    return act


def first_times(times: int, act: RequestHandler) -> RequestHandler:
    """Misbehave this many times, then answer correctly."""
    return lambda exchange, n: act(exchange, n) if n <= times else exchange.send(reply(body(2)))


def status(code: int, headers: Mapping[str, str] = {}) -> RequestHandler:
    return always(reply(b"{}", code, headers))


def reset(exchange: Exchange, n: int) -> None:
    exchange.send(reply(body(2))[:-9])
    exchange.reset()


def drip(exchange: Exchange, n: int) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    exchange.drip(b" ", threading.Event())


def endless(piece: bytes) -> RequestHandler:
    def act(exchange: Exchange, n: int) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            exchange.send(piece)

    return act


def headers_without_end(exchange: Exchange, n: int) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        exchange.send(b"X-More: 1\r\n" * 1_000)


def skewed(exchange: Exchange, n: int) -> None:
    """A server whose clock is a day ahead."""
    theirs = time.time() + 86_400
    dates = {"Date": formatdate(theirs, usegmt=True), "Retry-After": formatdate(theirs + 3, usegmt=True)}
    exchange.send(reply(b"", 503, dates))


def requires_token(token: str) -> RequestHandler:
    def act(exchange: Exchange, n: int) -> None:
        good = exchange.headers.get("authorization") == f"Bearer {token}"
        exchange.send(reply(body(2)) if good else reply(b"{}", 401))

    return act


@cache
def zeros() -> bytes:
    """200 MB of zeros, compressed once so that a busy machine does not answer late."""
    return gzip.compress(bytes(200 * 2**20), 1)


def bomb(exchange: Exchange, n: int) -> None:
    exchange.send(encoded(zeros(), "gzip"))


CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

HOSTILE_CASES: dict[str, Failure] = {
    "429 storm": Failure(first_times(7, status(429))),
    "429 storm with Retry-After": Failure(first_times(7, status(429, {"Retry-After": "2"}))),
    "429 for two minutes": Failure(first_times(1, status(429, {"Retry-After": "120"}))),
    "429 forever": Failure(status(429), "patience", "the API answered 429"),
    "429 with nonsense in Retry-After": Failure(first_times(3, status(429, {"Retry-After": "-1, soon"}))),
    "403 for a rate limit": Failure(
        first_times(2, status(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3"}))
    ),
    "503 flapping": Failure(lambda exchange, n: exchange.send(reply(body(2), 503 if n % 3 else 200))),
    "503 forever": Failure(status(503), "patience", "the API answered 503"),
    "503, its clock a day ahead": Failure(first_times(2, skewed)),
    "reset in the body": Failure(first_times(2, reset)),
    "body cut": Failure(first_times(2, always(reply(body(2))[:-9], close=True))),
    "body cut, until close": Failure(always(until_close(body(2)[:-9]), close=True), "body", "page 2"),
    "Content-Length too small": Failure(always(reply(body(2), headers={"Content-Length": "9"}), close=True), "body"),
    "Content-Length too large": Failure(
        first_times(1, always(reply(body(2), headers={"Content-Length": "999"}), close=True))
    ),
    "slow drip": Failure(first_times(1, drip)),
    "slow drip forever": Failure(drip, "patience", "no complete answer within 1 s"),
    "chunks without end": Failure(endless(CHUNK), "body", "larger than"),
    "headers without end": Failure(first_times(1, headers_without_end)),
    "no HTTP": Failure(first_times(2, always(b"SSH-2.0-OpenSSH\r\n", close=True))),
    "gzip bomb": Failure(bomb, "body", "larger than"),
    "gzip cut": Failure(first_times(2, always(encoded(gzip.compress(body(2))[:-9], "gzip")))),
    "invalid gzip": Failure(always(encoded(body(2), "gzip")), "body", "not gzip"),
    "an encoding that was not requested": Failure(always(encoded(body(2), "compress")), "body", "compress"),
    "HTML": Failure(always(reply(LOGIN_PAGE)), "body", "HTML"),
    "an empty body": Failure(always(reply(b"")), "body", "empty body"),
    "204": Failure(always(b"HTTP/1.1 204 No Content\r\n\r\n"), "body"),
    "a byte order mark": Failure(always(reply(b"\xef\xbb\xbf" + body(2)))),
    "UTF-16": Failure(always(reply(body(2).decode().encode("utf-16"))), "body"),
    "invalid UTF-8": Failure(always(reply(body(2, b'"\xff"'))), "body"),
    "lone surrogates": Failure(always(reply(body(2, b'"\\ud800"')))),
    "deep nesting": Failure(always(reply(body(2, b"[" * 100_000 + b"]" * 100_000)))),
    "nesting that does not end": Failure(always(reply(b'{"data":' + b"[" * 4_000_000)), "body", "levels deep"),
    "an integer of 5,000 digits": Failure(always(reply(body(2, b"9" * 5_000)))),
    "NaN": Failure(always(reply(body(2, b"NaN"))), "body"),
    "redirect loop": Failure(always(reply(b"", 302, {"Location": "?page=2"})), "http", "redirects"),
    "redirect to a metadata service": Failure(
        always(reply(b"", 302, {"Location": "http://169.254.169.254/latest/"})), "http", "refused a redirect"
    ),
    "redirect to nowhere": Failure(always(reply(b"", 302)), "http", "302"),
    "the first page again": Failure(always(reply(body(1))), "pagination", "page 1"),
    "a token that expired": Failure(requires_token(TOKEN)),
    "a token that is rejected": Failure(requires_token("another"), "http", "401"),
}


class HostileApi:
    """Serves `/<case>?page=n`; `/<case>/repair` ends the misbehaviour. Handlers count requests for page 2 from 1."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.repaired: set[str] = set()

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.target)
        name, _, rest = parts.path.strip("/").partition("/")
        fault = list(HOSTILE_CASES)[int(name)]
        if rest:
            self.repaired.add(fault)
            exchange.send(reply(b"{}"))
            return
        page = int(parse_qs(parts.query).get("page", ["1"])[0])
        if page != 2 or fault in self.repaired:
            exchange.send(reply(body(page)))
            return
        self.asked[fault] += 1
        HOSTILE_CASES[fault].act(exchange, self.asked[fault])


def record_ids(lines: list[bytes]) -> list[int]:
    """The ids of the landed records."""
    return [json.loads(line[: line.index(b",")] + b"}")["id"] for line in lines]
