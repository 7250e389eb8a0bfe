"""Page 2 answered wrongly: bad bodies, encodings, statuses and HTTP framing, for tests/prove/test_ways_to_fail.py.

Each entry says what the API sends and how its partition must end.
"""

from __future__ import annotations

import gzip

import brotli
from backports import zstd

from tests.support.apis.failing_page import (
    BAD_PAGE,
    LOGIN_PAGE,
    UNTIL_EMPTY,
    Failure,
    always,
    bad,
    body,
    by_hand,
    hangs_up,
    on_page,
    page_of,
    redirect,
    twice,
    typed,
)
from tests.support.apis.http_server import Exchange, chunked, encoded, reply, until_close

GOOD = body(BAD_PAGE)


def login(exchange: Exchange, before: int) -> None:
    """Page 2 redirects to a login page on the same host."""
    if "login" in exchange.target:
        exchange.send(typed(LOGIN_PAGE, "text/html"))
    elif page_of(exchange) == BAD_PAGE:
        exchange.send(redirect(exchange.target + "&login=1"))
    else:
        exchange.send(reply(body(page_of(exchange))))


def reset_within_body(exchange: Exchange, before: int) -> None:
    """The first response to page 2 is reset before it is complete."""
    exchange.send(reply(GOOD)[:-9] if before == 1 else reply(GOOD))
    if before == 1:
        exchange.reset()


