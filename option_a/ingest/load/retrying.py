"""Requests one page until it is answered, or until the wait is too long for this process."""

from __future__ import annotations

from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.load.job import Job
from option_a.ingest.ports import Request, Response
from option_a.ingest.resilience import Retry, next_attempt

SPREAD = 10.0
"""Jitter window, in seconds, in which postponed tasks return, so that one of them probes for all."""


def fetch_with_retries(job: Job, request: Request, page: int) -> Response:
    """The response, after as many short waits as needed. Raises TransientError where the task has to be requeued."""
    attempt = 0
    while True:
        try:
            response = job.services.fetch(request)
        except TransientError as error:
            attempt += 1
            wait = _wait(job, error, attempt)
            if wait is None:
                raise
            job.emit("retrying", page=page, message=error.what, seconds=wait)
            job.services.clock.sleep(wait)
            if job.services.limits.out_of_time():  # the wait used up what was left
                raise
        except HttpError:
            job.breaker.succeeded()  # a refusal is an answer too
            raise
        else:
            job.breaker.succeeded()
            return response


def _wait(job: Job, error: TransientError, attempt: int) -> float | None:
    """Seconds until the next attempt; None if this delivery must not make it."""
    limits = job.services.limits
    decision = next_attempt(attempt, error.retry_after, job.services.jitter)
    if limits.stopping():
        return None
    # a first failure is not counted: one reset among thousands of answers is no outage
    if attempt > 1 or job.breaker.probes or not isinstance(decision, Retry):
        state = job.breaker.failed(error.what, error.retry_after)
        if state.until:
            error.retry_after = seconds_until_retry(job, state.until)
            return None
    return decision.wait if isinstance(decision, Retry) and not limits.out_of_time() else None


def seconds_until_retry(job: Job, until: float) -> float:
    """Seconds until a postponed task returns: the breaker's period, and some jitter."""
    return max(0.0, until - job.services.clock.now()) + SPREAD * job.services.jitter()
