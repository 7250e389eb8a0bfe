"""The worker: one delivery from receipt to ack. Page → manifest → task again → ack, in this order, always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never

from option_a.ingest.config.source import Source
from option_a.ingest.config.window import date_ends_at
from option_a.ingest.errors import LeaseLost, ManifestError, MessageError, TotalError, TransientError
from option_a.ingest.events import Event
from option_a.ingest.load import decide as to
from option_a.ingest.load.finish import finish, tidy
from option_a.ingest.load.job import BATCH_SIZE, Job, Services
from option_a.ingest.load.loader import PartitionLoader
from option_a.ingest.load.settle import (
    dead_letter,
    dead_letter_unknown_source,
    dead_letter_unreadable_manifest,
    postpone,
    resolve_error,
)
from option_a.ingest.load.shrunk import ResumeRefused
from option_a.ingest.load.snapshot import check_day
from option_a.ingest.manifest.model import Attempt, Load, Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.task import Delivery, Task, decode_task

Outcome = Literal[
    "complete",
    "done",
    "superseded",
    "claimed",
    "anew",
    "failed",
    "waiting",
    "out-of-time",
    "stopped",
    "lost",
    "unreadable",
]
Begun = Literal["started", "resumed", "adopted"]
_LEASE_TRIES = 4
_LOADS_FOR_A_TOTAL = 2
"""A partition that does not reconcile with its declared total is loaded once more, then fails."""
_REFUSALS = 2
"""Loads that begin anew because the API refused the cursor, or the page, at which an earlier delivery left off."""


class Worker:
    """Handles deliveries. Threads may share it: all state is in the lake and the queue."""

    def __init__(self, world: Services, sources: Mapping[str, Source]) -> None:
        self._world = world
        self._sources = sources

    def handle(self, delivery: Delivery) -> Outcome:
        """Do what the delivery asks, and ack it once that is safe.

        A LakeError or a QueueError comes through, and nothing is acked: the queue delivers the task again.
        """
        try:
            task = decode_task(delivery.body)
        except MessageError as error:
            self._world.emit(Event(kind="unreadable", source=delivery.queue, message=error.what))
            self._world.queue.extend_visibility(delivery, 0.0)
            return "unreadable"
        source = self._sources.get(task.source)
        if source is None:
            return dead_letter_unknown_source(self._world, task, delivery)
        for _ in range(_LEASE_TRIES):
            try:
                return self._handle(delivery, task, source)
            except ManifestError as error:
                return dead_letter_unreadable_manifest(self._world, task, delivery, error)
            except LeaseLost as error:
                self._world.emit(Event("lost", task.source, task.date, task.run, message=error.what))
                if not self._world.queue.extend_visibility(delivery, self._world.limits.lease):
                    break
        return "lost"

    def _handle(self, delivery: Delivery, task: Task, source: Source) -> Outcome:
        ledger = ManifestStore(self._world.lake, task.partition)
        manifest = ledger.read()
        job = Job(self._world, source, task, delivery, ledger)
        decision = to.decide(manifest, task, source, delivery, self._world.clock.now())
        if (
            isinstance(decision, to.Start | to.Resume)
            and source.origin == "real"
            and (state := job.breaker.blocked_by())
        ):
            if (ending := postpone(job, state)) is not None:
                return ending
            job.outage_error = TransientError(state.why)
        if manifest is None or isinstance(decision, to.Start):
            return self._start(job, manifest, beside=isinstance(decision, to.Start) and decision.keep_current)
        job.manifest = manifest
        match decision:
            case to.Done():
                tidy(job)
                return _acked(job, "done")
            case to.Superseded():
                return _acked(job, "superseded")
            case to.Leased(until):
                return _sent_again(job, "claimed", max(0.0, until - self._world.clock.now()) + 1.0)
            case to.RequeueFresh():
                return _sent_again(job, "anew", 0.0)
            case to.Failed(cause):
                return dead_letter(job, cause)
            case to.Promote():
                return self._run_attempt(job, manifest, "resumed")
            case to.Resume(adopt):
                return self._resume(job, adopt=adopt)
            case _:
                assert_never(decision)

    def _start(self, job: Job, old: Manifest | None, *, beside: bool) -> Outcome:
        beneath = old.readable if old is not None and beside else None
        number = old.load.number + 1 if old is not None else 1
        load = self._new_load(job, number, staged=beneath is not None)
        manifest = Manifest(job.task.source, job.task.date, "loading", load)
        manifest.previous_load = beneath
        manifest.attempts = old.attempts if old is not None else []
        return self._run_attempt(job, manifest, "started", clear=old is not None)

    def _resume(self, job: Job, *, adopt: bool) -> Outcome:
        manifest = job.manifest
        manifest.state, manifest.cause = "loading", None
        manifest.load.run = job.task.run
        return self._run_attempt(job, manifest, "adopted" if adopt else "resumed", clear=manifest.load.answered == 0)

    def _run_attempt(self, job: Job, manifest: Manifest, kind: Begun, *, clear: bool = False) -> Outcome:
        now = self._world.clock.now()
        manifest.begin_attempt(Attempt(job.task.run, now, job.delivery.receives, manifest.load.answered))
        job.acquire_lease(manifest)
        if clear:
            _clear(job)
        job.emit(kind)
        try:
            self._load(job)
        except LeaseLost:
            raise
        except Exception as error:
            return resolve_error(job, error)
        if job.load.run != job.task.run:  # an older run's promotion is done; this run's own load comes next
            return _sent_again(job, "anew", 0.0)
        return _acked(job, "complete")

    def _load(self, job: Job) -> None:
        check_day(job.source, job.task.date, job.load, self._world.clock.now())
        if job.outage_error is not None:
            raise job.outage_error
        while True:
            try:
                if job.manifest.state == "loading":
                    PartitionLoader(job).run()
                return finish(job)
            except (TotalError, ManifestError) as error:
                if job.load.restarts + 1 >= _LOADS_FOR_A_TOTAL:
                    raise
                self._restart(job, error.what, restarts=job.load.restarts + 1, refusals=job.load.refusals)
            except ResumeRefused as error:
                if job.load.refusals >= _REFUSALS:
                    raise error.refusal from None
                place = "page" if job.load.cursor is None else "cursor"
                what = f"{error.refusal.what} to the {place} at which the load stood"
                self._restart(job, what, restarts=job.load.restarts, refusals=job.load.refusals + 1)

    def _restart(self, job: Job, why: str, *, restarts: int, refusals: int) -> None:
        """Load it once more from page 1. What was half promoted is no complete load any more."""
        job.emit("restarted", message=why)
        if job.manifest.state == "promoting":
            job.manifest.state, job.manifest.previous_load = "loading", None
        old = job.load
        load = self._new_load(job, old.number + 1, staged=old.staged)
        load.restarts, load.refusals = restarts, refusals
        job.manifest.load = load
        job.checkpoint()
        _clear(job)

    def _new_load(self, job: Job, number: int, *, staged: bool) -> Load:
        source, run = job.source, job.task.run
        return Load(
            run=run,
            origin=source.origin,
            shape=source.fingerprint,
            started=self._world.clock.now(),
            begun_by=run,
            number=number,
            staged=staged,
            snapshot=source.snapshot,
            date_ends_at=date_ends_at(job.task.date, source.window),
        )


def _clear(job: Job) -> None:
    """Delete what an abandoned load has left where this one's pages go."""
    for lot in job.world.lake.key_batches(job.prefix, BATCH_SIZE):
        job.delete(lot)


def _acked(job: Job, outcome: Literal["complete", "done", "superseded"]) -> Outcome:
    job.world.queue.ack(job.delivery)
    job.emit(outcome)
    return outcome


def _sent_again(job: Job, outcome: Literal["claimed", "anew"], seconds: float) -> Outcome:
    job.world.queue.send([job.task.requeued(waiting_since=job.task.waiting_since)], delay=seconds)
    job.world.queue.ack(job.delivery)
    job.emit(outcome, seconds=seconds)
    return outcome
