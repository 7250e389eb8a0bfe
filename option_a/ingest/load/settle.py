"""Settles a delivery that did not complete its partition: requeued, or dead-lettered with its cause."""

from __future__ import annotations

from typing import Literal

from option_a.ingest.errors import (
    HttpError,
    ManifestError,
    PatienceError,
    PermanentError,
    StalledError,
    TransientError,
    Where,
)
from option_a.ingest.events import Event
from option_a.ingest.lake import dead_key
from option_a.ingest.load.job import Job
from option_a.ingest.load.loader import OutOfTime, Stopped
from option_a.ingest.load.requeue import requeue_task
from option_a.ingest.load.retrying import seconds_until_retry
from option_a.ingest.load.services import Services
from option_a.ingest.ports import Cause
from option_a.ingest.resilience import LONGEST_DELAY, BreakerState, requeue_delay
from option_a.ingest.task import Delivery, Task

_STALLS = 2
"""Deliveries in a row that ran out of time with nothing landed, after which more time will not help."""

Ending = Literal["failed", "waiting", "out-of-time", "stopped"]


def resolve_error(job: Job, error: Exception) -> Ending:
    """Settle the delivery by its error. An error of the lake or the queue is raised again, and nothing is acked."""
    if isinstance(error, Stopped):
        return _requeue_stopped(job)
    if isinstance(error, OutOfTime):
        return _requeue_out_of_time(job)
    if isinstance(error, TransientError):
        return _requeue_after_wait(job, error)
    if isinstance(error, PermanentError):
        return _fail(job, error)
    raise error


def postpone(job: Job, state: BreakerState) -> Ending | None:
    """Requeue the task until its source may be probed, without a request; None once its patience has run out."""
    now, task = job.services.clock.now(), job.task
    since = now if task.waiting_since is None else task.waiting_since
    left = since + job.source.patience_seconds - now
    if left <= 0:
        return None
    # not beyond the end of patience, so that the failure is reported when it is due
    seconds = max(1.0, min(seconds_until_retry(job, state.until), left, LONGEST_DELAY))
    requeue_task(job.services.queue, job.delivery, task.requeued(waiting_since=since), delay=seconds)
    job.services.emit(Event("waiting", task.source, task.date, task.run, seconds=seconds, message=state.why))
    return "waiting"


def dead_letter(job: Job, cause: Cause) -> Ending:
    """Move the task to the dead letters, with its cause."""
    job.services.queue.dead_letter(job.delivery, cause)
    job.emit("failed", page=cause.page, message=cause.message)
    return "failed"


def dead_letter_unknown_source(services: Services, task: Task, delivery: Delivery) -> Ending:
    """Dead-letter a task whose source is no longer declared."""
    message = f"{task.source} {task.day}: the source is unknown (declare it in sources.toml, or cancel its tasks)"
    return _dead_letter_without_manifest(services, task, delivery, Cause("config", message))


def dead_letter_unreadable_manifest(services: Services, task: Task, delivery: Delivery, error: ManifestError) -> Ending:
    """Dead-letter a task whose manifest cannot be read: nothing is loaded over it."""
    message = str(error.at(Where(source=task.source, date=task.day)))
    return _dead_letter_without_manifest(services, task, delivery, Cause(error.kind, message))


def _dead_letter_without_manifest(services: Services, task: Task, delivery: Delivery, cause: Cause) -> Ending:
    services.queue.dead_letter(delivery, cause)
    services.emit(Event("failed", task.source, task.date, task.run, message=cause.message))
    return "failed"


def _requeue_stopped(job: Job) -> Ending:
    """A new message, because its receive count counts crashes, and a stop is none."""
    job.lease.release("stopped")
    requeue_task(job.services.queue, job.delivery, job.task.requeued(waiting_since=job.task.waiting_since))
    job.emit("stopped")
    return "stopped"


def _requeue_out_of_time(job: Job) -> Ending:
    job.load.stalls = 0 if job.lease.progressed else job.load.stalls + 1
    if job.load.stalls >= _STALLS:
        hint = "ask for smaller pages, or raise the worker's timeout"
        return _fail(job, StalledError("ran out of time twice with nothing landed", hint=hint))
    job.lease.release("out-of-time")
    requeue_task(job.services.queue, job.delivery, job.task.requeued())
    job.emit("out-of-time")
    return "out-of-time"


def _requeue_after_wait(job: Job, error: TransientError) -> Ending:
    """Requeue with a delay. Patience counts from the last page that landed."""
    now = job.services.clock.now()
    # a page that landed shows that the source is up again
    since = now if job.task.waiting_since is None or job.lease.progressed else job.task.waiting_since
    if now - since >= job.source.patience_seconds:
        what = f"{error.what}, for longer than the patience of {job.source.patience}"
        return _fail(
            job, PatienceError(what, hint=error.hint or "option-a redrive when the API is back", where=error.where)
        )
    seconds = requeue_delay(now - since, error.retry_after, job.services.jitter)
    seconds = max(1.0, min(seconds, since + job.source.patience_seconds - now))
    job.lease.release("waiting", str(error))
    requeue_task(job.services.queue, job.delivery, job.task.requeued(waiting_since=since), delay=seconds)
    job.emit("waiting", page=error.where.page, message=error.what, seconds=seconds)
    return "waiting"


def _fail(job: Job, error: PermanentError) -> Ending:
    cause = _cause(job, error)
    if job.manifest.state == "promoting":
        job.manifest.previous_load = None  # raw/ holds neither the old load nor the new one
    job.manifest.state = "failed"
    job.manifest.cause = cause
    job.lease.release("failed", cause.message)  # manifest first: a crash here leaves `Failed` to be decided
    return dead_letter(job, cause)


def _cause(job: Job, error: PermanentError) -> Cause:
    page = error.where.page
    kept = None
    if error.body is not None and page is not None:
        kept = dead_key(job.partition, job.task.run, page)
        job.lease.ensure()
        job.services.lake.put(kept, error.body)
    status = error.status if isinstance(error, HttpError) else None
    return Cause(error.kind, str(error.at(job.where())), page, status, kept, error.restart)
