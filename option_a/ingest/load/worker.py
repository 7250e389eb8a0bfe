"""The worker: one delivery from receipt to ack. Page → manifest → task again → ack, in this order, always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never

from option_a.ingest.config import Source
from option_a.ingest.errors import LeaseLost, ManifestError, MessageError, TransientError
from option_a.ingest.events import Event
from option_a.ingest.load import attempt, settle
from option_a.ingest.load import decision as to
from option_a.ingest.load.finish import tidy
from option_a.ingest.load.job import Job
from option_a.ingest.load.requeue import requeue_task
from option_a.ingest.load.services import Services
from option_a.ingest.manifest import Manifest, ManifestStore
from option_a.ingest.task import Delivery, decode_task

Outcome = Literal[
    "complete", "done", "superseded", "leased", "requeued", "failed", "waiting", "out-of-time", "stopped",
    "lease-lost", "unreadable",
]  # fmt: skip
_LEASE_TRIES = 4


class Worker:
    """Handles deliveries. Threads may share it: all state is in the lake and the queue."""

    def __init__(self, services: Services, sources: Mapping[str, Source]) -> None:
        self._services = services
        self._sources = sources

    def handle(self, delivery: Delivery) -> Outcome:
        """Do what the delivery asks, and ack it once that is safe.

        A LakeError or a QueueError comes through, and nothing is acked: the queue delivers the task again.
        """
        services = self._services
        try:
            task = decode_task(delivery.body)
        except MessageError as error:
            services.emit(Event(kind="unreadable", source=delivery.queue, message=error.what))
            # visible at once: after five receives the queue itself makes it a dead letter
            services.queue.extend_visibility(delivery, 0.0)
            return "unreadable"
        source = self._sources.get(task.source)
        if source is None:
            return settle.dead_letter_unknown_source(services, task, delivery)
        for _ in range(_LEASE_TRIES):
            try:
                return self._handle(Job(services, source, task, delivery, ManifestStore(services.lake, task.partition)))
            except ManifestError as error:
                return settle.dead_letter_unreadable_manifest(services, task, delivery, error)
            except LeaseLost as error:
                services.emit(Event("lease-lost", task.source, task.date, task.run, message=error.what))
                if not services.queue.extend_visibility(delivery, services.limits.lease):
                    break  # the queue has given the message to another worker already
        return "lease-lost"

    def _handle(self, job: Job) -> Outcome:
        manifest = job.store.read()
        decision = to.decide(manifest, job.task, job.source, job.delivery, self._services.clock.now())
        if isinstance(decision, to.Start | to.Resume) and (ending := _check_breaker(job)) is not None:
            return ending
        if isinstance(decision, to.Start):
            attempt.start(job, manifest, keep_current=decision.keep_current)
            return _load(job)
        assert manifest is not None  # without one, the decision is to start
        job.manifest = manifest
        return _carry_out(job, manifest, decision)


def _carry_out(job: Job, manifest: Manifest, decision: to.WithManifest) -> Outcome:
    match decision:
        case to.Done():
            tidy(job)
            return _ack(job, "done")
        case to.Superseded():
            return _ack(job, "superseded")
        case to.Leased(until):
            # a second later, so that two clocks that differ a little do not meet again
            return _requeue(job, "leased", max(0.0, until - job.services.clock.now()) + 1.0)
        case to.RequeueFresh():
            return _requeue(job, "requeued")
        case to.Failed(cause):
            return settle.dead_letter(job, cause)
        case to.Promote():
            attempt.resume_promotion(job, manifest)
            return _load(job)
        case to.Resume(adopt):
            attempt.resume(job, manifest, adopt=adopt)
            return _load(job)
        case _:
            assert_never(decision)


def _check_breaker(job: Job) -> Outcome | None:
    """Postpone the task while its source is down; once patience has run out, the attempt fails without a request."""
    state = job.breaker.blocked_by() if job.source.origin == "real" else None
    if state is None:
        return None
    job.outage_error = TransientError(state.why)
    return settle.postpone(job, state)


def _load(job: Job) -> Outcome:
    try:
        attempt.load(job)
    except LeaseLost:
        raise  # nothing may be written any more, so the delivery is decided again
    except Exception as error:
        return settle.resolve_error(job, error)
    if job.load.run != job.task.run:  # an older run's promotion is done; this run's own load comes next
        return _requeue(job, "requeued")
    return _ack(job, "complete")


def _ack(job: Job, outcome: Literal["complete", "done", "superseded"]) -> Outcome:
    job.services.queue.ack(job.delivery)
    job.emit(outcome)
    return outcome


def _requeue(job: Job, outcome: Literal["leased", "requeued"], delay: float = 0.0) -> Outcome:
    task = job.task.requeued(waiting_since=job.task.waiting_since)
    requeue_task(job.services.queue, job.delivery, task, delay=delay)
    job.emit(outcome, seconds=delay)
    return outcome
