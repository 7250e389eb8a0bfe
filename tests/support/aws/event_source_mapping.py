"""Lambda's SQS event source mapping: polls, invokes, deletes what did not fail, for tests of the worker function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from option_a.names import queue_name
from tests.support.aws.moto import ACCOUNT, REGION, MotoServer

Invoke = Callable[[dict[str, Any]], dict[str, Any]]


class FakeLambdaContext:
    """The context of an invocation; `left` gives the remaining seconds."""

    aws_request_id = "request-1"
    function_name = "worker"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker"

    def __init__(self, left: Callable[[], float] = lambda: 900.0) -> None:
        self._left = left

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left() * 1000)


class EventSourceMapping:
    """The event source mapping of one queue."""

    def __init__(self, aws: MotoServer, stack: str, source: str) -> None:
        self._sqs = aws.client("sqs")
        self._name = queue_name(stack, source)
        self._url = aws.queue_base + self._name

    def poll(self, invoke: Invoke, *, most: int = 1) -> list[str] | None:
        """Invoke once with the visible messages; return the failed ids, or None if nothing was visible.

        Exceptions of `invoke` propagate, and the messages stay hidden.
        """
        records = self.receive(most)
        if not records:
            return None
        answer = invoke({"Records": records})
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        for record in records:
            if record["messageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=record["receiptHandle"])
        return failed

    def receive(self, most: int = 1) -> list[dict[str, Any]]:
        """Receive what is visible, as records of an event."""
        received = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
        )
        return [self._record(message) for message in received.get("Messages", [])]

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        """A record as AWS documents it for SQS events."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self._name}",
            "awsRegion": REGION,
        }
