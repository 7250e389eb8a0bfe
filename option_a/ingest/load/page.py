"""The way of one page: fetched, decoded, packed, landed. It does not touch the manifest, so threads run it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from isal import isal_zlib

from option_a.ingest.decode import DecodedBody, apply_fields, check_errors, read_body
from option_a.ingest.errors import BodyError, HttpError, OptionAError
from option_a.ingest.http import build_request
from option_a.ingest.lake import page_key
from option_a.ingest.load.job import Job
from option_a.ingest.load.redact import forget_body, redact
from option_a.ingest.load.retrying import fetch_with_retries
from option_a.ingest.manifest import Row, checksum
from option_a.ingest.pagination import Cursor, PageInfo, PageResponse
from option_a.ingest.ports import Redact, Response, unredacted

GZIP_LEVEL = 1
HEAD = 8
"""Bytes of a page that are compressed before the rest: see `pack`."""


class LandedPage(msgspec.Struct, frozen=True):
    """A page in the lake: its row, the rest of its answer, and where its records were."""

    row: Row
    meta: Any
    path: str
    headers: Mapping[str, str] = {}
    last_record: bytes = b""
    """Its last record, as received."""
    ended_by: int | None = None
    """The status that means the end for this source: no body was read."""
    redact: Redact = unredacted
    """Removes the request's secrets."""

    @property
    def page(self) -> int:
        return self.row.page


class FailedPage(msgspec.Struct, frozen=True):
    """A page that did not land; `error` names its place."""

    page: int
    error: BaseException


def land_page(job: Job, page: int, cursor: Cursor | None) -> LandedPage | FailedPage:
    """Fetch page n and put its records into the lake. Never raises: a failure is a value too."""
    try:
        response = fetch_with_retries(job, build_request(job.source, job.task, page, cursor), page)
        if response.empty:
            return LandedPage(
                Row(page, 0, 0, ""), None, job.load.path or "", response.headers, ended_by=response.status
            )
        found = _read(job, response)
        row, final = _put(job, page, found), final_record(found)
        return LandedPage(row, found.meta, found.path, response.headers, final, redact=response.redact)
    except OptionAError as error:
        # a cursor that the API refuses now will be refused later too
        if cursor is not None and isinstance(error, HttpError) and error.status not in (401, 403):
            error.restart = True
        if job.source.fields is not None:
            forget_body(error)
        return FailedPage(page, error.at(job.where(page)))
    except BaseException as error:  # the loader decides what follows, in its own thread
        return FailedPage(page, error)


def recheck_page(job: Job, page: int) -> PageInfo:
    """Request a landed page again, by number, and read what it says now. Nothing lands. Raises OptionAError."""
    response = fetch_with_retries(job, build_request(job.source, job.task, page, None), page)
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


def _split(job: Job, body: bytes) -> DecodedBody:
    """The records at the place that the source or page 1 has them: a body of another shape is an error."""
    where = job.source.records or job.load.path
    found = read_body(body, job.source.reading, where or None)
    if where is not None and found.path != where and job.source.format == "json":
        raise BodyError(
            f"page 1 was a single record, but this page has a list of records at `{found.path}`",
            hint='say where they are: records = "…"',
            body=body,
        )
    check_errors(found, body, job.source.errors)
    return found


def final_record(found: DecodedBody) -> bytes:
    """The last record, without its newline: it may hold the cursor."""
    return found.lines[found.lines.rfind(b"\n", 0, -1) + 1 : -1]


def pack(lines: bytes) -> bytes:
    """Gzip without time and name: the same lines give the same bytes, on one kind of processor.

    Where a stream begins in ISA-L's fast loop, its third byte is hashed with the stream's own address, so that one
    stream in about 10,000 differs (2.32.1, x86-64). Flushing a few bytes first avoids that loop.
    """
    packer = isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, 31)
    head = packer.compress(lines[:HEAD]) + packer.flush(isal_zlib.Z_SYNC_FLUSH)
    return bytes(head + packer.compress(memoryview(lines)[HEAD:]) + packer.flush())


def _put(job: Job, page: int, found: DecodedBody) -> Row:
    if not found.records:  # an empty page has a row and no object
        return Row(page, 0, 0, "")
    fields = job.source.fields
    data = pack(found.lines if fields is None else apply_fields(fields, found.lines, job.salt))
    job.lease.ensure()  # packing may have taken long
    job.services.lake.put(page_key(job.prefix, page), data)
    return Row(page, found.records, len(data), checksum(data))
