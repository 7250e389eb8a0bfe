"""Reads one answer outside a load, for `preview`, `add` and `doctor`. Pure."""

from __future__ import annotations

from option_a.ingest.config import Source
from option_a.ingest.decode import DecodedBody, check_errors, read_body
from option_a.ingest.errors import OptionAError
from option_a.ingest.http import resolve_next
from option_a.ingest.load.page import final_record
from option_a.ingest.load.redact import redact
from option_a.ingest.pagination import PageInfo, PageResponse
from option_a.ingest.ports import Response


def records_of(source: Source, response: Response, where: str | None = None) -> DecodedBody:
    """The records of an answer; `where`: their place on an earlier page. Raises BodyError."""
    if response.empty:
        return DecodedBody(b"", 0, None, where or source.records or "")
    try:
        found = read_body(response.body, source.reading, source.records or where)
        check_errors(found, response.body, source.errors)
    except OptionAError as error:
        redact(error, response.redact)
        raise
    return found


def page_info_of(source: Source, response: Response, found: DecodedBody) -> PageInfo:
    """What page 1 says of the pages that follow. Raises PaginationError."""
    if response.empty:
        return PageInfo(last=1)
    seen = PageResponse(1, found.records, found.records, found.meta, response.headers, final_record(found))
    try:
        return resolve_next(source, None, source.pagination.read(seen))
    except OptionAError as error:
        redact(error, response.redact)
        raise
