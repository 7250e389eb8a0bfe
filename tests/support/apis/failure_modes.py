"""APIs' own ways to fail: what each sends, how its source is declared, and how its partition must end."""

from __future__ import annotations

import gzip

import brotli
from backports import zstd

from tests.support.apis.failing_page import (
    COUNTED,
    CURSOR,
    LINK,
    MORE,
    NEXT,
    OFFSET,
    PHASE,
    UNTIL_EMPTY,
    Way,
    bad,
    body,
    by_hand,
    chain,
    coded,
    every,
    hangs_up,
    linked,
    number,
    on,
    sent_to,
    told,
    twice,
    typed,
)
from tests.support.apis.server import Exchange, chunked, reply, until_close

GOOD = body(PHASE)
LOGIN = b"<!doctype html><title>Log in</title>"
LONG = "9" * 30


def login(exchange: Exchange, before: int) -> None:
    """Page 2 leads to a login page on the same host."""
    if "login" in exchange.target:
        exchange.send(typed(LOGIN, "text/html"))
    elif number(exchange) == PHASE:
        exchange.send(sent_to(exchange.target + "&login=1"))
    else:
        exchange.send(reply(body(number(exchange))))


def reset_amid(exchange: Exchange, before: int) -> None:
    """The first answer is cut, not ended."""
    exchange.send(reply(GOOD)[:-9] if before == 1 else reply(GOOD))
    if before == 1:
        exchange.reset()


