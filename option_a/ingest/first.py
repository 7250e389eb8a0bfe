"""One answer read by itself, outside of a load: for `preview`, `add` and `doctor`. Pure."""

from __future__ import annotations

from option_a.ingest.bodies import read_body
from option_a.ingest.outline import Split, check_errors
from option_a.ingest.page import final_record
from option_a.ingest.paginate import Seen, Told
from option_a.ingest.ports import Response
from option_a.ingest.request import followed
from option_a.ingest.source import Source


def records_of(source: Source, response: Response, where: str | None = None) -> Split:
    """The records of an answer; `where` they were on an earlier page. Raises BodyError."""
    if response.empty:
        return Split(b"", 0, None, where or source.records or "")
    found = read_body(response.body, source.reading, source.records or where)
    if source.errors == "error":
        check_errors(found, response.body)
    return found


def told_by(source: Source, response: Response, found: Split) -> Told:
    """What the answer to a source's first page tells. Raises PaginationError."""
    if response.empty:
        return Told(last=1)
    seen = Seen(1, found.records, found.records, found.meta, response.headers, final_record(found))
    return followed(source, None, source.pagination.read(seen))
