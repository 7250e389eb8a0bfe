"""The way of one page: fetched, split, packed, landed. Runs in a thread of its own; the ledger is not its business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from isal import isal_zlib

from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.fields import apply
from option_a.ingest.decode.lossless import KEPT, DecodedBody, check_errors
from option_a.ingest.errors import BodyError, HttpError, OptionAError
from option_a.ingest.http.request import request_of
from option_a.ingest.lake.keys import page_key
from option_a.ingest.load.job import Job
from option_a.ingest.load.retrying import fetch_with_retries
from option_a.ingest.manifest.rows import Row, checksum
from option_a.ingest.pagination import Cursor, PageInfo, PageResponse
from option_a.ingest.ports import Response, unredacted

GZIP_LEVEL = 1
HEAD = 8
"""Bytes of a page that are packed before the rest: see `pack`."""


class LandedPage(msgspec.Struct, frozen=True):
    """A page that is in the lake: its row, what else its answer said, and where its records were."""

    row: Row
    meta: Any
    path: str
    headers: Mapping[str, str] = {}
    final: bytes = b""
    """Its last record, as it came."""
    ended_by: int | None = None
    """A status that the source takes for the end: there are no records, and nothing to read."""
    hide: Callable[[bytes], bytes] = unredacted
    """As its response has it."""

    @property
    def page(self) -> int:
        return self.row.page


class FailedPage(msgspec.Struct, frozen=True):
    """A page that is not; `error` knows its place."""

    page: int
    error: BaseException


def land_page(job: Job, page: int, cursor: Cursor | None) -> LandedPage | FailedPage:
    """Fetch page n and put its records into the lake. Never raises: what went wrong is a value too."""
    try:
        response = fetch_with_retries(job, request_of(job.source, job.task, page, cursor), page)
        if response.empty:
            return LandedPage(
                Row(page, 0, 0, ""), None, job.load.path or "", response.headers, ended_by=response.status
            )
        found = _read(job, response)
        row, final = _put(job, page, found), final_record(found)
        return LandedPage(row, found.meta, found.path, response.headers, final, hide=response.redact)
    except OptionAError as error:
        # a cursor that the API refuses will not be taken later either
        if cursor is not None and isinstance(error, HttpError) and error.status not in (401, 403):
            error.restart = True
        if job.source.fields is not None:
            forget_body(error)
        return FailedPage(page, error.at(job.where(page)))
    except BaseException as error:
        return FailedPage(page, error)


def recheck_page(job: Job, page: int) -> PageInfo:
    """What a numbered page that has landed tells now; nothing of it lands. Raises what is wrong with it."""
    response = fetch_with_retries(job, request_of(job.source, job.task, page, None), page)
    if response.empty:
        return PageInfo(last=page)
    found = _read(job, response)
    so_far = max(job.load.records, found.records)
    return job.source.pagination.read(PageResponse(page, found.records, so_far, found.meta, response.headers))


def _read(job: Job, response: Response) -> DecodedBody:
    try:
        return _split(job, response.body)
    except OptionAError as error:
        redact(error, response.redact)
        raise


def redact(error: OptionAError, hide: Callable[[bytes], bytes]) -> None:
    """Take the secrets that were sent out of an error: an API may repeat them, a piece of its body may cut them."""
    if error.body is not None:
        body = hide(error.body)
        if isinstance(error, BodyError) and body != error.body:
            error.what = error.bare
        error.body = body
    error.what, error.hint = (_masked(text, hide) for text in (error.what, error.hint))


def _masked(text: str, hide: Callable[[bytes], bytes]) -> str:
    return hide(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")


def _split(job: Job, body: bytes) -> DecodedBody:
    """The records, where the source or the first page has them: a body of another shape is an error, not a record."""
    where = job.source.records or job.load.path
    found = read_body(body, job.source.reading, where or None)
    if where is not None and found.path != where and job.source.format == "json":
        raise BodyError(
            f"the first page's body was its one record, and this one's records are at `{found.path}`",
            hint='say where they are: records = "…"',
            body=body,
        )
    check_errors(found, body, job.source.errors)
    return found


def forget_body(error: OptionAError) -> None:
    """A body whose fields were never dropped nor hashed is neither kept nor shown."""
    error.body = None
    error.what = error.bare if isinstance(error, BodyError) else error.what
    error.hint = error.hint.replace(KEPT, "it was not kept: `fields` is set")


def final_record(found: DecodedBody) -> bytes:
    """The last record, without its newline: some cursors are a field of it."""
    return found.lines[found.lines.rfind(b"\n", 0, -1) + 1 : -1]


def pack(lines: bytes) -> bytes:
    """Gzip with no time and no name in it: the same lines give the same bytes, on one kind of processor.

    A stream that begins in ISA-L's fast loop files its third byte under a hash of the stream's own address, so that one
    stream in some thousands comes out otherwise (2.32.1, x86-64). Some bytes that are flushed first begin it elsewhere.
    """
    packer = isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, 31)
    head = packer.compress(lines[:HEAD]) + packer.flush(isal_zlib.Z_SYNC_FLUSH)
    return bytes(head + packer.compress(memoryview(lines)[HEAD:]) + packer.flush())


def _put(job: Job, page: int, found: DecodedBody) -> Row:
    if not found.records:
        return Row(page, 0, 0, "")
    fields = job.source.fields
    data = pack(found.lines if fields is None else apply(fields, found.lines, job.salt))
    job.ensure_lease()
    job.world.lake.put(page_key(job.prefix, page), data)
    return Row(page, found.records, len(data), checksum(data))
