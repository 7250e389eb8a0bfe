"""What an API does with requests for its pages, one of which is not as it should be: the acts of `ways`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.support.apis.many_sources import Act
from tests.support.apis.server import Exchange, reply

PAGES = 3
DECLARED = {"style": "page", "total_pages": "pages"}
UNTIL_EMPTY = {"style": "page"}
COUNTED = {"style": "page", "total_records": "total"}
CURSOR = {"style": "cursor", "path": "next"}
NEXT = {"style": "next_url"}
MORE = {"style": "page", "has_more": "more"}
OFFSET = {"style": "offset", "size": 1}
LINK = {"style": "link"}
PHASE = 2
"""The page that is not as it should be."""


class Way(NamedTuple):
    """One way. `ends`: the kind of the cause that it must fail with, or "" where `ids` are what must land."""

    act: Act
    ends: str = ""
    says: str = ""
    """What the cause's message holds."""
    ids: list[Any] = [1, 2, 3]
    pagination: Mapping[str, Any] = DECLARED
    more: Mapping[str, Any] = {}
    """Other keys of the source."""


def body(page: int, **more: Any) -> bytes:
    """A page as it should be, or with some of it otherwise."""
    known: dict[str, Any] = {"pages": PAGES, "total": PAGES, "more": page < PAGES, "data": [{"id": page}]}
    if page > PAGES:
        known["data"] = []
    return json.dumps({**known, "next": None, **more}).encode()


def number(exchange: Exchange) -> int:
    """The page that is asked for, by whichever parameter; of an offset or a cursor the one behind it."""
    asked = dict(parse_qsl(urlsplit(exchange.target).query))
    return int(asked["page"]) if "page" in asked else 1 + int(asked.get("offset", asked.get("cursor", "0")))


def on(page: int, answer: bytes, *, close: bool = False) -> Act:
    """Every page is as it should be but one, which is always these bytes."""

    def act(exchange: Exchange, before: int) -> None:
        at = number(exchange)
        exchange.send(answer if at == page else reply(body(at)))
        if close and at == page:
            exchange.close()

    return act


def bad(answer: bytes, *, close: bool = False) -> Act:
    return on(PHASE, answer, close=close)


def twice(answer: bytes, *, close: bool = False) -> Act:
    """The second and the third request fail; the others are answered as they should be."""

    def act(exchange: Exchange, before: int) -> None:
        failing = before in (1, 2)
        exchange.send(answer if failing else reply(body(number(exchange))))
        if failing and close:
            exchange.close()

    return act


def every(answer: bytes) -> Act:
    return lambda exchange, before: exchange.send(answer)


def told(**values: list[Any]) -> Act:
    """Every page is as it should be, but for values that it tells: a list of them by page."""

    def act(exchange: Exchange, before: int) -> None:
        at = number(exchange)
        exchange.send(reply(body(at, **{key: found[min(at, len(found)) - 1] for key, found in values.items()})))

    return act


def chain(*values: Any) -> Act:
    """The n-th request is page n, whose `next` is the n-th value; past them there is none."""

    def act(exchange: Exchange, before: int) -> None:
        following = values[before] if before < len(values) else None
        exchange.send(reply(body(before + 1, next=following)))

    return act


def linked(*headers: str) -> Act:
    """The n-th request is page n with the n-th Link header; past them there is none."""

    def act(exchange: Exchange, before: int) -> None:
        found = {"Link": headers[before]} if before < len(headers) else {}
        exchange.send(reply(body(before + 1), headers=found))

    return act


def by_hand(act: Act, page: int = PHASE) -> Act:
    """One page is done by hand."""

    def do(exchange: Exchange, before: int) -> None:
        at = number(exchange)
        if at == page:
            act(exchange, before)
        else:
            exchange.send(reply(body(at)))

    return do


def hangs_up(exchange: Exchange, before: int) -> None:
    """Promises to keep the connection, and does not."""
    exchange.send(reply(body(number(exchange))))
    exchange.close()


def coded(data: bytes, encoding: str) -> bytes:
    return reply(data, headers={"Content-Encoding": encoding})


def typed(data: bytes, kind: str) -> bytes:
    return reply(data, headers={"Content-Type": kind})


def sent_to(where: str, status: int = 302) -> bytes:
    return reply(b"", status, {"Location": where})
