"""A queue for each source in SQS. It cannot know which tasks live; one sent twice is done once, thanks to its lease."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from option_a.aws.dead_letter import encode_cause
from option_a.ingest.errors import QueueError
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task, encode_task
from option_a.names import dead_queue_name, queue_name, queue_prefix

_BATCH = 10
_TRIES = 3
_GONE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
"""How SQS says that a receipt is no longer valid."""
_LONGEST_DELAY = 900
_LONGEST_VISIBILITY = 43_200


class SqsQueue:
    """Satisfies the `Queue` port. Threads may share it."""

    def __init__(self, client: Any, url_base: str, stack: str, sources: Iterable[str]) -> None:
        self.client = client
        self._base, self._stack = url_base, stack
        self.sources = list(sources)
        self._by_name = {queue_name(stack, source): source for source in self.sources}

    def url(self, queue: str) -> str:
        """The URL of a source's queue."""
        return self._base + queue_name(self._stack, queue)

    def dead_url(self, queue: str) -> str:
        """The URL of a source's dead letters."""
        return self._base + dead_queue_name(self._stack, queue)

    def source_of(self, name: str) -> str:
        """The source whose queue it is, by the queue's name in an ARN."""
        return self._by_name.get(name, name.removeprefix(queue_prefix(self._stack)))

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        seconds = min(_LONGEST_DELAY, math.ceil(delay))
        sent = 0
        for queue, mine in groupby(sorted(tasks, key=lambda task: task.source), key=lambda task: task.source):
            while batch := list(islice(mine, _BATCH)):
                self._send_batch(queue, batch, seconds)
                sent += len(batch)
        return sent

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        for queue in queues:
            for message in self.messages(self.url(queue), visibility=math.ceil(lease), limit=1):
                receives = int(message["Attributes"]["ApproximateReceiveCount"])
                return Delivery(queue, message["ReceiptHandle"], message["Body"].encode(), receives)
        return None

    def ack(self, delivery: Delivery) -> None:
        self.delete(self.url(delivery.queue), delivery.receipt)

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return self.change_visibility(self.url(delivery.queue), delivery.receipt, seconds)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        letter = {name: {"DataType": "String", "StringValue": text} for name, text in encode_cause(cause).items()}
        letter["receives"] = {"DataType": "Number", "StringValue": str(delivery.receives)}
        with errors("send to", self.dead_url(delivery.queue)):
            self.client.send_message(
                QueueUrl=self.dead_url(delivery.queue), MessageBody=delivery.body.decode(), MessageAttributes=letter
            )
        self.ack(delivery)

    def messages(self, url: str, *, visibility: int, limit: int = _BATCH, wait: int = 0) -> list[dict[str, Any]]:
        """Receive up to `limit` messages and hide them for `visibility` seconds; with a `wait`, from every server."""
        with errors("receive from", url):
            answer = self.client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=limit, VisibilityTimeout=visibility, WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"], MessageAttributeNames=["All"],
            )  # fmt: skip
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received

    def delete(self, url: str, receipt: str) -> None:
        """Delete a message. A receipt that is no longer valid does nothing."""
        with errors("delete from", url):
            try:
                self.client.delete_message(QueueUrl=url, ReceiptHandle=receipt)
            except ClientError as error:
                if _code(error) not in _GONE:
                    raise

    def change_visibility(self, url: str, receipt: str, seconds: float) -> bool:
        """Hide a message for so long from now on; False if the receipt is no longer valid."""
        hidden = min(_LONGEST_VISIBILITY, max(0, math.ceil(seconds)))
        with errors("extend", url):
            try:
                self.client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=hidden)
            except ClientError as error:
                if _code(error) in _GONE:
                    return False
                raise
        return True

    def _send_batch(self, queue: str, tasks: list[Task], delay: int) -> None:
        left = {
            str(number): {"Id": str(number), "MessageBody": encode_task(task).decode(), "DelaySeconds": delay}
            for number, task in enumerate(tasks)
        }
        url = self.url(queue)
        with errors("send to", url):
            for _ in range(_TRIES):
                answer = self.client.send_message_batch(QueueUrl=url, Entries=list(left.values()))
                refused = {failure["Id"]: failure for failure in answer.get("Failed", [])}
                left = {number: entry for number, entry in left.items() if number in refused}
                if not left:
                    return
        why = next(iter(refused.values())).get("Message", "no reason told")
        raise QueueError(
            f"the queue {url} refused {len(left)} tasks: {why}", hint="send them again; duplicates are harmless"
        )


@contextmanager
def errors(verb: str, url: str) -> Iterator[None]:
    """What SQS or the network refuses, as a QueueError."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        hint = "check that the stack is deployed, the credentials, the region and the network"
        raise QueueError(f"cannot {verb} the queue {url.rpartition('/')[2]}: {error}", hint=hint) from None


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]
