"""What stands between a queue and a function on AWS: receives, invokes, and deletes what the answer does not name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from option_a.names import queue_name
from tests.support.aws.moto import ACCOUNT, REGION, Aws

Invoke = Callable[[dict[str, Any]], dict[str, Any]]


class FakeContext:
    """The invocation as Lambda tells of it; `left` is in seconds."""

    aws_request_id = "request-1"
    function_name = "worker"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker"

    def __init__(self, left: Callable[[], float] = lambda: 900.0) -> None:
        self._left = left

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left() * 1000)


class Mapping:
    """The event source mapping of one queue."""

    def __init__(self, aws: Aws, stack: str, source: str) -> None:
        self._sqs = aws.client("sqs")
        self._name = queue_name(stack, source)
        self._url = aws.queue_base + self._name

    def poll(self, invoke: Invoke, *, most: int = 1) -> list[str] | None:
        """One invocation with what is visible; the ids that it names, or None if nothing was visible.

        What `invoke` raises comes through, and the messages stay hidden as they are.
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
        """What is visible, as the records of an event."""
        received = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
        )
        return [self._record(message) for message in received.get("Messages", [])]

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        """As AWS documents the event of SQS."""
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