BODIES: dict[str, Failure] = {
    "200 with an error": Failure(bad(reply(b'{"error": "quota"}')), "body", "no records at `data`"),
    "200 with an error on page 1": Failure(on_page(1, reply(b'{"error": "quota"}')), "body", "and says `error`"),
    "200 with a message on page 1": Failure(
        on_page(1, reply(b'{"message": "quota"}')), "pagination", "`pages` is not there"
    ),
    "200 with an error where records are": Failure(
        bad(reply(b'{"pages": 3, "data": "quota"}')), "body", "is not a list"
    ),
    "200 with a status of its own": Failure(bad(reply(b'{"status": 500, "message": "no"}')), "body", "no records at"),
    "null and errors, as GraphQL has it": Failure(
        bad(reply(b'{"data": null, "errors": [{"message": "no"}]}')), "body", "errors", pagination=UNTIL_EMPTY
    ),
    "null and an error": Failure(
        bad(reply(b'{"data": null, "error": "no"}')), "body", "error", pagination=UNTIL_EMPTY, more={"records": "data"}
    ),
    "null and no errors": Failure(
        on_page(4, reply(b'{"data": null, "errors": [], "error": ""}')), pagination=UNTIL_EMPTY
    ),
    "an empty list and an error": Failure(
        on_page(4, reply(b'{"data": [], "error": "no more"}')), "body", "says `error`", pagination=UNTIL_EMPTY
    ),
    "an empty list and an error that is allowed": Failure(
        on_page(4, reply(b'{"data": [], "error": "no more"}')), pagination=UNTIL_EMPTY, more={"errors": "allow"}
    ),
    "records and errors": Failure(
        bad(reply(body(2, errors=[{"message": "no"}]))), "body", "says `errors` beside the records at `data`"
    ),
    "null between pages": Failure(bad(reply(body(2, data=None))), ids=[1, 3]),
    "no list": Failure(bad(reply(b'{"pages": 3}')), "body", "no records at `data`"),
    "a list where an object was": Failure(bad(reply(b'[{"id": 2}]')), "body", "no records at `data`"),
    "an object where a list was": Failure(bad(reply(body(2, data={"id": 2}))), "body", "`data` is not a list"),
    "an object keyed by id": Failure(
        always(reply(body(1, data={"a": {"id": 1}, "b": {"id": 2}}))),
        "body",
        'shape = "keyed"',
        more={"records": "data"},
    ),
    "two lists": Failure(bad(reply(body(2, items=[{"id": 9}]))), ids=[1, 2, 3]),
    "a record that is null": Failure(bad(reply(body(2, data=[{"id": 2}, None]))), "body", "record 2 is not an object"),
    "a record that is a text": Failure(bad(reply(body(2, data=["2"]))), "body", "record 1 is not an object"),
    "HTML on page 1": Failure(always(typed(LOGIN_PAGE, "application/json")), "body", "HTML"),
    "JSON declared as HTML": Failure(bad(typed(GOOD, "text/html"))),
    "a wrong charset": Failure(bad(typed(GOOD, "application/json; charset=utf-16"))),
    "latin-1, as declared": Failure(
        bad(typed(body(2).replace(b'"pages"', b'"\xe9"'), "application/json; charset=latin-1")), "body", "UTF-8"
    ),
    "two bodies in one": Failure(bad(reply(GOOD + GOOD)), "body", "something follows"),
    "a warning before the body": Failure(bad(reply(b"Warning: deprecated\n" + GOOD)), "body", "no JSON value"),
}
CODINGS: dict[str, Failure] = {
    "brotli": Failure(bad(encoded(brotli.compress(GOOD), "br"))),
    "zstd": Failure(bad(encoded(zstd.compress(GOOD), "zstd"))),
    "gzip in two members": Failure(bad(encoded(gzip.compress(GOOD[:9]) + gzip.compress(GOOD[9:]), "gzip"))),
    "brotli cut": Failure(twice(encoded(brotli.compress(GOOD)[:-4], "br"))),
    "zstd cut": Failure(twice(encoded(zstd.compress(GOOD)[:-4], "zstd"))),
    "gzip, its checksum wrong": Failure(bad(encoded(gzip.compress(GOOD)[:-8] + b"\0" * 8, "gzip")), "body", "not gzip"),
    "gzip with text behind it": Failure(bad(encoded(gzip.compress(GOOD) + b"text", "gzip")), "body", "not gzip"),
    "gzip twice": Failure(bad(encoded(gzip.compress(gzip.compress(GOOD)), "gzip")), "body", "looks compressed"),
    "gzip twice, as declared": Failure(
        bad(encoded(gzip.compress(gzip.compress(GOOD)), "gzip, gzip")), "body", "not requested"
    ),
    "gzip without a header": Failure(bad(reply(gzip.compress(GOOD))), "body", "looks compressed"),
    "deflate": Failure(bad(encoded(b"\x03\x00", "deflate")), "body", "'deflate', which was not requested"),
    "invalid zstd": Failure(bad(encoded(GOOD, "zstd")), "body", "not zstd"),
    "invalid brotli": Failure(bad(encoded(GOOD, "br")), "body", "not br"),
    "gzip of nothing": Failure(bad(encoded(gzip.compress(b""), "gzip")), "body", "empty body"),
    "identity": Failure(bad(encoded(GOOD, "identity"))),
}
STATUSES: dict[str, Failure] = {
    "401 in the middle": Failure(bad(reply(b"{}", 401)), "http", "401"),
    "403 in the middle": Failure(bad(reply(LOGIN_PAGE, 403)), "http", "403"),
    "402": Failure(bad(reply(b"{}", 402)), "http", "402"),
    "404 in the middle": Failure(bad(reply(b"{}", 404)), "http", "404"),
    "404 at the end": Failure(on_page(4, reply(b"{}", 404)), "http", "statuses", pagination=UNTIL_EMPTY),
    "404 at the end, declared": Failure(
        on_page(4, reply(b"{}", 404)), pagination=UNTIL_EMPTY, more={"statuses": {"404": "empty"}}
    ),
    "404 between pages, declared": Failure(
        bad(reply(b"{}", 404)), "pagination", "", more={"statuses": {"404": "empty"}}
    ),
    "416 past the end": Failure(on_page(4, reply(b"", 416)), "http", "416", pagination=UNTIL_EMPTY),
    "429 with HTML forever": Failure(
        bad(typed(LOGIN_PAGE, "text/html").replace(b" 200 ", b" 429 ")), "patience", "429"
    ),
    "429 for a thousand years": Failure(bad(reply(b"", 429, {"Retry-After": "99999999999"})), "patience", "429"),
    "500 with a list in it": Failure(twice(reply(body(2), 500))),
    "500 with a list in it forever": Failure(bad(reply(body(2), 500)), "patience", "500"),
    "501": Failure(bad(reply(b"", 501)), "http", "501"),
    "511 of a portal": Failure(bad(reply(LOGIN_PAGE, 511)), "patience", "511"),
    "999": Failure(bad(reply(b"denied", 999)), "http", "999"),
    "304": Failure(bad(reply(b"", 304)), "http", "304"),
    "202, not ready": Failure(bad(reply(b'{"status": "pending"}', 202)), "body", "no records at"),
    "205": Failure(bad(reply(b"", 205)), "body", "empty body"),
    "206, as PostgREST has it": Failure(bad(reply(GOOD, 206, {"Content-Range": "1-1/3"}))),
    "a redirect to a login page": Failure(login, "body", "HTML"),
    "a redirect to another host": Failure(bad(redirect("http://login.test/")), "http", "refused a redirect"),
    "a redirect to https": Failure(bad(redirect("https://127.0.0.1/", 301)), "http", "refused a redirect"),
    "a redirect to an invalid URL": Failure(bad(redirect("http://[")), "http", "invalid url"),
    "early hints": Failure(bad(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(GOOD)), "http", "103"),
    "100 before the answer": Failure(bad(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + reply(GOOD))),
}
_HEAD = b"HTTP/1.1 200 OK\r\n"
_BAD_CHUNK = _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD + b"\r\n0\r\n\r\n"
_LENGTH = b"Content-Length: %d\r\n" % len(GOOD)
FRAMING: dict[str, Failure] = {
    "chunks cut": Failure(twice(chunked(GOOD)[:-20], close=True)),
    "chunks cut at their end": Failure(twice(chunked(GOOD)[:-5], close=True)),
    "a chunk whose size is invalid": Failure(twice(_BAD_CHUNK, close=True)),
    "a chunk whose size is negative": Failure(twice(_BAD_CHUNK.replace(b"zz", b"-1"), close=True)),
    "chunks and a length": Failure(
        bad(_HEAD + b"Content-Length: 3\r\n" + chunked(GOOD).removeprefix(b"HTTP/1.1 200 Status\r\n"))
    ),
    "a length twice": Failure(bad(_HEAD + _LENGTH * 2 + b"\r\n" + GOOD)),
    "an invalid length": Failure(bad(_HEAD + b"Content-Length: many\r\n\r\n" + GOOD, close=True)),
    "HTTP/1.0 with no length": Failure(bad(until_close(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"), close=True)),
    "an answer of HTTP/0.9": Failure(twice(GOOD, close=True)),
    "line feeds alone": Failure(bad(b"HTTP/1.1 200 OK\n" + _LENGTH.replace(b"\r", b"") + b"\n" + GOOD)),
    "a NUL in a header": Failure(bad(_HEAD + b"X-A: a\0b\r\n" + _LENGTH + b"\r\n" + GOOD)),
    "a header that is folded": Failure(bad(_HEAD + b"X-A: a\r\n b\r\n" + _LENGTH + b"\r\n" + GOOD)),
    "a header without a colon": Failure(bad(_HEAD + _LENGTH + b"what is this\r\n\r\n" + GOOD, close=True)),
    "a header that is too long": Failure(twice(_HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n" + GOOD, close=True)),
    "too many headers": Failure(twice(_HEAD + b"X: x\r\n" * 200 + _LENGTH + b"\r\n" + GOOD, close=True)),
    "no status line": Failure(twice(b"\r\n\r\n" + GOOD, close=True)),
    "nothing": Failure(twice(b"", close=True)),
    "bytes behind the body": Failure(bad(reply(GOOD) + b"\r\n\r\nmore")),
    "a second answer behind the first": Failure(bad(reply(GOOD) + reply(body(9)))),
    "connections closed without notice": Failure(hangs_up),
    "a reset within the body": Failure(by_hand(reset_within_body)),
}
RESPONSE_FAILURES = BODIES | CODINGS | STATUSES | FRAMING
