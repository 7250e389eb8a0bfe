"""The worker: deliveries of SQS to pages in the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.wiring import Functions

logger, metrics = Logger(), Metrics()
worker = Functions(Path(__file__).parent, logger, metrics).worker()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: Any, context: Any) -> dict[str, Any]:
    """`{"batchItemFailures": […]}`: the messages that stay on their queues."""
    return worker(event, context)
