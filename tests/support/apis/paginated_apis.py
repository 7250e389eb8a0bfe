"""Strict paginated APIs for `pagination_styles`: requests that their documentation does not mention fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError
from option_a.ingest.ports import Request, Response
from tests.support.pipeline import ApiFunction, source

Record = dict[str, Any]
Pages = list[list[Record]]
URL = "https://api.test/s"
DAY = "2023-11-01"


def rejected(why: str) -> HttpError:
    """The error of a strict API."""
    return HttpError(f"the API answered 400: {why}", status=400)


def split_into_pages(records: list[Record], sizes: list[int]) -> Pages:
    """The records in pages of these sizes, the last size repeated as often as needed."""
    pages, at = [], 0
    for size in sizes:
        pages.append(records[at : at + size])
        at += size
    while at < len(records):
        pages.append(records[at : at + max(1, sizes[-1])])
        at += max(1, sizes[-1])
    return pages


def query_params(request: Request) -> dict[str, str]:
    """Every query parameter, including those of the URL."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(request.url).query).items()} | dict(request.params)


def json_body(request: Request) -> Any:
    """The JSON body of a POST."""
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    return json.loads(request.body or b"")


def answer(records: list[Record], more: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A page as most APIs send it."""
    return Response(200, headers or {}, msgspec.json.encode({"data": records, **more}))


class PaginatedApi(NamedTuple):
    """A pagination style: how its source is declared, and the API that serves it."""

    fields: Mapping[str, Any]
    api_for: Callable[[Pages], ApiFunction]
    allows_empty_pages: bool = False
    """Whether there may be empty pages before the last."""
    page_size: int | None = None
    """The number of records on every page but the last, if fixed."""

    @property
    def source(self) -> Source:
        return source(url=URL, parallel=3, **self.fields)


def as_number(text: Any) -> int:
    """The number in a parameter."""
    if not str(text).isdigit():
        raise rejected(f"{text!r} is no number")
    return int(text)


def require_date(request: Request) -> None:
    """The API refuses requests without its only date."""
    if query_params(request).get("date") != DAY:
        raise rejected("no date")


def numbered(
    more: Callable[[Pages, int], Mapping[str, Any]] = lambda pages, n: {},
    heads: Callable[[Pages, int], Mapping[str, str]] = lambda pages, n: {},
    read: Callable[[Request], Any] = lambda request: query_params(request).get("page"),
) -> Callable[[Pages], ApiFunction]:
    """Pages by number from 1."""

    def serve(pages: Pages) -> ApiFunction:
        def api(request: Request) -> Response:
            n = as_number(read(request))
            page = pages[n - 1] if 0 < n <= len(pages) else []
            return answer(page, more(pages, n), heads(pages, n))

        return api

    return serve


def offset(more: Callable[[int, int], Mapping[str, Any]] = lambda total, end: {}) -> Callable[[Pages], ApiFunction]:
    """Records by position: `offset` and `limit`."""

    def serve(pages: Pages) -> ApiFunction:
        records = [record for page in pages for record in page]

        def api(request: Request) -> Response:
            require_date(request)
            at, limit = as_number(query_params(request).get("offset")), as_number(query_params(request).get("limit"))
            return answer(records[at : at + limit], more(len(records), at + limit))

        return api

    return serve


def chained(
    token: Callable[[int], Any],
    tell: Callable[[Any, bool], tuple[Mapping[str, Any], Mapping[str, str]]],
    read: Callable[[Request], Any],
    *,
    endless: bool = False,
) -> Callable[[Pages], ApiFunction]:
    """Each page carries the token of the next; an `endless` API sends one on the last page too, then an empty page."""

    def serve(pages: Pages) -> ApiFunction:
        known = {json.dumps(token(n)): n for n in range(1, len(pages) + 2)}

        def api(request: Request) -> Response:
            given = read(request)
            n = 0 if given is None else known.get(json.dumps(given), -1)
            if n < 0:
                raise rejected(f"the cursor {given!r} is unknown")
            final = n + 1 >= len(pages)
            more, headers = tell(None if final and not endless else token(n + 1), final)
            return answer(pages[n] if n < len(pages) else [], more, headers)

        return api

    return serve


def after_record(more: Callable[[bool], Mapping[str, Any]], size: int) -> Callable[[Pages], ApiFunction]:
    """Records after the named one: `starting_after` and `limit`."""

    def serve(pages: Pages) -> ApiFunction:
        records = [record for page in pages for record in page]
        places = {record["id"]: place for place, record in enumerate(records, 1)}

        def api(request: Request) -> Response:
            asked = query_params(request)
            named = asked.get("starting_after")
            if asked.get("limit") != str(size) or (named is not None and named not in places):
                raise rejected("no such record")
            at = 0 if named is None else places[named]
            return answer(records[at : at + size], more(at + size >= len(records)))

        return api

    return serve


def link_header(*, last: bool) -> Callable[[Pages], ApiFunction]:
    """The Link header, as GitHub sends it."""

    def serve(pages: Pages) -> ApiFunction:
        def api(request: Request) -> Response:
            require_date(request)
            n, final = as_number(query_params(request).get("page", "1")), max(1, len(pages))
            if n > final:
                raise rejected("past the end")
            found = {"prev": n - 1, "next": n + 1, **({"last": final} if last else {})}
            if n == final:
                found = {"prev": n - 1}
            header = ", ".join(f'<{URL}?date={DAY}&page={to}>; rel="{name}"' for name, to in found.items() if to)
            return answer(pages[n - 1] if pages else [], {}, {"link": header} if header else {})

        return api

    return serve
