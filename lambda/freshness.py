"""The hourly look at what is late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from option_a.aws.functions.wiring import Functions

logger, metrics = Logger(), Metrics()
watch = Functions(Path(__file__).parent, logger, metrics).freshness_check()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: Any, context: Any) -> dict[str, Any]:
    """`{"expected", "late", "partitions"}`; the alarm goes by the metric."""
    answer = watch()
    metrics.add_metric("PartitionsExpected", MetricUnit.Count, answer["expected"])
    metrics.add_metric("PartitionsLate", MetricUnit.Count, answer["late"])
    return answer
