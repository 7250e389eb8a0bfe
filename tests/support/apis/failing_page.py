"""Builds APIs of three pages that get one page wrong, for tests/prove/test_ways_to_fail.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.support.apis.http_server import Exchange, RequestHandler, reply

PAGES = 3
DECLARED = {"style": "page", "total_pages": "pages"}
UNTIL_EMPTY = {"style": "page"}
COUNTED = {"style": "page", "total_records": "total"}
CURSOR = {"style": "cursor", "path": "next"}
NEXT = {"style": "next_url"}
MORE = {"style": "page", "has_more": "more"}
OFFSET = {"style": "offset", "size": 1}
LINK = {"style": "link"}
BAD_PAGE = 2
"""The page that is answered wrongly."""
LOGIN_PAGE = b"<!doctype html><title>Log in</title>"


class Failure(NamedTuple):
    """One failure of an API. `error_kind`: the cause the partition must fail with, or "" if `ids` must land."""

    act: RequestHandler
    error_kind: str = ""
    message_part: str = ""
    """Text that the cause's message must contain."""
    ids: list[Any] = [1, 2, 3]
    pagination: Mapping[str, Any] = DECLARED
    more: Mapping[str, Any] = {}
    """Further keys of the source."""


def body(page: int, **more: Any) -> bytes:
    """A correct page, or one with some values replaced."""
    known: dict[str, Any] = {"pages": PAGES, "total": PAGES, "more": page < PAGES, "data": [{"id": page}]}
    if page > PAGES:
        known["data"] = []
    return json.dumps({**known, "next": None, **more}).encode()


def page_of(exchange: Exchange) -> int:
    """The requested page: by number, or the one after the given offset or cursor."""
    asked = dict(parse_qsl(urlsplit(exchange.target).query))
    return int(asked["page"]) if "page" in asked else 1 + int(asked.get("offset", asked.get("cursor", "0")))


def on_page(page: int, answer: bytes, *, close: bool = False) -> RequestHandler:
    """Answer one page with these bytes, every time; the others correctly."""

    def act(exchange: Exchange, before: int) -> None:
        at = page_of(exchange)
        exchange.send(answer if at == page else reply(body(at)))
        if close and at == page:
            exchange.close()

    return act


def bad(answer: bytes, *, close: bool = False) -> RequestHandler:
    """Answer page 2 with these bytes, every time; the others correctly."""
    return on_page(BAD_PAGE, answer, close=close)


def twice(answer: bytes, *, close: bool = False) -> RequestHandler:
    """Answer the second and third request with these bytes; the others correctly."""

    def act(exchange: Exchange, before: int) -> None:
        failing = before in (1, 2)
        exchange.send(answer if failing else reply(body(page_of(exchange))))
        if failing and close:
            exchange.close()

    return act


def always(answer: bytes) -> RequestHandler:
    """Answer every request with these bytes."""
    return lambda exchange, before: exchange.send(answer)


def values_by_page(**values: list[Any]) -> RequestHandler:
    """Answer correctly except for these values, each given as a list by page."""

    def act(exchange: Exchange, before: int) -> None:
        at = page_of(exchange)
        exchange.send(reply(body(at, **{key: found[min(at, len(found)) - 1] for key, found in values.items()})))

    return act


def chain(*values: Any) -> RequestHandler:
    """Answer the n-th request with page n and the n-th value as `next`; none after the last value."""

    def act(exchange: Exchange, before: int) -> None:
        following = values[before] if before < len(values) else None
        exchange.send(reply(body(before + 1, next=following)))

    return act


def linked(*headers: str) -> RequestHandler:
    """Answer the n-th request with page n and the n-th Link header; none after the last one."""

    def act(exchange: Exchange, before: int) -> None:
        found = {"Link": headers[before]} if before < len(headers) else {}
        exchange.send(reply(body(before + 1), headers=found))

    return act


def by_hand(act: RequestHandler, page: int = BAD_PAGE) -> RequestHandler:
    """Leave one page to `act`; answer the others correctly."""

    def do(exchange: Exchange, before: int) -> None:
        at = page_of(exchange)
        if at == page:
            act(exchange, before)
        else:
            exchange.send(reply(body(at)))

    return do


def hangs_up(exchange: Exchange, before: int) -> None:
    """Answer, then close a connection that was promised to stay open."""
    exchange.send(reply(body(page_of(exchange))))
    exchange.close()


def typed(data: bytes, kind: str) -> bytes:
    """A response with this Content-Type."""
    return reply(data, headers={"Content-Type": kind})


def redirect(where: str, status: int = 302) -> bytes:
    """A redirect to this location."""
    return reply(b"", status, {"Location": where})
