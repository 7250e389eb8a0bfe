"""The planner: an event of EventBridge, or a person's, to tasks on the queues of their sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from option_a.aws.functions.telemetry import place
from option_a.aws.functions.wiring import Functions

logger, metrics = Logger(), Metrics()
planner = Functions(Path(__file__).parent, logger, metrics).planner()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: Any, context: Any) -> dict[str, Any]:
    """`{"run", "partitions", "enqueued", "why", "tasks", "more"}`: what was planned and sent."""
    answer = planner(event, context.aws_request_id)
    metrics.add_metric("TasksPlanned", MetricUnit.Count, answer["enqueued"])
    counts = {key: answer[key] for key in ("partitions", "enqueued", "why")}
    logger.info("planned", extra=place(run=answer["run"]) | counts)
    return answer
