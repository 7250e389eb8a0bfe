"""How a delivery that did not complete its partition ends: sent again, given back, or failed with its cause."""

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
from option_a.ingest.lake.keys import dead_key
from option_a.ingest.load.job import Job, Services
from option_a.ingest.load.loader import OutOfTime, Stopped
from option_a.ingest.load.retrying import seconds_until_retry
from option_a.ingest.ports import Cause
from option_a.ingest.resilience.circuit_breaker import State
from option_a.ingest.resilience.retry import LONGEST_DELAY, delay
from option_a.ingest.task import Delivery, Task

_STALLS = 2
"""Times out of time with nothing landed, after which no further time will help."""

Ending = Literal["failed", "waiting", "out-of-time", "stopped"]


def resolve_error(job: Job, error: Exception) -> Ending:
    """End the delivery as its error demands. An error of the lake or the queue comes through, with nothing acked."""
    if isinstance(error, Stopped):
        return _requeue_stopped(job)
    if isinstance(error, OutOfTime):
        return _requeue_out_of_time(job)
    if isinstance(error, TransientError):
        return _requeue_after_wait(job, error)
    if isinstance(error, PermanentError):
        return _fail(job, error)
    raise error


def postpone(job: Job, state: State) -> Ending | None:
    """Send the task away for as long as its source is down, with no request; None once its patience is over."""
    now, task = job.world.clock.now(), job.task
    since = now if task.waiting_since is None else task.waiting_since
    left = since + job.source.patience_seconds - now
    if left <= 0:
        return None
    seconds = max(1.0, min(seconds_until_retry(job, state.until), left, LONGEST_DELAY))
    job.world.queue.send([task.requeued(waiting_since=since)], delay=seconds)
    job.world.queue.ack(job.delivery)
    job.world.emit(Event("waiting", task.source, task.date, task.run, seconds=seconds, message=state.why))
    return "waiting"


def dead_letter(job: Job, cause: Cause) -> Ending:
    """Send the task to the dead letters with its cause."""
    job.world.queue.dead_letter(job.delivery, cause)
    job.emit("failed", page=cause.page, message=cause.message)
    return "failed"


def dead_letter_unknown_source(world: Services, task: Task, delivery: Delivery) -> Ending:
    """A task of a source that is declared no longer."""
    message = f"{task.source} {task.day}: the source is unknown (declare it in sources.toml, or cancel its tasks)"
    return _dead_letter_without_manifest(world, task, delivery, Cause("config", message))


def dead_letter_unreadable_manifest(world: Services, task: Task, delivery: Delivery, error: ManifestError) -> Ending:
    """A task whose ledger cannot be read: nothing is loaded over it."""
    message = str(error.at(Where(source=task.source, date=task.day)))
    return _dead_letter_without_manifest(world, task, delivery, Cause(error.kind, message))


def _dead_letter_without_manifest(world: Services, task: Task, delivery: Delivery, cause: Cause) -> Ending:
    world.queue.dead_letter(delivery, cause)
    world.emit(Event("failed", task.source, task.date, task.run, message=cause.message))
    return "failed"


def _requeue_stopped(job: Job) -> Ending:
    """As a new message: to be asked to stop is no crash, and must not be counted as one."""
    job.release("stopped")
    job.world.queue.send([job.task.requeued(waiting_since=job.task.waiting_since)])
    job.world.queue.ack(job.delivery)
    job.emit("stopped")
    return "stopped"


def _requeue_out_of_time(job: Job) -> Ending:
    job.load.stalls = 0 if job.progressed else job.load.stalls + 1
    if job.load.stalls >= _STALLS:
        hint = "ask for smaller pages, or raise the worker's timeout"
        return _fail(job, StalledError("out of time twice with nothing landed in between", hint=hint))
    job.release("out-of-time")
    job.world.queue.send([job.task.requeued()])
    job.world.queue.ack(job.delivery)
    job.emit("out-of-time")
    return "out-of-time"


def _requeue_after_wait(job: Job, error: TransientError) -> Ending:
    """Send the task away for a while. Patience counts from the last page that landed."""
    now = job.world.clock.now()
    since = now if job.task.waiting_since is None or job.progressed else job.task.waiting_since
    if now - since >= job.source.patience_seconds:
        what = f"{error.what}, for longer than the patience of {job.source.patience}"
        return _fail(
            job, PatienceError(what, hint=error.hint or "option-a redrive when the API is back", where=error.where)
        )
    seconds = delay(now - since, error.retry_after, job.world.jitter)
    seconds = max(1.0, min(seconds, since + job.source.patience_seconds - now))
    job.release("waiting", str(error))
    job.world.queue.send([job.task.requeued(waiting_since=since)], delay=seconds)
    job.world.queue.ack(job.delivery)
    job.emit("waiting", page=error.where.page, message=error.what, seconds=seconds)
    return "waiting"


def _fail(job: Job, error: PermanentError) -> Ending:
    cause = _cause(job, error)
    if job.manifest.state == "promoting":
        job.manifest.previous_load = None  # raw/ is neither the old day nor the new one
    job.manifest.state = "failed"
    job.manifest.cause = cause
    job.release("failed", cause.message)
    return dead_letter(job, cause)


def _cause(job: Job, error: PermanentError) -> Cause:
    page = error.where.page
    kept = None
    if error.body is not None and page is not None:
        kept = dead_key(job.partition, job.task.run, page)
        job.ensure_lease()
        job.world.lake.put(kept, error.body)
    status = error.status if isinstance(error, HttpError) else None
    return Cause(error.kind, str(error.at(job.where())), page, status, kept, error.restart)
