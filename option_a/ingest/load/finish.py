"""The end of a load: promotion of a re-load, the lake's own listing against the ledger, and `complete`."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from itertools import chain, islice, zip_longest

from option_a.ingest.errors import LakeError, LeaseLost, ManifestError, TotalError
from option_a.ingest.lake.keys import page_key, page_number, raw_prefix, staging_prefix
from option_a.ingest.load.job import BATCH_SIZE, Job
from option_a.ingest.load.loader import check_time
from option_a.ingest.manifest.rows import Row, checksum
from option_a.ingest.manifest.store import runs_of

_AT_ONCE = 8
_LOTS = 8
"""As often so many pages are promoted between two looks at the claim, unless it is to be renewed before."""
Pair = tuple[Row | None, Row | None]
"""A page in the staged load, and in the one beneath."""


def finish(job: Job) -> None:
    """Make a load whose pages are all in the complete one. Raises TotalError if the lake does not hold what it should.

    Resumable at every point: each step may be done twice. Raises OutOfTime or Stopped amid a promotion.
    """
    if job.load.staged:
        job.manifest.state = "promoting"
        job.checkpoint()
        job.emit("promoting")
        promote(job)
    reconcile_listing(job)
    job.manifest.state = "complete"
    job.manifest.previous_load = None
    job.manifest.cause = None
    job.load.finished = job.world.clock.now()
    job.release("complete")
    tidy(job)


def promote(job: Job) -> None:
    """Bring raw/ from the landed load to the staged one: copy what changed, delete the surplus; note what differs."""
    done = job.load.promoted
    with job.world.executor(_AT_ONCE) as pool:
        pairs = (pair for pair in _pairs(job) if _page_of(*pair) > done)
        lots = iter(lambda: list(islice(pairs, _AT_ONCE)), [])
        for first in lots:
            check_time(job.world.limits)
            with job.lease_fence():
                for lot in chain([first], islice(lots, _LOTS - 1)):
                    _promote_lot(job, pool, lot)
                    if job.world.clock.now() >= job.due:
                        break  # behind a folder's fence not even its holder renews the claim
            job.heartbeat()


def _promote_lot(job: Job, pool: Executor, lot: list[Pair]) -> None:
    futures = [pool.submit(_promote_page, job, new, old) for new, old in lot]
    job.load.restate([page for future in futures if (page := future.result())])
    job.load.promoted = _page_of(*lot[-1])


def _page_of(new: Row | None, old: Row | None) -> int:
    return (new or old or Row(0, 0, 0, "")).page


def _pairs(job: Job) -> Iterator[Pair]:
    """The rows of each page."""
    return zip_longest(job.ledger.rows(job.load), _beneath(job))


def _beneath(job: Job) -> Iterator[Row]:
    """The rows of the landed load, as far as they can be read: what is torn is promoted as if it were not there."""
    with suppress(ManifestError):
        yield from job.ledger.rows(job.manifest.previous_load) if job.manifest.previous_load else ()


def _promote_page(job: Job, new: Row | None, old: Row | None) -> int:
    """Make one page under raw/ the staged one; its number if it differs from the ledger beneath, else 0.

    A page that the ledger calls the same is read and compared, so that a re-load mends one that was damaged.
    Raises LeaseLost: of a batch that outlasts the claim, a bucket's fence keeps nothing back.
    """
    lake, page = job.world.lake, _page_of(new, old)
    target = page_key(raw_prefix(job.partition), page)
    differs = (new.checksum if new else "") != (old.checksum if old else "")
    if new is None or not new.records:
        job.ensure_lease()
        lake.delete([target] if differs else [])
    elif differs or checksum(lake.get(target) or b"") != new.checksum:
        _copy_staged(job, page)
    return page if differs else 0


def _copy_staged(job: Job, page: int) -> None:
    """A staged page over the one under raw/. Raises TotalError if it is gone, so that the partition is loaded anew."""
    lake, staged = job.world.lake, page_key(job.prefix, page)
    job.ensure_lease()
    try:
        lake.copy(staged, page_key(raw_prefix(job.partition), page))
    except LakeError:
        if lake.read(staged) is not None:
            raise
        hint = "something else deletes from staging/: stop it"
        raise TotalError("a page is gone before it was promoted", hint=hint, where=job.where(page)) from None


def reconcile_listing(job: Job) -> None:
    """What the lake lists under raw/ against the ledger: strays are deleted, a page that is not there is an error.

    Of a staged load such a page is promoted once more.
    """
    absent, strays = _differences(job)
    if absent and job.load.staged:
        for page in job.with_heartbeat(absent):
            _copy_staged(job, page)
        absent, strays = _differences(job)
    if absent:
        raise TotalError(
            f"the ledger has {job.load.pages} pages, and the lake does not list {len(absent)} of them",
            hint="something else writes to or deletes from raw/: stop it",
            where=job.where(absent[0]),
        )
    job.delete(strays)


def _differences(job: Job) -> tuple[list[int], list[str]]:
    """Pages that the lake does not list with the size that the ledger has, and keys that it should not list."""
    prefix = raw_prefix(job.partition)
    sizes = array("Q", (row.size for row in job.with_heartbeat(job.ledger.rows(job.load))))
    strays = []
    for entry in job.with_heartbeat(job.world.lake.entries(prefix)):
        page = page_number(entry.key)
        known = page is not None and page <= len(sizes) and entry.key == page_key(prefix, page)
        if page is not None and known and sizes[page - 1] == entry.size:
            sizes[page - 1] = 0
        elif page is None or not known or not sizes[page - 1]:
            strays.append(entry.key)
    return [number for number, size in enumerate(sizes, 1) if size], strays


def tidy(job: Job) -> None:
    """Delete what a complete partition no longer needs: staged copies, and the segments of earlier loads.

    Not of a run that is newer than the load: it may be about to load. Who has begun meanwhile tidies up in the end.
    The claim was given back with the last word: it may run out on the way, and only the manifest tells who has begun.
    """
    lake, load = job.world.lake, job.load
    runs = {run for run in runs_of(job.manifest) if run <= load.run}
    with suppress(LeaseLost):
        for run in sorted(runs):
            for lot in lake.key_batches(staging_prefix(job.partition, run), BATCH_SIZE):
                with job.ledger.fenced():
                    lake.delete(lot)
        with job.ledger.fenced():
            job.ledger.delete_older_segments(load)
