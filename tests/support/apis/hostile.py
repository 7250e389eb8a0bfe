"""APIs that misbehave: what each does on page 2 of 3 until it is mended, and how a worker should end."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.support.apis.server import Exchange, reply, until_close

TIMEOUT = 1.0
"""Seconds that a source gives one request."""
MAX_BODY = 4 * 2**20
PAGES = 3
TOKEN = "fresh"
Misbehaviour = Callable[[Exchange, int], object]
"""What is done with the n-th request (from 1) for page 2."""


def body(page: int, value: bytes = b'"a"') -> bytes:
    """A page as it should be, its last value being any bytes."""
    return b'{"total_pages":%d,"data":[{"id":%d,"value":%b}]}' % (PAGES, page, value)


class Fault(NamedTuple):
    """One way to misbehave. `ends`: the kind of the cause that the partition fails with, or "" if all lands unaided."""

    act: Misbehaviour
    ends: str = ""
    says: str = ""
    """What the cause's message holds."""


def says(data: bytes, *, close: bool = False) -> Misbehaviour:
    """The same bytes to every request."""

    def act(exchange: Exchange, n: int) -> None:
        exchange.send(data)
        if close:
            exchange.close()

    return act


def first(times: int, act: Misbehaviour) -> Misbehaviour:
    """Misbehaves so many times, then answers."""
    return lambda exchange, n: act(exchange, n) if n <= times else exchange.send(reply(body(2)))


def status(code: int, headers: Mapping[str, str] = {}) -> Misbehaviour:
    return says(reply(b"{}", code, headers))


def reset(exchange: Exchange, n: int) -> None:
    exchange.send(reply(body(2))[:-9])
    exchange.reset()


def drip(exchange: Exchange, n: int) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    exchange.drip(b" ", threading.Event())


def endless(piece: bytes) -> Misbehaviour:
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


def only_with(token: str) -> Misbehaviour:
    def act(exchange: Exchange, n: int) -> None:
        good = exchange.headers.get("authorization") == f"Bearer {token}"
        exchange.send(reply(body(2)) if good else reply(b"{}", 401))

    return act


@cache
def nothing() -> bytes:
    """200 MB of it, packed once: a busy machine is no late answer."""
    return gzip.compress(bytes(200 * 2**20), 1)


def bomb(exchange: Exchange, n: int) -> None:
    exchange.send(packed(nothing()))


def packed(data: bytes, encoding: str = "gzip") -> bytes:
    return reply(data, headers={"Content-Encoding": encoding})


CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
LOGIN = b"<!doctype html><title>Log in</title>"

FAULTS: dict[str, Fault] = {
    "429 storm": Fault(first(7, status(429))),
    "429 storm with Retry-After": Fault(first(7, status(429, {"Retry-After": "2"}))),
    "429 for two minutes": Fault(first(1, status(429, {"Retry-After": "120"}))),
    "429 for ever": Fault(status(429), "patience", "the API answered 429"),
    "429 with nonsense in Retry-After": Fault(first(3, status(429, {"Retry-After": "-1, soon"}))),
    "403 for a rate limit": Fault(first(2, status(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3"}))),
    "503 flapping": Fault(lambda exchange, n: exchange.send(reply(body(2), 503 if n % 3 else 200))),
    "503 for ever": Fault(status(503), "patience", "the API answered 503"),
    "503, its clock a day ahead": Fault(first(2, skewed)),
    "reset in the body": Fault(first(2, reset)),
    "body cut": Fault(first(2, says(reply(body(2))[:-9], close=True))),
    "body cut, until close": Fault(says(until_close(body(2)[:-9]), close=True), "body", "page 2"),
    "Content-Length too small": Fault(says(reply(body(2), headers={"Content-Length": "9"}), close=True), "body"),
    "Content-Length too large": Fault(first(1, says(reply(body(2), headers={"Content-Length": "999"}), close=True))),
    "slow drip": Fault(first(1, drip)),
    "slow drip for ever": Fault(drip, "patience", "no whole answer within 1 s"),
    "chunks without end": Fault(endless(CHUNK), "body", "larger than"),
    "headers without end": Fault(first(1, headers_without_end)),
    "no HTTP": Fault(first(2, says(b"SSH-2.0-OpenSSH\r\n", close=True))),
    "gzip bomb": Fault(bomb, "body", "larger than"),
    "gzip cut": Fault(first(2, says(packed(gzip.compress(body(2))[:-9])))),
    "gzip that is none": Fault(says(packed(body(2))), "body", "no gzip"),
    "an encoding nobody asked for": Fault(says(packed(body(2), "compress")), "body", "compress"),
    "HTML": Fault(says(reply(LOGIN)), "body", "HTML"),
    "an empty body": Fault(says(reply(b"")), "body", "empty body"),
    "204": Fault(says(b"HTTP/1.1 204 No Content\r\n\r\n"), "body"),
    "a byte order mark": Fault(says(reply(b"\xef\xbb\xbf" + body(2)))),
    "UTF-16": Fault(says(reply(body(2).decode().encode("utf-16"))), "body"),
    "invalid UTF-8": Fault(says(reply(body(2, b'"\xff"'))), "body"),
    "lone surrogates": Fault(says(reply(body(2, b'"\\ud800"')))),
    "deep nesting": Fault(says(reply(body(2, b"[" * 100_000 + b"]" * 100_000)))),
    "nesting that does not end": Fault(says(reply(b'{"data":' + b"[" * 4_000_000)), "body", "levels deep"),
    "an integer of 5,000 digits": Fault(says(reply(body(2, b"9" * 5_000)))),
    "NaN": Fault(says(reply(body(2, b"NaN"))), "body"),
    "redirect loop": Fault(says(reply(b"", 302, {"Location": "?page=2"})), "http", "redirects"),
    "redirect to a metadata service": Fault(
        says(reply(b"", 302, {"Location": "http://169.254.169.254/latest/"})), "http", "refused a redirect"
    ),
    "redirect to nowhere": Fault(says(reply(b"", 302)), "http", "302"),
    "the first page again": Fault(says(reply(body(1))), "pagination", "page 1"),
    "a token that expired": Fault(only_with(TOKEN)),
    "a token that nobody takes": Fault(only_with("another"), "http", "401"),
}  # fmt: skip


class Hostile:
    """Serves `/<fault>?page=n`; `/<fault>/mend` makes it well."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.mended: set[str] = set()

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.target)
        name, _, rest = parts.path.strip("/").partition("/")
        fault = list(FAULTS)[int(name)]
        if rest:
            self.mended.add(fault)
            exchange.send(reply(b"{}"))
            return
        page = int(parse_qs(parts.query).get("page", ["1"])[0])
        if page != 2 or fault in self.mended:
            exchange.send(reply(body(page)))
            return
        self.asked[fault] += 1
        FAULTS[fault].act(exchange, self.asked[fault])


def records(lines: list[bytes]) -> list[int]:
    """The ids of what landed."""
    return [json.loads(line[: line.index(b",")] + b"}")["id"] for line in lines]
