"""Puts the pipeline together for a Lambda: once for each cold start, and only what the function uses."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.freshness import FreshnessCheck
from option_a.aws.functions.planner import Planner
from option_a.aws.functions.telemetry import Telemetry
from option_a.aws.functions.worker import LEASE, SqsBatchHandler
from option_a.aws.queue import SqsQueue
from option_a.aws.secrets import ManagedSecrets
from option_a.ingest.config import Sources, read_sources
from option_a.ingest.http import Network, build_client
from option_a.ingest.lake import Lake, open_lake
from option_a.ingest.load import Limits, Services, keep_buffers
from option_a.ingest.resilience import LocalRateLimiter

if TYPE_CHECKING:
    from option_a.aws.lakeformation.custom_resource import CustomResource


class Clock:
    """Satisfies the `Clock` port."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Functions:
    """What the functions are made of."""

    def __init__(self, folder: Path, logger: Logger, metrics: Metrics, env: Mapping[str, str] = os.environ) -> None:
        self._folder, self._logger, self._metrics, self._env = folder, logger, metrics, env
        self._clock = Clock()

    @cached_property
    def sources(self) -> Sources:
        """What was declared when the stack was deployed. Raises ConfigError."""
        return read_sources((self._folder / "sources.toml").read_text("utf-8"), self._env)

    @cached_property
    def lake(self) -> Lake:
        return open_lake(self._env["OPTION_A_LAKE"], self._env)

    @cached_property
    def queue(self) -> SqsQueue:
        return SqsQueue(self._client("sqs"), self._env["OPTION_A_QUEUES"], self._env["OPTION_A_STACK"], self.sources)

    def planner(self) -> Planner:
        """Events to tasks."""
        return Planner(self.sources, self.lake, self.queue, self._clock)

    def freshness_check(self) -> FreshnessCheck:
        """What is late."""
        return FreshnessCheck(self.sources, self.lake, self._clock, self._logger)

    def worker(self) -> SqsBatchHandler:
        """Deliveries to pages."""
        keep_buffers()
        telemetry = Telemetry(self._logger, self._metrics)
        secrets = ManagedSecrets(cache(lambda: self._client("secretsmanager")))
        # a function's own loopback is Lambda's: no API is there
        network = Network(loopback=False, env=self._env, folder=str(self._folder))
        rate_limiter = LocalRateLimiter(self.sources, self._clock)
        services = Services(
            lake=self.lake,
            queue=self.queue,
            fetch=build_client(self.sources, self._clock, secrets, network=network, rate_limiter=rate_limiter),
            clock=self._clock,
            limits=Limits(lease=LEASE),
            executor=ThreadPoolExecutor,
            jitter=random.random,
            emit=telemetry,
            secrets=secrets,
        )
        return SqsBatchHandler(services, self.queue, self.sources, telemetry, rate_limiter)

    def access_reconciler(self) -> CustomResource:
        """Who may read what, as declared."""
        from option_a.aws.lakeformation.custom_resource import CustomResource
        from option_a.aws.lakeformation.reconciler import AccessReconciler

        return CustomResource(
            lambda: AccessReconciler(self._client("lakeformation"), self._client("glue")), self._logger.exception
        )

    def _client(self, service: str) -> Any:
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.session import get_session  # type: ignore[import-untyped]

        patient = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)
        return get_session().create_client(service, config=patient)
