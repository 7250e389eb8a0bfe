"""How old the oldest message of each queue is: SQS does not tell, CloudWatch does, a minute late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from option_a.aws.stack.session import aws_errors

_AT_ONCE = 500
"""Metrics that one call may ask for."""
_BACK = dt.timedelta(minutes=10)


def oldest_message_ages(client: Any, queues: Sequence[str], now: float) -> dict[str, float]:
    """The age in seconds by queue name; a queue of which none is known is left out. Raises AwsError."""
    ages: dict[str, float] = {}
    for first in range(0, len(queues), _AT_ONCE):
        batch = queues[first : first + _AT_ONCE]
        for number, values in _ask(client, batch, dt.datetime.fromtimestamp(now, dt.UTC)):
            ages |= {batch[number]: values[0]} if values else {}
    return ages


def _ask(client: Any, queues: Sequence[str], now: dt.datetime) -> Iterator[tuple[int, list[float]]]:
    """The values of each queue, by its place, the newest first."""
    asked: dict[str, Any] = {
        "MetricDataQueries": [_metric(number, queue) for number, queue in enumerate(queues)],
        "StartTime": now - _BACK, "EndTime": now, "ScanBy": "TimestampDescending",
    }  # fmt: skip
    with aws_errors("ask for the age of the oldest tasks"):
        for page in client.get_paginator("get_metric_data").paginate(**asked):
            yield from ((int(result["Id"][1:]), result["Values"]) for result in page["MetricDataResults"])


def _metric(number: int, queue: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": queue}],
    }  # fmt: skip
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
