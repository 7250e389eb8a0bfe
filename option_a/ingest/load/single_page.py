"""One answer read by itself, outside of a load: for `preview`, `add` and `doctor`. Pure."""

from __future__ import annotations

from collections.abc import Callable

from option_a.ingest.config.source import Source
from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.lossless import KEPT, Split, check_errors
from option_a.ingest.errors import OptionAError
from option_a.ingest.http.request import followed
from option_a.ingest.load.page import final_record, forget_body, mask
from option_a.ingest.pagination import Seen, Told
from option_a.ingest.ports import Response, as_it_is


def records_of(source: Source, response: Response, where: str | None = None) -> Split:
    """The records of an answer; `where` they were on an earlier page. Raises BodyError."""
    if response.empty:
        return Split(b"", 0, None, where or source.records or "")
    try:
        found = read_body(response.body, source.reading, source.records or where)
        check_errors(found, response.body, source.errors)
    except OptionAError as error:
        mask(error, response.hide)
        raise
    return found


def told_by(source: Source, response: Response, found: Split) -> Told:
    """What the answer to a source's first page tells. Raises PaginationError."""
    if response.empty:
        return Told(last=1)
    seen = Seen(1, found.records, found.records, found.meta, response.headers, final_record(found))
    try:
        return followed(source, None, source.pagination.read(seen))
    except OptionAError as error:
        mask(error, response.hide)
        raise


def looked_at(error: OptionAError, source: Source, hide: Callable[[bytes], bytes] = as_it_is) -> OptionAError:
    """The same error of an answer that is shown and not kept, in a command that is given again."""
    mask(error, hide)
    shown = "its beginning is below" if source.fields is None else "it is not shown: `fields` is set"
    error.hint = error.hint.replace(KEPT, shown).replace("then option-a redrive", "then again")
    if source.fields is not None:
        forget_body(error)
    return error
