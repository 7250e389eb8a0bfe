"""One answer read by itself, outside of a load: for `preview`, `add` and `doctor`. Pure."""

from __future__ import annotations

from collections.abc import Callable

from option_a.ingest.config.source import Source
from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.lossless import KEPT, DecodedBody, check_errors
from option_a.ingest.errors import OptionAError
from option_a.ingest.http.request import followed
from option_a.ingest.load.page import final_record, forget_body, redact
from option_a.ingest.pagination import PageInfo, PageResponse
from option_a.ingest.ports import Response, unredacted


def records_of(source: Source, response: Response, where: str | None = None) -> DecodedBody:
    """The records of an answer; `where` they were on an earlier page. Raises BodyError."""
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
    """What the answer to a source's first page tells. Raises PaginationError."""
    if response.empty:
        return PageInfo(last=1)
    seen = PageResponse(1, found.records, found.records, found.meta, response.headers, final_record(found))
    try:
        return followed(source, None, source.pagination.read(seen))
    except OptionAError as error:
        redact(error, response.redact)
        raise


def redact_for_display(
    error: OptionAError, source: Source, hide: Callable[[bytes], bytes] = unredacted
) -> OptionAError:
    """The same error of an answer that is shown and not kept, in a command that is given again."""
    redact(error, hide)
    shown = "its beginning is below" if source.fields is None else "it is not shown: `fields` is set"
    error.hint = error.hint.replace(KEPT, shown).replace("then option-a redrive", "then again")
    if source.fields is not None:
        forget_body(error)
    return error
