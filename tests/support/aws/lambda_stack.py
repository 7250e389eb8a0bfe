"""The real Lambda functions with moto's queues and bucket, for acceptance tests of the deployed asset."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from option_a.aws.stack.queue_admin import SqsQueueAdmin
from option_a.ingest.config.source import DEFAULT_NAMES
from option_a.ingest.http.mock import mock_body
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.aws.event_source_mapping import EventSourceMapping
from tests.support.aws.lambda_runtime import LambdaFunction
from tests.support.aws.moto import MotoServer

STACK = "OptionAIngestionDemoPy"
DAY = "2024-05-01"


class LambdaStack:
    """One stack; its queues and bucket are created immediately."""

    def __init__(
        self, server: MotoServer, asset: Path, runtime: Path, *, bucket: str = "lake-bucket",
        sources: tuple[str, ...] = DEFAULT_NAMES,
    ) -> None:  # fmt: skip
        self.server, self.asset, self.runtime, self.bucket = server, asset, runtime, bucket
        server.make_queues(STACK, sources)
        server.client("s3").create_bucket(Bucket=bucket)
        self.queues = SqsQueueAdmin(server.client("sqs"), server.queue_base, STACK, sources)
        self.mappings = [EventSourceMapping(server, STACK, source) for source in sources]
        self.env = {
            **server.env,
            "OPTION_A_LAKE": f"s3://{bucket}",
            "OPTION_A_STACK": STACK,
            "OPTION_A_QUEUES": server.queue_base,
            "POWERTOOLS_SERVICE_NAME": STACK,
            "POWERTOOLS_METRICS_NAMESPACE": "OptionA",
            "AWS_XRAY_SDK_ENABLED": "false",
        }

    def function(self, name: str, **env: str) -> LambdaFunction:
        """A cold function."""
        return LambdaFunction(self.asset, f"{name}.handler", {**self.env, **env}, runtime=self.runtime)

    def drain(self, worker: LambdaFunction, *, seconds: float = 900.0, most: int = 100) -> int:
        """Let the mappings invoke the worker until no message is visible; return the number of invocations."""
        invocations = 0
        while invocations < most:
            polled = [mapping.poll(lambda event: worker.invoke(event, seconds=seconds)) for mapping in self.mappings]
            if all(failed is None for failed in polled):
                return invocations
            invocations += sum(failed is not None for failed in polled)
        raise AssertionError(f"no end after {invocations} invocations")

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """The objects in the bucket, as another client sees them."""
        client = self.server.client("s3")
        found = client.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {item["Key"]: client.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read() for item in found}

    def manifest(self, source: str, day: str = DAY) -> dict[str, Any]:
        """A partition's manifest, decoded."""
        found: dict[str, Any] = json.loads(
            self.objects(f"manifest/source={source}/ingestion_date={day}/manifest.json").popitem()[1]
        )
        return found


class SlowApi:
    """The mock data over HTTP; each page takes `takes` seconds, and from page `stuck` on none is answered."""

    def __init__(self, *, takes: float = 0.0, stuck: int = 10**6) -> None:
        self.takes, self.stuck = takes, stuck
        self.asked: list[int] = []
        self.free = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.target)
        query = parse_qs(parts.query)
        page = int(query["page"][0])
        self.asked.append(page)
        self.free.wait(3600 if page >= self.stuck else self.takes)
        exchange.send(reply(mock_body(parts.path.strip("/"), query["date"][0], str(page))))


def real_http_env(server: Server) -> dict[str, str]:
    """The environment that points the default sources at this server."""
    urls = {source: f"{server.url}/{source}" for source in DEFAULT_NAMES}
    return {"USE_REAL_HTTP": "true", "ENDPOINT_MAP": json.dumps(urls)}
