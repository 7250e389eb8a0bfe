"""Asks for one page until there is an answer, or until the wait for one is no longer short."""

from __future__ import annotations

from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.load.job import Job
from option_a.ingest.ports import Request, Response
from option_a.ingest.resilience.retry import Retry, decide

SPREAD = 10.0
"""Seconds over which those come back whom a breaker sent away: the first one asks for all, the others find it done."""


def fetch_with_retries(job: Job, request: Request, page: int) -> Response:
    """The response, after as many short waits as it takes. Raises TransientError when the wait is no longer short."""
    attempt = 0
    while True:
        try:
            response = job.world.fetch(request)
        except TransientError as error:
            attempt += 1
            wait = _wait(job, error, attempt)
            if wait is None:
                raise
            job.emit("retrying", page=page, message=error.what, seconds=wait)
            job.world.clock.sleep(wait)
            if job.world.limits.out_of_time():
                raise
        except HttpError:
            job.breaker.succeeded()  # to refuse is to answer
            raise
        else:
            job.breaker.succeeded()
            return response


def _wait(job: Job, error: TransientError, attempt: int) -> float | None:
    """Seconds until the request is made again; None if that is not for this delivery to do."""
    limits = job.world.limits
    decision = decide(attempt, error.retry_after, job.world.jitter)
    if limits.stopping():
        return None
    if attempt > 1 or job.breaker.probes or not isinstance(decision, Retry):
        state = job.breaker.failed(error.what, error.retry_after)
        if state.until:
            error.retry_after = seconds_until_retry(job, state.until)
            return None
    return decision.wait if isinstance(decision, Retry) and not limits.out_of_time() else None


def seconds_until_retry(job: Job, until: float) -> float:
    """Seconds after which a task comes back to a source that is not asked until then."""
    return max(0.0, until - job.world.clock.now()) + SPREAD * job.world.jitter()
