"""APIs of every style of pagination, each strict: what is not asked for as its documentation says is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError
from option_a.ingest.ports import Request, Response
from tests.support.pipeline import Api, source

Record = dict[str, Any]
Pages = list[list[Record]]
URL = "https://api.test/s"
DAY = "2023-11-01"


def refused(why: str) -> HttpError:
    """What a strict API says."""
    return HttpError(f"the API answered 400: {why}", status=400)


def cut(records: list[Record], sizes: list[int]) -> Pages:
    """The records in pages of these sizes, the last of them as often as it takes."""
    pages, at = [], 0
    for size in sizes:
        pages.append(records[at : at + size])
        at += size
    while at < len(records):
        pages.append(records[at : at + max(1, sizes[-1])])
        at += max(1, sizes[-1])
    return pages


def query(request: Request) -> dict[str, str]:
    """Every query parameter, those of the url among them."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(request.url).query).items()} | dict(request.params)


def sent(request: Request) -> Any:
    """The JSON body."""
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    return json.loads(request.body or b"")


def answer(records: list[Record], more: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A page as most APIs send it."""
    return Response(200, headers or {}, msgspec.json.encode({"data": records, **more}))


class Served(NamedTuple):
    """A style: its source, and the API that serves records to it."""

    fields: Mapping[str, Any]
    serve: Callable[[Pages], Api]
    gaps: bool = False
    """Whether pages with no records may stand in the middle."""
    even: int | None = None
    """Whether every page but the last holds this many records."""

    @property
    def source(self) -> Source:
        return source(url=URL, parallel=3, **self.fields)


def _number(text: Any) -> int:
    if not str(text).isdigit():
        raise refused(f"{text!r} is no number")
    return int(text)


def _dated(request: Request) -> None:
    if query(request).get("date") != DAY:
        raise refused("no date")


def numbered(
    more: Callable[[Pages, int], Mapping[str, Any]] = lambda pages, n: {},
    heads: Callable[[Pages, int], Mapping[str, str]] = lambda pages, n: {},
    read: Callable[[Request], Any] = lambda request: query(request).get("page"),
) -> Callable[[Pages], Api]:
    """Pages by number from 1."""

    def serve(pages: Pages) -> Api:
        def api(request: Request) -> Response:
            n = _number(read(request))
            page = pages[n - 1] if 0 < n <= len(pages) else []
            return answer(page, more(pages, n), heads(pages, n))

        return api

    return serve


def offset(more: Callable[[int, int], Mapping[str, Any]] = lambda total, end: {}) -> Callable[[Pages], Api]:
    """Records by position: `offset` and `limit`."""

    def serve(pages: Pages) -> Api:
        records = [record for page in pages for record in page]

        def api(request: Request) -> Response:
            _dated(request)
            at, limit = _number(query(request).get("offset")), _number(query(request).get("limit"))
            return answer(records[at : at + limit], more(len(records), at + limit))

        return api

    return serve


def chained(
    token: Callable[[int], Any],
    tell: Callable[[Any, bool], tuple[Mapping[str, Any], Mapping[str, str]]],
    read: Callable[[Request], Any],
    *,
    endless: bool = False,
) -> Callable[[Pages], Api]:
    """Each page tells what asks for the next; an `endless` one tells it on its last page too, and then sends none."""

    def serve(pages: Pages) -> Api:
        known = {json.dumps(token(n)): n for n in range(1, len(pages) + 2)}

        def api(request: Request) -> Response:
            given = read(request)
            n = 0 if given is None else known.get(json.dumps(given), -1)
            if n < 0:
                raise refused(f"the cursor {given!r} is unknown")
            final = n + 1 >= len(pages)
            more, headers = tell(None if final and not endless else token(n + 1), final)
            return answer(pages[n] if n < len(pages) else [], more, headers)

        return api

    return serve


def after(more: Callable[[bool], Mapping[str, Any]], size: int) -> Callable[[Pages], Api]:
    """Records behind the one that is named: `starting_after` and `limit`."""

    def serve(pages: Pages) -> Api:
        records = [record for page in pages for record in page]
        places = {record["id"]: place for place, record in enumerate(records, 1)}

        def api(request: Request) -> Response:
            asked = query(request)
            named = asked.get("starting_after")
            if asked.get("limit") != str(size) or (named is not None and named not in places):
                raise refused("no such record")
            at = 0 if named is None else places[named]
            return answer(records[at : at + size], more(at + size >= len(records)))

        return api

    return serve


def links(*, last: bool) -> Callable[[Pages], Api]:
    """The Link header, as GitHub has it."""

    def serve(pages: Pages) -> Api:
        def api(request: Request) -> Response:
            _dated(request)
            n, final = _number(query(request).get("page", "1")), max(1, len(pages))
            if n > final:
                raise refused("past the end")
            found = {"prev": n - 1, "next": n + 1, **({"last": final} if last else {})}
            if n == final:
                found = {"prev": n - 1}
            header = ", ".join(f'<{URL}?date={DAY}&page={to}>; rel="{name}"' for name, to in found.items() if to)
            return answer(pages[n - 1] if pages else [], {}, {"link": header} if header else {})

        return api

    return serve


def _next(page: Any) -> str | None:
    return None if page is None else f"{URL}?date={DAY}&at={page}"


def _url_at(request: Request) -> int | None:
    _dated(request)
    at = query(request).get("at")
    return None if at is None else _number(at)


def _style(name: str, **keys: Any) -> dict[str, Any]:
    return {"pagination": {"style": name, **keys}}


SIZE = 3
_POST = {"method": "POST", "date_param": None}
_SLOT = {**_POST, "body": {"day": "{date}", "at": {"cursor": "{cursor}"}}}

STYLES: dict[str, Served] = {
    "page until empty": Served(_style("page"), numbered()),
    "page until short": Served(_style("page", stop="short", size=SIZE), numbered(), even=SIZE),
    "page until has_more": Served(
        _style("page", has_more="meta.more"), numbered(lambda pages, n: {"meta": {"more": n < len(pages)}}), gaps=True
    ),
    "page of a number": Served(
        _style("page", total_pages="pages"), numbered(lambda pages, n: {"pages": len(pages)}), gaps=True
    ),
    "page of a number in a header": Served(
        _style("page", total_pages="header:X-Pages"), numbered(heads=lambda p, n: {"x-pages": str(len(p))}), gaps=True
    ),
    "page of a total": Served(
        _style("page", total_records="n"), numbered(lambda pages, n: {"n": sum(map(len, pages))})
    ),
    "page of a total and a size": Served(
        _style("page", total_records="n", size=SIZE), numbered(lambda pages, n: {"n": sum(map(len, pages))}), even=SIZE
    ),
    "page in a header": Served(
        _style("page", param="X-Page", send="header"), numbered(read=lambda request: request.headers["X-Page"])
    ),
    "page in a body": Served(
        _POST | _style("page", param="paging.page", send="body") | {"body": {"day": "{date}"}},
        numbered(read=lambda request: sent(request)["paging"]["page"]),
    ),
    "page in a slot": Served(
        _POST | _style("page") | {"body": {"day": "{date}", "page": "{page}"}},
        numbered(read=lambda request: sent(request)["page"]),
    ),
    "offset until empty": Served(_style("offset", size=SIZE), offset(), even=SIZE),
    "offset until short": Served(_style("offset", size=SIZE, stop="short"), offset(), even=SIZE),
    "offset until has_more": Served(
        _style("offset", size=SIZE, has_more="more"), offset(lambda n, end: {"more": end < n}), even=SIZE
    ),
    "offset of a total": Served(
        _style("offset", size=SIZE, total_records="n"), offset(lambda n, end: {"n": n}), even=SIZE
    ),
    "cursor until null": Served(
        _style("cursor", path="meta.next"),
        chained(lambda n: f"c{n}=", lambda c, end: ({"meta": {"next": c}}, {}), lambda r: query(r).get("cursor")),
        gaps=True,
    ),
    "cursor until missing": Served(
        _style("cursor", path="next", stop="next_missing", param="after"),
        chained(lambda n: f"c {n}", lambda c, end: ({"next": c} if c else {}, {}), lambda r: query(r).get("after")),
        gaps=True,
    ),
    "cursor until has_more": Served(
        _style("cursor", path="next", has_more="more"),
        chained(lambda n: f"c{n}", lambda c, end: ({"next": c, "more": not end}, {}), lambda r: query(r).get("cursor")),
        gaps=True,
    ),
    "cursor until empty": Served(
        _style("cursor", path="next", stop="empty"),
        chained(lambda n: f"c{n}", lambda c, end: ({"next": c}, {}), lambda r: query(r).get("cursor"), endless=True),
    ),
    "cursor until short": Served(
        _style("cursor", path="next", stop="short", size=SIZE),
        chained(lambda n: f"c{n}", lambda c, end: ({"next": c}, {}), lambda r: query(r).get("cursor"), endless=True),
        even=SIZE,
    ),
    "cursor in headers": Served(
        _style("cursor", path="header:X-Next", param="X-At", send="header", stop="next_missing"),
        chained(lambda n: f"c{n}", lambda c, end: ({}, {"x-next": c} if c else {}), lambda r: r.headers.get("X-At")),
        gaps=True,
    ),
    "cursor that is a number in a body": Served(
        _POST | _style("cursor", path="next", param="at.cursor", send="body") | {"body": {"day": "{date}"}},
        chained(lambda n: n * 10**20, lambda c, end: ({"next": c}, {}), lambda r: sent(r).get("at", {}).get("cursor")),
        gaps=True,
    ),
    "cursor that is a list in a slot": Served(
        _SLOT | _style("cursor", path="sort"),
        chained(lambda n: [n, "b"], lambda c, end: ({"sort": c}, {}), lambda r: sent(r)["at"].get("cursor")),
        gaps=True,
    ),
    "record until has_more": Served(
        _style("cursor", record="id", param="starting_after", has_more="more", size=SIZE, size_param="limit"),
        after(lambda end: {"more": not end}, SIZE),
        even=SIZE,
    ),
    "record until empty": Served(
        _style("cursor", record="id", param="starting_after", size=SIZE, size_param="limit"),
        after(lambda end: {}, SIZE),
        even=SIZE,
    ),
    "next_url until null": Served(
        _style("next_url"), chained(lambda n: n, lambda c, end: ({"next": _next(c)}, {}), _url_at), gaps=True
    ),
    "next_url until missing": Served(
        _style("next_url", path="@odata.nextLink", stop="next_missing"),
        chained(lambda n: n, lambda c, end: ({"@odata.nextLink": _next(c)} if c else {}, {}), _url_at),
        gaps=True,
    ),
    "link followed": Served(_style("link"), links(last=False), gaps=True),
    "link with the last page": Served(_style("link", param="page"), links(last=True), gaps=True),
    "none": Served(
        _style("none"), lambda pages: lambda request: answer([r for page in pages for r in page], {}), even=100
    ),
}
"""Every style, with every stop rule that it has and every place that its position is sent in."""
