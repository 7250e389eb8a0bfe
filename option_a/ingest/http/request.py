"""How page n of a task is asked for: the source's own request, the date, and the position. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import msgspec

from option_a.ingest.config import Source, fill_template, format_date, set_path
from option_a.ingest.errors import PaginationError
from option_a.ingest.http.urls import same_origin, without_params
from option_a.ingest.jsontext import to_raw
from option_a.ingest.pagination import Cursor, PageInfo, PageRequest
from option_a.ingest.ports import Request
from option_a.ingest.task import Task

JSON = {"Content-Type": "application/json"}


def build_request(source: Source, task: Task, page: int, cursor: Cursor | None) -> Request:
    """The request. Credentials are not in it: they come along when it is sent."""
    asked = source.pagination.ask(page, cursor)
    _check_origin(source, asked.url)  # the cursor may come from a manifest that others can write
    if source.slots & asked.slots.keys():
        asked = asked.inlined()
    dated, moments = _dated(source, task)
    # the API's own next url holds every parameter already
    params = {**source.query, **dated, **asked.params} if asked.url is None else {}
    body = _body(source, asked, {**moments, **asked.slots})
    headers = {**source.reading.accept, **(JSON if body else {}), **source.plain_headers, **asked.headers}
    url = asked.url or source.url
    return Request(source.name, url, params, source.timeout, source.max_body, headers, method=source.method, body=body)


def resolve_next(source: Source, cursor: Cursor | None, info: PageInfo) -> PageInfo:
    """A next URL made whole and without credentials. Raises PaginationError if it leads to another host."""
    if info.cursor is None or not source.pagination.follows:
        return info
    url = urljoin(str(cursor or source.url), str(info.cursor))
    _check_origin(source, url)
    return msgspec.structs.replace(info, cursor=without_params(url, source.secret_params))


def _check_origin(source: Source, url: str | None) -> None:
    """Raises PaginationError for a URL of another host: credentials go along with every request."""
    if url is not None and not same_origin(source.url, url):
        raise PaginationError("the next url leads to another host", hint="if that is the API, give `url` its address")


def _dated(source: Source, task: Task) -> tuple[dict[str, str], dict[str, Any]]:
    """The parameters that hold the date, and what stands for it in a body."""
    if source.date_param is not None:
        date = format_date(task.date, source.date_format)
        return {source.date_param: str(date)}, {"date": date}
    if source.body is None and source.window is None:
        return {}, {}
    moments: dict[str, Any] = {"date": format_date(task.date, source.date_format)}
    if source.window is None:
        return {}, moments
    window = source.window
    moments["from"], moments["to"] = window.bounds(task.date)
    named = ((window.first, moments["from"]), (window.last, moments["to"]))
    return {name: str(moment) for name, moment in named if name}, moments


def _body(source: Source, asked: PageRequest, values: Mapping[str, Any]) -> bytes | None:
    if source.body is None and not asked.fields:
        return None
    body = fill_template(source.body or {}, values)
    for path, value in asked.fields.items():
        set_path(body, path, to_raw(value))
    return msgspec.json.encode(body)
