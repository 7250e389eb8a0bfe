"""What a landed page says of the pages that follow it."""

from __future__ import annotations

from option_a.ingest.config import Source
from option_a.ingest.errors import HttpError, PaginationError, RepeatError
from option_a.ingest.http import resolve_next
from option_a.ingest.load.page import FailedPage, LandedPage
from option_a.ingest.load.shrunk import refusal_in
from option_a.ingest.manifest import Load
from option_a.ingest.pagination import PageInfo, PageResponse


def read_page_info(source: Source, load: Load, landed: LandedPage, resumed: int | None) -> PageInfo:
    """The end, the cursor and the total that a page declares. Raises PaginationError, HttpError.

    `resumed` is the page that was requested by a cursor of an earlier delivery: a stale cursor would look like the end.
    """
    row = landed.row
    if landed.ended_by is None:
        so_far = load.records + row.records
        response = PageResponse(row.page, row.records, so_far, landed.meta, landed.headers, landed.last_record)
        return resolve_next(source, load.cursor, source.pagination.read(response))
    if load.last is not None and row.page <= load.last:
        what = f"the API declares {load.last} pages, and page {row.page} was answered {landed.ended_by}"
        raise PaginationError(what, hint='it means "empty": correct `statuses`, or what declares the pages')
    if row.page == resumed:
        hint = "the cursor at which the load stood is refused"
        raise HttpError(f"the API answered {landed.ended_by}", status=landed.ended_by, hint=hint)
    return PageInfo(last=row.page)


def confirms_single_page(load: Load, failed: FailedPage) -> bool:
    """Whether page 2 only confirms that a short page 1 was the last: the API refuses it, or sends page 1 again."""
    if not (load.may_be_last and failed.page == 2):
        return False
    return refusal_in(failed.error) is not None or isinstance(failed.error, RepeatError)
