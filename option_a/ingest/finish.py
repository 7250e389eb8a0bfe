"""The end of a load: promotion of a re-load, the lake's own listing against the ledger, and `complete`."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import islice, zip_longest

from option_a.ingest.errors import TotalError
from option_a.ingest.job import Job
from option_a.ingest.layout import page_key, page_number, raw_prefix, staging_prefix
from option_a.ingest.manifest import Row

_AT_ONCE = 8
_BATCH = 64
"""Pages that are promoted between two looks at the claim."""


def finish(job: Job) -> None:
    """Make a load whose pages are all in the complete one. Raises TotalError if the lake does not hold what it should.

    Resumable at every point: each step may be done twice.
    """
    if job.load.staged:
        job.manifest.state = "promoting"
        job.checkpoint()
        job.say("promoting")
        job.load.restated = max(job.load.restated, promote(job))
    reconcile_listing(job)
    job.manifest.state = "complete"
    job.manifest.landed = None
    job.manifest.cause = None
    job.load.finished = job.world.clock.now()
    job.release("complete")
    tidy(job)


def promote(job: Job) -> int:
    """Bring raw/ from the landed load to the staged one: copy what changed, delete the surplus. How many differ."""
    staged, raw = staging_prefix(job.partition, job.load.begun_by), raw_prefix(job.partition)
    differing = 0
    with job.world.executor(_AT_ONCE) as pool:
        changes = _changes(job)
        while batch := list(islice(changes, _BATCH)):
            job.guard()
            surplus = [page_key(raw, page) for page, row in batch if row is None]
            work: list[Callable[[], object]] = [
                lambda page=page: job.world.lake.copy(page_key(staged, page), page_key(raw, page))  # type: ignore[misc]
                for page, row in batch
                if row is not None
            ]
            for future in [pool.submit(step) for step in work]:
                future.result()
            job.world.lake.delete(surplus)
            differing += len(batch)
            job.beat()
    return differing


def _changes(job: Job) -> Iterator[tuple[int, Row | None]]:
    """Pages that differ between the staged load and the one beneath; None for a page that has no object any more."""
    beneath = job.ledger.rows(job.manifest.landed) if job.manifest.landed else iter(())
    for new, old in zip_longest(job.ledger.rows(job.load), beneath):
        if new is not None and new.checksum and (old is None or old.checksum != new.checksum):
            yield new.page, new
        elif old is not None and old.checksum and (new is None or not new.checksum):
            yield old.page, None


def reconcile_listing(job: Job) -> None:
    """What the lake lists under raw/ against the ledger: strays are deleted, a page that is not there is an error.

    Of a staged load such a page is promoted once more.
    """
    absent, strays = _differences(job)
    if absent and job.load.staged:
        for page in absent:
            job.guard()
            job.world.lake.copy(page_key(job.prefix, page), page_key(raw_prefix(job.partition), page))
            job.beat()
        absent, strays = _differences(job)
    if absent:
        raise TotalError(
            f"the ledger has {job.load.pages} pages, and the lake does not list {len(absent)} of them",
            hint="something else writes to or deletes from raw/: stop it",
            where=job.where(absent[0]),
        )
    job.guard()
    job.world.lake.delete(strays)


def _differences(job: Job) -> tuple[list[int], list[str]]:
    """Pages that the lake does not list with the size that the ledger has, and keys that it should not list."""
    prefix = raw_prefix(job.partition)
    sizes = array("Q", (row.size for row in job.ledger.rows(job.load)))
    strays = []
    for entry in job.world.lake.entries(prefix):
        page = page_number(entry.key)
        known = page is not None and page <= len(sizes) and entry.key == page_key(prefix, page)
        if page is not None and known and sizes[page - 1] == entry.size:
            sizes[page - 1] = 0
        elif page is None or not known or not sizes[page - 1]:
            strays.append(entry.key)
    return [number for number, size in enumerate(sizes, 1) if size], strays


def tidy(job: Job) -> None:
    """Delete what a complete partition no longer needs: its staged copy, and the segments of other loads."""
    lake = job.world.lake
    lake.delete(entry.key for entry in lake.entries(staging_prefix(job.partition, job.load.begun_by)))
    job.ledger.forget_all_but([job.load])
