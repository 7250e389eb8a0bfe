"""The way of one page: fetched, split, packed, landed. Runs in a thread of its own; the ledger is not its business."""

from __future__ import annotations

from typing import Any

import msgspec
from isal import isal_zlib

from option_a.ingest.errors import BodyError, HttpError, OptionAError, TransientError
from option_a.ingest.job import Job
from option_a.ingest.layout import page_key
from option_a.ingest.manifest import Row, checksum
from option_a.ingest.ports import Request, Response
from option_a.ingest.records import Split, split
from option_a.ingest.retry import Retry, decide
from option_a.ingest.source import Source
from option_a.ingest.task import Task

GZIP_LEVEL = 1


class Answer(msgspec.Struct, frozen=True):
    """A page that is in the lake: its row, what else its body said, and where its records were."""

    row: Row
    meta: Any
    path: str

    @property
    def page(self) -> int:
        return self.row.page


class Fault(msgspec.Struct, frozen=True):
    """A page that is not; `error` knows its place."""

    page: int
    error: BaseException


def request_of(source: Source, task: Task, page: int, cursor: str | None) -> Request:
    """How page n of a task is asked for."""
    ask = source.pagination.ask(page, cursor)
    date = {source.date_param: task.day} if source.date_param else {}
    # the API's own next url holds every parameter already
    params = {**source.query, **date, **ask.params} if ask.url is None else {}
    return Request(source.name, ask.url or source.url, params, source.timeout, source.max_body)


def land_page(job: Job, page: int, cursor: str | None) -> Answer | Fault:
    """Fetch page n and put its records into the lake. Never raises: what went wrong is a value too."""
    try:
        response = _fetched(job, request_of(job.source, job.task, page, cursor), page)
        found = _split(job, response.body)
        return Answer(_put(job, page, found), found.meta, found.path)
    except OptionAError as error:
        # a cursor that the API refuses will not be taken later either
        if cursor is not None and isinstance(error, HttpError) and error.status not in (401, 403):
            error.restart = True
        return Fault(page, error.at(job.where(page)))
    except BaseException as error:
        return Fault(page, error)


def _split(job: Job, body: bytes) -> Split:
    """The records, where the source or the first page has them: a body of another shape is an error, not a record."""
    where = job.source.records or job.load.path
    found = split(body, where or None)
    if where is not None and found.path != where:
        raise BodyError(
            f"the first page's body was its one record, and this one's records are at `{found.path}`",
            hint='say where they are: records = "…"',
            body=body,
        )
    return found


def pack(lines: bytes) -> bytes:
    """Gzip with no time and no name in it: the same lines give the same bytes."""
    packer = isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, 31)
    return bytes(packer.compress(lines) + packer.flush())


def _put(job: Job, page: int, found: Split) -> Row:
    if not found.records:
        return Row(page, 0, 0, "")
    data = pack(found.lines)
    job.guard()
    job.world.lake.put(page_key(job.prefix, page), data)
    return Row(page, found.records, len(data), checksum(data))


def _fetched(job: Job, request: Request, page: int) -> Response:
    """The response, after as many short waits as it takes. Raises TransientError when the wait is no longer short."""
    attempt = 0
    while True:
        try:
            return job.world.fetch(request)
        except TransientError as error:
            attempt += 1
            decision = decide(attempt, error.retry_after, job.world.jitter)
            if not isinstance(decision, Retry) or job.world.limits.stopping() or job.world.limits.out_of_time():
                raise
            job.say("retrying", page=page, message=error.what, seconds=decision.wait)
            job.world.clock.sleep(decision.wait)
            if job.world.limits.out_of_time():
                raise
