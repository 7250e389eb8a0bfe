"""Ends a load: promotes a reload, compares the lake's listing with the manifest, and marks it `complete`."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from itertools import chain, islice, zip_longest

from option_a.ingest.errors import LakeError, LeaseLost, ManifestError, TotalError
from option_a.ingest.lake import page_key, page_number, raw_prefix, staging_prefix
from option_a.ingest.load.job import Job
from option_a.ingest.load.loader import check_time
from option_a.ingest.manifest import BATCH_SIZE, Row, checksum, runs_of

_AT_ONCE = 8
_BATCHES = 8
"""Batches promoted behind one fence, unless a heartbeat is due earlier."""
Pair = tuple[Row | None, Row | None]
"""The rows of one page: in the staged load, and in the previous one."""


def finish(job: Job) -> None:
    """Complete a load whose pages have all landed. Raises TotalError if the lake does not hold what it should.

    Resumable at every point: each step may be repeated. Raises OutOfTime or Stopped during a promotion.
    """
    if job.load.staged:
        job.manifest.state = "promoting"
        job.lease.checkpoint()
        job.emit("promoting")
        promote(job)
    reconcile_listing(job)
    job.manifest.state = "complete"  # written by `release`, in one swap with the end of the lease
    job.manifest.previous_load = None
    job.manifest.cause = None
    job.load.finished = job.services.clock.now()
    job.lease.release("complete")
    tidy(job)


def promote(job: Job) -> None:
    """Replace the previous load under raw/ by the staged one: copy changes, delete the surplus, record what differs."""
    done = job.load.promoted
    with job.services.executor(_AT_ONCE) as pool:
        pairs = (pair for pair in _row_pairs(job) if _page_of(*pair) > done)
        lots = iter(lambda: list(islice(pairs, _AT_ONCE)), [])
        for first in lots:
            check_time(job.services.limits)
            with job.lease.fence():
                for lot in chain([first], islice(lots, _BATCHES - 1)):
                    _promote_batch(job, pool, lot)
                    if job.services.clock.now() >= job.lease.due:
                        break  # the lease cannot be renewed behind a folder's fence
            job.lease.heartbeat()


def _promote_batch(job: Job, pool: Executor, lot: list[Pair]) -> None:
    futures = [pool.submit(_promote_page, job, new, old) for new, old in lot]
    job.load.restate([page for future in futures if (page := future.result())])
    job.load.promoted = _page_of(*lot[-1])


def _page_of(new: Row | None, old: Row | None) -> int:
    return (new or old or Row(0, 0, 0, "")).page


def _row_pairs(job: Job) -> Iterator[Pair]:
    """Each page's rows in both loads."""
    return zip_longest(job.store.rows(job.load), _previous_rows(job))


def _previous_rows(job: Job) -> Iterator[Row]:
    """The previous load's rows, as far as they can be read: unreadable ones count as absent."""
    with suppress(ManifestError):
        yield from job.store.rows(job.manifest.previous_load) if job.manifest.previous_load else ()


def _promote_page(job: Job, new: Row | None, old: Row | None) -> int:
    """Make one page under raw/ the staged one. Returns its number if it differs from the previous load, else 0.

    A page that the manifest calls unchanged is read and compared, so that a reload repairs one that was damaged.
    Raises LeaseLost: a bucket's fence does not stop a batch that outlasts the lease.
    """
    lake, page = job.services.lake, _page_of(new, old)
    target = page_key(raw_prefix(job.partition), page)
    differs = (new.checksum if new else "") != (old.checksum if old else "")
    if new is None or not new.records:
        job.lease.ensure()
        lake.delete([target] if differs else [])
    elif differs or checksum(lake.get(target) or b"") != new.checksum:
        _copy_staged(job, page)
    return page if differs else 0


def _copy_staged(job: Job, page: int) -> None:
    """Copy a staged page to raw/. Raises TotalError if it is gone, so that the partition is loaded again."""
    lake, staged = job.services.lake, page_key(job.prefix, page)
    job.lease.ensure()
    try:
        lake.copy(staged, page_key(raw_prefix(job.partition), page))
    except LakeError:
        if lake.read(staged) is not None:
            raise
        hint = "something else deletes from staging/: stop it"
        raise TotalError("a staged page disappeared before it was promoted", hint=hint, where=job.where(page)) from None


def reconcile_listing(job: Job) -> None:
    """Compare what the lake lists under raw/ with the manifest: strays are deleted, a missing page is an error.

    A missing page of a staged load is promoted once more.
    """
    absent, strays = _differences(job)
    if absent and job.load.staged:
        for page in job.lease.with_heartbeat(absent):
            _copy_staged(job, page)
        absent, strays = _differences(job)
    if absent:
        raise TotalError(
            f"the manifest has {job.load.pages} pages, and the lake does not list {len(absent)} of them",
            hint="something else writes to or deletes from raw/: stop it",
            where=job.where(absent[0]),
        )
    job.delete(strays)


def _differences(job: Job) -> tuple[list[int], list[str]]:
    """Pages that the lake does not list with the manifest's size, and keys that it should not list."""
    prefix = raw_prefix(job.partition)
    sizes = array("Q", (row.size for row in job.lease.with_heartbeat(job.store.rows(job.load))))
    strays = []
    for entry in job.lease.with_heartbeat(job.services.lake.entries(prefix)):
        page = page_number(entry.key)
        known = page is not None and page <= len(sizes) and entry.key == page_key(prefix, page)
        if page is not None and known and sizes[page - 1] == entry.size:
            sizes[page - 1] = 0
        elif page is None or not known or not sizes[page - 1]:
            strays.append(entry.key)
    return [number for number, size in enumerate(sizes, 1) if size], strays


def tidy(job: Job) -> None:
    """Delete what a complete partition no longer needs: staged copies, and the segments of earlier loads.

    Leaves newer runs' staging alone. The lease is released, so only the manifest guards this.
    """
    lake, load = job.services.lake, job.load
    runs = {run for run in runs_of(job.manifest) if run <= load.run}
    with suppress(LeaseLost):
        for run in sorted(runs):
            for batch in lake.key_batches(staging_prefix(job.partition, run), BATCH_SIZE):
                with job.store.fenced():
                    lake.delete(batch)
        with job.store.fenced():
            job.store.delete_older_segments(load)
