"""The alarms over queues: one for every ten of them, because a metric's formula takes no more."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from option_a.constructs.alarms import Alarms
from option_a.constructs.queues import SourceQueue

TEN = 10
_PERIOD = Duration.minutes(5)
_OLD = Duration.hours(12)


class QueueAlarms(Construct):
    """Dead letters anywhere, and messages that wait for long."""

    def __init__(self, scope: Construct, id: str, *, queues: Sequence[SourceQueue], alarms: Alarms) -> None:
        super().__init__(scope, id)
        tens = [queues[start : start + TEN] for start in range(0, len(queues), TEN)]
        for number, ten in enumerate(tens, start=1):
            alarms.alarm(
                f"DeadLetters{number}",
                _over("SUM", [_dead(queue.dead) for queue in ten]),
                f"A task could not be done. `option-a dead --stack {alarms.stack}` tells which and why; mend the "
                f"cause, then `option-a redrive --stack {alarms.stack}`.",
                scope=self,
            )
            alarms.alarm(
                f"OldestMessage{number}",
                _over("MAX", [_age(queue.live) for queue in ten]),
                "A task has waited for 12 hours. In a long backfill that is normal; else raise `concurrency` in "
                "sources.toml, or see in the dashboard whether the worker is throttled.",
                threshold=_OLD.to_seconds(),
                scope=self,
            )


def _dead(queue: sqs.Queue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_PERIOD)


def _age(queue: sqs.Queue) -> cloudwatch.Metric:
    return queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_PERIOD)


def _over(function: str, metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    named: dict[str, cloudwatch.IMetric] = {f"m{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=f"{function}([{', '.join(named)}])", using_metrics=named, period=_PERIOD, label=function.lower()
    )
