"""One attempt at a partition: begin or resume a load under the lease, land its pages, restart where allowed."""

from __future__ import annotations

from typing import Literal

from option_a.ingest.config import date_ends_at
from option_a.ingest.errors import ManifestError, TotalError
from option_a.ingest.load.finish import finish
from option_a.ingest.load.job import Job
from option_a.ingest.load.loader import PartitionLoader
from option_a.ingest.load.shrunk import ResumeRefused
from option_a.ingest.load.snapshot import check_day
from option_a.ingest.manifest import BATCH_SIZE, Attempt, Load, Manifest

MAX_LOADS_PER_TOTAL = 2
"""A partition that does not reconcile with its declared total is loaded once more, then fails."""
MAX_REFUSED_RESUMES = 2
"""Restarts because the API refused the cursor, or the page, at which an earlier delivery stopped."""


def start(job: Job, old: Manifest | None, *, keep_current: bool) -> None:
    """Begin at page 1; `keep_current`: beside the complete load, which stays readable until the new one is whole."""
    previous = old.readable if old is not None and keep_current else None
    fresh = _new_load(job, old.load.number + 1 if old is not None else 1, staged=previous is not None)
    manifest = Manifest(job.task.source, job.task.date, "loading", fresh)
    manifest.previous_load = previous
    manifest.attempts = old.attempts if old is not None else []
    # a load that was given up may have left pages: a shorter day must not keep the old tail
    _begin(job, manifest, "started", clear=old is not None)


def resume(job: Job, manifest: Manifest, *, adopt: bool) -> None:
    """Go on where the load stands; `adopt` where it belonged to an older run."""
    manifest.state, manifest.cause = "loading", None
    manifest.load.run = job.task.run
    # nothing landed so far, so whatever is under the prefix is no part of this load
    _begin(job, manifest, "adopted" if adopt else "resumed", clear=manifest.load.answered == 0)


def resume_promotion(job: Job, manifest: Manifest) -> None:
    """Take up a promotion that was begun."""
    _begin(job, manifest, "resumed", clear=False)


def _new_load(job: Job, number: int, *, staged: bool) -> Load:
    """An empty load, the partition's n-th."""
    source, run = job.source, job.task.run
    return Load(
        run=run,
        origin=source.origin,
        shape=source.fingerprint,
        started=job.services.clock.now(),
        begun_by=run,
        number=number,
        staged=staged,
        snapshot=source.snapshot,
        date_ends_at=date_ends_at(job.task.date, source.window),
    )


def _begin(job: Job, manifest: Manifest, kind: Literal["started", "resumed", "adopted"], *, clear: bool) -> None:
    now = job.services.clock.now()
    manifest.begin_attempt(Attempt(job.task.run, now, job.delivery.receives, manifest.load.answered))
    job.manifest = manifest
    job.lease.acquire(manifest)  # before anything is deleted or requested
    if clear:
        _clear(job)
    job.emit(kind)


def load(job: Job) -> None:
    """Land every page and complete the partition. Raises what stopped it: see `settle`."""
    check_day(job.source, job.task.date, job.load, job.services.clock.now())
    if job.outage_error is not None:  # the manifest must say why, so this fails under the lease
        raise job.outage_error
    while True:
        try:
            if job.manifest.state == "loading":
                PartitionLoader(job).run()
            return finish(job)
        except (TotalError, ManifestError) as error:
            if job.load.restarts + 1 >= MAX_LOADS_PER_TOTAL:
                raise
            _restart(job, error.what, restarts=job.load.restarts + 1, refusals=job.load.refusals)
        except ResumeRefused as error:
            if job.load.refusals >= MAX_REFUSED_RESUMES:
                raise error.refusal from None
            place = "page" if job.load.cursor is None else "cursor"
            what = f"{error.refusal.what} to the {place} at which the load stood"
            _restart(job, what, restarts=job.load.restarts, refusals=job.load.refusals + 1)


def _restart(job: Job, why: str, *, restarts: int, refusals: int) -> None:
    """Load once more from page 1. A half promoted load is no longer a complete one."""
    job.emit("restarted", message=why)
    if job.manifest.state == "promoting":
        job.manifest.state, job.manifest.previous_load = "loading", None
    fresh = _new_load(job, job.load.number + 1, staged=job.load.staged)
    fresh.restarts, fresh.refusals = restarts, refusals  # else a load could restart for ever
    job.manifest.load = fresh
    job.lease.checkpoint()  # first the manifest: a crash must not leave it naming deleted pages
    _clear(job)


def _clear(job: Job) -> None:
    """Delete what an abandoned load left where this one's pages go."""
    for batch in job.services.lake.key_batches(job.prefix, BATCH_SIZE):
        job.delete(batch)
