"""The queue of a source with its dead letters, the worker's subscription to it, and one policy over many queues."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from option_a.constructs.functions import WORKER_TIMEOUT, Functions
from option_a.constructs.roles import arn
from option_a.ingest.config import Source
from option_a.ingest.ports import MAX_RECEIVES
from option_a.names import dead_queue_name, queue_name, queue_prefix

_VISIBILITY = Duration.seconds(6 * int(WORKER_TIMEOUT.to_seconds()))
"""What Lambda asks for. The worker shortens it on receipt, so that a crash is delivered again in minutes."""


class SourceQueue(Construct):
    """One task a delivery, `concurrency` deliveries at once; after five receipts a message is a dead letter."""

    def __init__(self, scope: Construct, id: str, *, source: Source, stack: str, functions: Functions) -> None:
        super().__init__(scope, id)
        self.dead = self._queue("Dead", dead_queue_name(stack, source.name), retention=Duration.days(14))
        self.live = self._queue(
            "Queue",
            queue_name(stack, source.name),
            retention=Duration.days(10),
            visibility=_VISIBILITY,
            letters=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=MAX_RECEIVES),
        )
        lambda_.EventSourceMapping(
            self,
            "Subscription",
            target=functions.worker,
            event_source_arn=self.live.queue_arn,
            batch_size=1,
            report_batch_item_failures=True,
            max_concurrency=source.concurrency,
        )

    def _queue(
        self,
        id: str,
        name: str,
        *,
        retention: Duration,
        visibility: Duration | None = None,
        letters: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=retention,
            visibility_timeout=visibility,
            dead_letter_queue=letters,
        )


class TlsOnly(Construct):
    """Refuses plain HTTP. One policy a group: CloudFormation takes 2,500 resources at once, nested ones included."""

    def __init__(self, scope: Construct, id: str, *, queues: Sequence[SourceQueue], stack: str) -> None:
        super().__init__(scope, id)
        refuse = iam.PolicyStatement(
            sid="TlsOnly",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["sqs:*"],
            resources=[arn("sqs", f"{queue_prefix(stack)}*")],
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        )
        sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[url for queue in queues for url in (queue.live.queue_url, queue.dead.queue_url)],
            policy_document=iam.PolicyDocument(statements=[refuse]),
        )
