"""Every pagination style with its source and its API, for pagination tests and the simulation."""

from __future__ import annotations

from typing import Any

from option_a.ingest.ports import Request
from tests.support.apis.paginated_apis import (
    DAY,
    URL,
    PaginatedApi,
    after_record,
    answer,
    as_number,
    chained,
    json_body,
    link_header,
    numbered,
    offset,
    query_params,
    require_date,
)


def _next(page: Any) -> str | None:
    return None if page is None else f"{URL}?date={DAY}&at={page}"


def _url_at(request: Request) -> int | None:
    require_date(request)
    at = query_params(request).get("at")
    return None if at is None else as_number(at)


def _style(name: str, **keys: Any) -> dict[str, Any]:
    return {"pagination": {"style": name, **keys}}


SIZE = 3
_POST = {"method": "POST", "date_param": None}
_SLOT = {**_POST, "body": {"day": "{date}", "at": {"cursor": "{cursor}"}}}

STYLES: dict[str, PaginatedApi] = {
    "page until empty": PaginatedApi(_style("page"), numbered()),
    "page until short": PaginatedApi(_style("page", stop="short", size=SIZE), numbered(), page_size=SIZE),
    "page until has_more": PaginatedApi(
        _style("page", has_more="meta.more"),
        numbered(lambda pages, n: {"meta": {"more": n < len(pages)}}),
        allows_empty_pages=True,
    ),
    "page of a number": PaginatedApi(
        _style("page", total_pages="pages"), numbered(lambda pages, n: {"pages": len(pages)}), allows_empty_pages=True
    ),
    "page of a number in a header": PaginatedApi(
        _style("page", total_pages="header:X-Pages"),
        numbered(heads=lambda p, n: {"x-pages": str(len(p))}),
        allows_empty_pages=True,
    ),
    "page of a total": PaginatedApi(
        _style("page", total_records="n"), numbered(lambda pages, n: {"n": sum(map(len, pages))})
    ),
    "page of a total and a size": PaginatedApi(
        _style("page", total_records="n", size=SIZE),
        numbered(lambda pages, n: {"n": sum(map(len, pages))}),
        page_size=SIZE,
    ),
    "page in a header": PaginatedApi(
        _style("page", param="X-Page", send="header"), numbered(read=lambda request: request.headers["X-Page"])
    ),
    "page in a body": PaginatedApi(
        _POST | _style("page", param="paging.page", send="body") | {"body": {"day": "{date}"}},
        numbered(read=lambda request: json_body(request)["paging"]["page"]),
    ),
    "page in a slot": PaginatedApi(
        _POST | _style("page") | {"body": {"day": "{date}", "page": "{page}"}},
        numbered(read=lambda request: json_body(request)["page"]),
    ),
    "offset until empty": PaginatedApi(_style("offset", size=SIZE), offset(), page_size=SIZE),
    "offset until short": PaginatedApi(_style("offset", size=SIZE, stop="short"), offset(), page_size=SIZE),
    "offset until has_more": PaginatedApi(
        _style("offset", size=SIZE, has_more="more"), offset(lambda n, end: {"more": end < n}), page_size=SIZE
    ),
    "offset of a total": PaginatedApi(
        _style("offset", size=SIZE, total_records="n"), offset(lambda n, end: {"n": n}), page_size=SIZE
    ),
    "cursor until null": PaginatedApi(
        _style("cursor", path="meta.next"),
        chained(
            lambda n: f"c{n}=", lambda c, end: ({"meta": {"next": c}}, {}), lambda r: query_params(r).get("cursor")
        ),
        allows_empty_pages=True,
    ),
    "cursor until missing": PaginatedApi(
        _style("cursor", path="next", stop="next_missing", param="after"),
        chained(
            lambda n: f"c {n}", lambda c, end: ({"next": c} if c else {}, {}), lambda r: query_params(r).get("after")
        ),
        allows_empty_pages=True,
    ),
    "cursor until has_more": PaginatedApi(
        _style("cursor", path="next", has_more="more"),
        chained(
            lambda n: f"c{n}",
            lambda c, end: ({"next": c, "more": not end}, {}),
            lambda r: query_params(r).get("cursor"),
        ),
        allows_empty_pages=True,
    ),
    "cursor until empty": PaginatedApi(
        _style("cursor", path="next", stop="empty"),
        chained(
            lambda n: f"c{n}", lambda c, end: ({"next": c}, {}), lambda r: query_params(r).get("cursor"), endless=True
        ),
    ),
    "cursor until short": PaginatedApi(
        _style("cursor", path="next", stop="short", size=SIZE),
        chained(
            lambda n: f"c{n}", lambda c, end: ({"next": c}, {}), lambda r: query_params(r).get("cursor"), endless=True
        ),
        page_size=SIZE,
    ),
    "cursor in headers": PaginatedApi(
        _style("cursor", path="header:X-Next", param="X-At", send="header", stop="next_missing"),
        chained(lambda n: f"c{n}", lambda c, end: ({}, {"x-next": c} if c else {}), lambda r: r.headers.get("X-At")),
        allows_empty_pages=True,
    ),
    "cursor that is a number in a body": PaginatedApi(
        _POST | _style("cursor", path="next", param="at.cursor", send="body") | {"body": {"day": "{date}"}},
        chained(
            lambda n: n * 10**20, lambda c, end: ({"next": c}, {}), lambda r: json_body(r).get("at", {}).get("cursor")
        ),
        allows_empty_pages=True,
    ),
    "cursor that is a list in a slot": PaginatedApi(
        _SLOT | _style("cursor", path="sort"),
        chained(lambda n: [n, "b"], lambda c, end: ({"sort": c}, {}), lambda r: json_body(r)["at"].get("cursor")),
        allows_empty_pages=True,
    ),
    "record until has_more": PaginatedApi(
        _style("cursor", record="id", param="starting_after", has_more="more", size=SIZE, size_param="limit"),
        after_record(lambda end: {"more": not end}, SIZE),
        page_size=SIZE,
    ),
    "record until empty": PaginatedApi(
        _style("cursor", record="id", param="starting_after", size=SIZE, size_param="limit"),
        after_record(lambda end: {}, SIZE),
        page_size=SIZE,
    ),
    "next_url until null": PaginatedApi(
        _style("next_url"),
        chained(lambda n: n, lambda c, end: ({"next": _next(c)}, {}), _url_at),
        allows_empty_pages=True,
    ),
    "next_url until missing": PaginatedApi(
        _style("next_url", path="@odata.nextLink", stop="next_missing"),
        chained(lambda n: n, lambda c, end: ({"@odata.nextLink": _next(c)} if c else {}, {}), _url_at),
        allows_empty_pages=True,
    ),
    "link followed": PaginatedApi(_style("link"), link_header(last=False), allows_empty_pages=True),
    "link with the last page": PaginatedApi(
        _style("link", param="page"), link_header(last=True), allows_empty_pages=True
    ),
    "none": PaginatedApi(
        _style("none"), lambda pages: lambda request: answer([r for page in pages for r in page], {}), page_size=100
    ),
}
"""Every style, with each of its stop rules and each place in which the position is sent."""