BODIES: dict[str, Way] = {
    "200 with an error": Way(bad(reply(b'{"error": "quota"}')), "body", "no records at `data`"),
    "200 with an error on page 1": Way(on(1, reply(b'{"error": "quota"}')), "body", "and says `error`"),
    "200 with a message on page 1": Way(on(1, reply(b'{"message": "quota"}')), "pagination", "`pages` is not there"),
    "200 with an error where records are": Way(bad(reply(b'{"pages": 3, "data": "quota"}')), "body", "is no list"),
    "200 with a status of its own": Way(bad(reply(b'{"status": 500, "message": "no"}')), "body", "no records at"),
    "null and errors, as GraphQL has it": Way(
        bad(reply(b'{"data": null, "errors": [{"message": "no"}]}')), "body", "errors", pagination=UNTIL_EMPTY
    ),
    "null and an error": Way(
        bad(reply(b'{"data": null, "error": "no"}')), "body", "error", pagination=UNTIL_EMPTY, more={"records": "data"}
    ),
    "null and no errors": Way(on(4, reply(b'{"data": null, "errors": [], "error": ""}')), pagination=UNTIL_EMPTY),
    "an empty list and an error": Way(
        on(4, reply(b'{"data": [], "error": "no more"}')), "body", "says `error`", pagination=UNTIL_EMPTY
    ),
    "an empty list and an error that is allowed": Way(
        on(4, reply(b'{"data": [], "error": "no more"}')), pagination=UNTIL_EMPTY, more={"errors": "allow"}
    ),
    "records and errors": Way(
        bad(reply(body(2, errors=[{"message": "no"}]))), "body", "says `errors` beside the records at `data`"
    ),
    "null amid pages": Way(bad(reply(body(2, data=None))), ids=[1, 3]),
    "no list": Way(bad(reply(b'{"pages": 3}')), "body", "no records at `data`"),
    "a list where an object was": Way(bad(reply(b'[{"id": 2}]')), "body", "no records at `data`"),
    "an object where a list was": Way(bad(reply(body(2, data={"id": 2}))), "body", "`data` is no list"),
    "an object keyed by id": Way(
        every(reply(body(1, data={"a": {"id": 1}, "b": {"id": 2}}))), "body", 'shape = "keyed"',
        more={"records": "data"},
    ),
    "two lists": Way(bad(reply(body(2, items=[{"id": 9}]))), ids=[1, 2, 3]),
    "a record that is null": Way(bad(reply(body(2, data=[{"id": 2}, None]))), "body", "record 2 is no object"),
    "a record that is a text": Way(bad(reply(body(2, data=["2"]))), "body", "record 1 is no object"),
    "HTML on page 1": Way(every(typed(LOGIN, "application/json")), "body", "HTML"),
    "JSON that is said to be HTML": Way(bad(typed(GOOD, "text/html"))),
    "a charset that it is not in": Way(bad(typed(GOOD, "application/json; charset=utf-16"))),
    "latin-1, as it says": Way(
        bad(typed(body(2).replace(b'"pages"', b'"\xe9"'), "application/json; charset=latin-1")), "body", "UTF-8"
    ),
    "two bodies in one": Way(bad(reply(GOOD + GOOD)), "body", "something follows"),
    "a warning before the body": Way(bad(reply(b"Warning: deprecated\n" + GOOD)), "body", "no JSON value"),
}  # fmt: skip
CODINGS: dict[str, Way] = {
    "brotli": Way(bad(coded(brotli.compress(GOOD), "br"))),
    "zstd": Way(bad(coded(zstd.compress(GOOD), "zstd"))),
    "gzip in two members": Way(bad(coded(gzip.compress(GOOD[:9]) + gzip.compress(GOOD[9:]), "gzip"))),
    "brotli cut": Way(twice(coded(brotli.compress(GOOD)[:-4], "br"))),
    "zstd cut": Way(twice(coded(zstd.compress(GOOD)[:-4], "zstd"))),
    "gzip, its checksum wrong": Way(bad(coded(gzip.compress(GOOD)[:-8] + b"\0" * 8, "gzip")), "body", "no gzip"),
    "gzip with text behind it": Way(bad(coded(gzip.compress(GOOD) + b"text", "gzip")), "body", "no gzip"),
    "gzip twice": Way(bad(coded(gzip.compress(gzip.compress(GOOD)), "gzip")), "body", "looks compressed"),
    "gzip twice, as it says": Way(bad(coded(gzip.compress(gzip.compress(GOOD)), "gzip, gzip")), "body", "not asked"),
    "gzip that no header tells of": Way(bad(reply(gzip.compress(GOOD))), "body", "looks compressed"),
    "deflate": Way(bad(coded(b"\x03\x00", "deflate")), "body", "'deflate', which was not asked for"),
    "zstd that is none": Way(bad(coded(GOOD, "zstd")), "body", "no zstd"),
    "brotli that is none": Way(bad(coded(GOOD, "br")), "body", "no br"),
    "gzip of nothing": Way(bad(coded(gzip.compress(b""), "gzip")), "body", "empty body"),
    "identity": Way(bad(coded(GOOD, "identity"))),
}
CHAINS: dict[str, Way] = {
    "a next of another host": Way(chain("http://evil.test/s"), "pagination", "another host", pagination=NEXT),
    "a next of a metadata service": Way(
        chain("http://169.254.169.254/latest"), "pagination", "another host", pagination=NEXT
    ),
    "a next of another scheme": Way(chain("https://127.0.0.1/s"), "pagination", "another host", pagination=NEXT),
    "a next of a file": Way(chain("file:///etc/passwd"), "pagination", "another host", pagination=NEXT),
    "a next that is relative": Way(chain("?date=1990-01-01&p=2", "?date=1990-01-01&p=3"), pagination=NEXT),
    "a next that is itself": Way(
        lambda e, n: e.send(reply(body(n + 1, next=e.target))), "pagination", "", pagination=NEXT
    ),
    "a next that goes round": Way(
        chain(*(f"?date=1990-01-01&p={n % 3}" for n in range(99))), "pagination", "", pagination=NEXT
    ),
    "a next that is empty": Way(chain("?date=1990-01-01&p=2", "?date=1990-01-01&p=3", ""), pagination=NEXT),
    "a next that is false": Way(chain("?date=1990-01-01&p=2", "?date=1990-01-01&p=3", False), pagination=NEXT),
    "a next that is a number": Way(chain(2), "pagination", "no URL", pagination=NEXT),
    "a next that is no URL": Way(chain("http://["), "pagination", "no URL", pagination=NEXT),
    "a next with a line end in it": Way(chain("?date=1990-01-01&p=2\r\nX-Evil: 1"), "", "", [1, 2], NEXT),
    "no next": Way(every(reply(b'{"data": [{"id": 1}]}')), "pagination", "has no `next`", pagination=NEXT),
    "a cursor again": Way(chain("a", "a"), "pagination", "", pagination=CURSOR),
    "cursors that go round": Way(chain(*"abcabcabc"), "pagination", "", pagination=CURSOR),
    "a cursor that is empty": Way(chain("a", "b", ""), pagination=CURSOR),
    "a cursor that is false": Way(chain("a", "b", False), pagination=CURSOR),
    "a cursor that is true": Way(chain(True), "pagination", "no cursor but", pagination=CURSOR),
    "a cursor that is an object": Way(chain({"after": 2}), "pagination", "no cursor but", pagination=CURSOR),
    "a cursor that is a lone surrogate": Way(chain("\ud800"), "pagination", "no cursor but", pagination=CURSOR),
    "a cursor that is a list": Way(chain([1, "a"], [2, "b"]), pagination=CURSOR),
    "a cursor that is a number": Way(chain(1, 2), pagination=CURSOR),
    "a cursor that is a fraction": Way(chain(1.5, 2.25), pagination=CURSOR),
    "a cursor of thirty digits": Way(chain(int(LONG), int(LONG) + 1), pagination=CURSOR),
    "a cursor with line ends": Way(chain("a\r\nb", "\x00"), pagination=CURSOR),
    "no cursor": Way(every(reply(b'{"data": [{"id": 1}]}')), "pagination", "is not there", pagination=CURSOR),
    "a Link header that is none": Way(linked("next"), "pagination", "Link header", pagination=LINK),
    "a Link of another host": Way(linked('<http://evil.test/>; rel="next"'), "pagination", "host", pagination=LINK),
    "a Link without quotes": Way(linked("<?date=1990-01-01&p=2>;rel=next", ""), ids=[1, 2], pagination=LINK),
}
TOTALS: dict[str, Way] = {
    "a total that grows": Way(told(total=[2, 3]), pagination=COUNTED),
    "a total that shrinks": Way(told(total=[9, 2]), ids=[1, 2], pagination=COUNTED),
    "a total beyond what there is": Way(told(total=[9]), "total", "declares 9", pagination=COUNTED),
    "a total below what there is": Way(told(total=[2]), ids=[1, 2], pagination=COUNTED),
    "a total that is a text": Way(told(total=["3"]), pagination=COUNTED),
    "a total that is negative": Way(told(total=[-1]), "pagination", "no whole number", pagination=COUNTED),
    "a total that is a fraction": Way(told(total=[2.5]), "pagination", "no whole number", pagination=COUNTED),
    "a total that is null": Way(told(total=[None]), "pagination", "no whole number", pagination=COUNTED),
    "a total that is true": Way(told(total=[True]), "pagination", "no whole number", pagination=COUNTED),
    "a total of thirty digits": Way(told(total=[int(LONG)]), "pagination", "no whole number", pagination=COUNTED),
    "no pages, and records": Way(told(pages=[0]), "total", "0 pages"),
    "no pages, and no records": Way(every(reply(body(1, pages=0, data=[]))), ids=[]),
    "more pages than it has": Way(told(pages=[9]), ids=[1, 2, 3]),
    "a page again": Way(told(data=[[{"id": 1}]]), "pagination", "page 1", pagination=UNTIL_EMPTY),
    "the last page for ever": Way(
        told(data=[[{"id": 1}], [{"id": 2}], [{"id": 3}]]), "pagination", "again", pagination=UNTIL_EMPTY
    ),
    "no end": Way(
        lambda e, n: e.send(reply(body(1, data=[{"id": n}]))), "pagination", "max_pages", pagination=UNTIL_EMPTY,
        more={"max_pages": 9},
    ),
    "more that is a text": Way(told(more=["true", "TRUE", "false"]), pagination=MORE),
    "more that is 0": Way(told(more=[0]), "pagination", "neither true nor false", pagination=MORE),
    "more that is no": Way(told(more=["no"]), "pagination", "neither true nor false", pagination=MORE),
    "more that is null": Way(told(more=[None]), "pagination", "neither true nor false", pagination=MORE),
    "more and no records": Way(told(more=[True], data=[[]]), "pagination", "", pagination=MORE, more={"max_pages": 9}),
    "a page longer than its size": Way(
        told(data=[[{"id": 1}, {"id": 2}]]), "pagination", "more than size", pagination=OFFSET
    ),
    "pages that are capped": Way(
        told(data=[[{"id": 1}], [{"id": 2}]]), "pagination", "caps its pages", pagination={**OFFSET, "size": 2}
    ),
}  # fmt: skip
STATUSES: dict[str, Way] = {
    "401 in the middle": Way(bad(reply(b"{}", 401)), "http", "401"),
    "403 in the middle": Way(bad(reply(LOGIN, 403)), "http", "403"),
    "402": Way(bad(reply(b"{}", 402)), "http", "402"),
    "404 in the middle": Way(bad(reply(b"{}", 404)), "http", "404"),
    "404 at the end": Way(on(4, reply(b"{}", 404)), "http", "statuses", pagination=UNTIL_EMPTY),
    "404 at the end, declared": Way(
        on(4, reply(b"{}", 404)), pagination=UNTIL_EMPTY, more={"statuses": {"404": "empty"}}
    ),
    "404 amid pages, declared": Way(bad(reply(b"{}", 404)), "pagination", "", more={"statuses": {"404": "empty"}}),
    "416 past the end": Way(on(4, reply(b"", 416)), "http", "416", pagination=UNTIL_EMPTY),
    "429 with HTML for ever": Way(bad(typed(LOGIN, "text/html").replace(b" 200 ", b" 429 ")), "patience", "429"),
    "429 for a thousand years": Way(bad(reply(b"", 429, {"Retry-After": "99999999999"})), "patience", "429"),
    "500 with a list in it": Way(twice(reply(body(2), 500))),
    "500 with a list in it for ever": Way(bad(reply(body(2), 500)), "patience", "500"),
    "501": Way(bad(reply(b"", 501)), "http", "501"),
    "511 of a portal": Way(bad(reply(LOGIN, 511)), "patience", "511"),
    "999": Way(bad(reply(b"denied", 999)), "http", "999"),
    "304": Way(bad(reply(b"", 304)), "http", "304"),
    "202, not ready": Way(bad(reply(b'{"status": "pending"}', 202)), "body", "no records at"),
    "205": Way(bad(reply(b"", 205)), "body", "empty body"),
    "206, as PostgREST has it": Way(bad(reply(GOOD, 206, {"Content-Range": "1-1/3"}))),
    "a redirect to a login page": Way(login, "body", "HTML"),
    "a redirect to another host": Way(bad(sent_to("http://login.test/")), "http", "refused a redirect"),
    "a redirect to https": Way(bad(sent_to("https://127.0.0.1/", 301)), "http", "refused a redirect"),
    "a redirect to what is no url": Way(bad(sent_to("http://[")), "http", "no url"),
    "early hints": Way(bad(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(GOOD)), "http", "103"),
    "100 before the answer": Way(bad(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + reply(GOOD))),
}
_HEAD = b"HTTP/1.1 200 OK\r\n"
_BAD_CHUNK = _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD + b"\r\n0\r\n\r\n"
_LENGTH = b"Content-Length: %d\r\n" % len(GOOD)
FRAMING: dict[str, Way] = {
    "chunks cut": Way(twice(chunked(GOOD)[:-20], close=True)),
    "chunks cut at their end": Way(twice(chunked(GOOD)[:-5], close=True)),
    "a chunk whose size is none": Way(twice(_BAD_CHUNK, close=True)),
    "a chunk whose size is negative": Way(twice(_BAD_CHUNK.replace(b"zz", b"-1"), close=True)),
    "chunks and a length": Way(
        bad(_HEAD + b"Content-Length: 3\r\n" + chunked(GOOD).removeprefix(b"HTTP/1.1 200 Status\r\n"))
    ),
    "a length twice": Way(bad(_HEAD + _LENGTH * 2 + b"\r\n" + GOOD)),
    "a length that is none": Way(bad(_HEAD + b"Content-Length: many\r\n\r\n" + GOOD, close=True)),
    "HTTP/1.0 with no length": Way(bad(until_close(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"), close=True)),
    "an answer of HTTP/0.9": Way(twice(GOOD, close=True)),
    "line feeds alone": Way(bad(b"HTTP/1.1 200 OK\n" + _LENGTH.replace(b"\r", b"") + b"\n" + GOOD)),
    "a NUL in a header": Way(bad(_HEAD + b"X-A: a\0b\r\n" + _LENGTH + b"\r\n" + GOOD)),
    "a header that is folded": Way(bad(_HEAD + b"X-A: a\r\n b\r\n" + _LENGTH + b"\r\n" + GOOD)),
    "a header without a colon": Way(bad(_HEAD + _LENGTH + b"what is this\r\n\r\n" + GOOD, close=True)),
    "a header that is too long": Way(twice(_HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n" + GOOD, close=True)),
    "too many headers": Way(twice(_HEAD + b"X: x\r\n" * 200 + _LENGTH + b"\r\n" + GOOD, close=True)),
    "no status line": Way(twice(b"\r\n\r\n" + GOOD, close=True)),
    "nothing": Way(twice(b"", close=True)),
    "bytes behind the body": Way(bad(reply(GOOD) + b"\r\n\r\nmore")),
    "a second answer behind the first": Way(bad(reply(GOOD) + reply(body(9)))),
    "connections that end unsaid": Way(hangs_up),
    "a reset amid the body": Way(by_hand(reset_amid)),
}
WAYS = BODIES | CODINGS | CHAINS | TOTALS | STATUSES | FRAMING
