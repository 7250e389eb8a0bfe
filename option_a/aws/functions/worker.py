"""The worker in a Lambda: a batch of deliveries, each handled on its own, those not done named in the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from option_a.aws.functions.telemetry import Telemetry
from option_a.aws.queue import SqsQueue
from option_a.ingest.config import Source
from option_a.ingest.errors import LakeError, MessageError, QueueError
from option_a.ingest.load import Limits, Services, Worker, requeue_task
from option_a.ingest.resilience import LocalRateLimiter
from option_a.ingest.task import Delivery, decode_task

LEASE = 200.0
"""Seconds after which another worker takes over what a killed one had in hand: the slowest renewal of a lease leaves it
time for the slowest write."""
CHECKPOINT = 15.0
SPARE = 60.0
"""Seconds beyond the end of an invocation after which a message that it never came to is delivered again."""
LANDING = 30.0
"""Seconds that a worker keeps beyond its longest request, to land what is in flight and write the manifest."""
NEAR = 20.0
"""Seconds left at the end of an invocation below which it was near its timeout."""
OUTAGE = 900.0
"""Seconds until a task is delivered again after the lake or the queue refused: five deliveries last an hour."""


class Context(Protocol):
    """What Lambda tells of an invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is killed."""


class NotDone(Exception):
    """The message stays on its queue."""


class SqsBatchHandler:
    """Handles events of SQS. Each invocation has its own limits."""

    def __init__(
        self,
        services: Services,
        queue: SqsQueue,
        sources: Mapping[str, Source],
        telemetry: Telemetry,
        rate_limiter: LocalRateLimiter | None = None,
    ) -> None:
        self._services, self._queue, self._sources, self._telemetry = services, queue, sources, telemetry
        self._rate_limiter = rate_limiter

    def __call__(self, event: Any, context: Context) -> dict[str, Any]:
        """`{"batchItemFailures": […]}`. Raises what kept the whole batch from being done: an alarm counts it."""
        began, left = self._services.clock.now(), _seconds_left(context)
        if self._rate_limiter is not None:
            self._rate_limiter.begin()
        deliveries = {record["messageId"]: self._delivery(record) for record in event["Records"]}
        for delivery in deliveries.values():
            with suppress(QueueError):  # the first checkpoint tries again; until then the queue's own time holds
                self._queue.extend_visibility(delivery, left() + SPARE)
        out_of_time = self._out_of_time(deliveries, left)
        limits = Limits(lease=LEASE, out_of_time=out_of_time, checkpoint_interval=CHECKPOINT)
        worker = Worker(msgspec.structs.replace(self._services, limits=limits), self._sources)
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

        def handle(record: dict[str, Any]) -> None:
            self._handle(worker, deliveries[record["messageId"]], out_of_time)

        answer = process_partial_response(event, handle, processor, context)  # type: ignore[arg-type]
        self._telemetry.publish(self._services.clock.now() - began, near_timeout=left() < NEAR)
        _raise_if_nothing_works(processor, len(deliveries))
        return dict(answer)

    def _handle(self, worker: Worker, delivery: Delivery, out_of_time: Callable[[], bool]) -> None:
        if out_of_time() and self._put_off(delivery):
            return
        try:
            outcome = worker.handle(delivery)
        except (LakeError, QueueError):
            self._queue.extend_visibility(delivery, OUTAGE)
            raise
        if outcome in ("unreadable", "lease-lost"):
            raise NotDone(outcome)

    def _put_off(self, delivery: Delivery) -> bool:
        """Send a task that there is no time for as a new message; False if it is none, which the worker tells."""
        try:
            task = decode_task(delivery.body)
        except MessageError:
            return False
        requeue_task(self._queue, delivery, task.requeued(waiting_since=task.waiting_since))
        return True

    def _delivery(self, record: dict[str, Any]) -> Delivery:
        queue = self._queue.source_of(record["eventSourceARN"].rpartition(":")[2])
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        return Delivery(queue, record["receiptHandle"], record["body"].encode("utf-8", "surrogatepass"), receives)

    def _out_of_time(self, deliveries: Mapping[str, Delivery], left: Callable[[], float]) -> Callable[[], bool]:
        named = [self._sources[d.queue] for d in deliveries.values() if d.queue in self._sources]
        reserve = min(max(map(_longest, named), default=0.0) + LANDING, left() / 2)
        return lambda: left() < reserve


def _seconds_left(context: Context) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000


def _longest(source: Source) -> float:
    """Seconds for which a page of a source may be in flight: its request, and before it the wait for its turn."""
    return source.timeout + source.interval * source.concurrency * source.parallel


def _raise_if_nothing_works(processor: BatchProcessor, count: int) -> None:
    errors = [kept[1] for kept in processor.exceptions if kept[1] is not None and not isinstance(kept[1], NotDone)]
    if errors and len(errors) == count:
        raise errors[0]
