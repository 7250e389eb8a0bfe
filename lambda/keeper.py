"""Keeps access to the lake as declared: a custom resource of CloudFormation, in the modes of Lake Formation alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.wiring import Functions

logger = Logger()
keeper = Functions(Path(__file__).parent, logger, Metrics()).access_reconciler()


@logger.inject_lambda_context
def handler(event: Any, context: Any) -> dict[str, str]:
    """The answer that CloudFormation was sent."""
    return keeper(event)
