"""A deployed stack as the command line sees it, for tests of `--stack`: outputs, bucket, queues, worker."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from obstore.store import S3Store

from option_a.aws.functions.telemetry import Telemetry
from option_a.aws.functions.worker import LEASE, SqsBatchHandler
from option_a.aws.queue import SqsQueue
from option_a.ingest.config.read import Sources, read_sources
from option_a.ingest.http.build import build_client
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.load.services import Limits, Services
from option_a.ingest.secrets import Reference
from option_a.workspace.clock import SystemClock
from tests.support.aws.event_source_mapping import EventSourceMapping, FakeLambdaContext
from tests.support.aws.moto import REGION, MotoServer

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def reject_secret(wanted: Reference) -> str:
    """Secrets of a stack in which no source needs one."""
    raise AssertionError(f"no test uses a secret: {wanted}")


class FakeStack:
    """One stack on moto's server."""

    def __init__(self, aws: MotoServer, name: str) -> None:
        self.aws, self.name = aws, name
        self.bucket = f"{name.lower()}-lake"
        self._s3 = aws.client("s3")

    @property
    def env(self) -> dict[str, str]:
        """The environment variables with which a command finds it."""
        return {**self.aws.env, "OPTION_A_STACK": self.name}

    def deploy(self, sources: list[str], text: str | None, env: dict[str, str] | None = None) -> None:
        """Create what the command line uses; `text` is the deployed sources.toml."""
        self._s3.create_bucket(Bucket=self.bucket)
        self.aws.make_queues(self.name, sources)
        digest = hashlib.sha256((text or "").encode()).hexdigest()
        self._make_worker({"OPTION_A_SOURCES_SHA256": digest, **(env or {})})
        outputs = {
            "LakeBucket": self.bucket, "GlueDatabase": f"{self.name.lower()}_db", "AthenaWorkgroup": self.name,
            "WorkerFunction": f"{self.name}-worker", "QueueUrlBase": self.aws.queue_base, "Dashboard": "not asked for",
        }  # fmt: skip
        self.describe(outputs)

    def describe(self, outputs: dict[str, str]) -> None:
        """Create a stack with these outputs and nothing else that matters."""
        template = {
            "Resources": {"Nothing": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        self.aws.client("cloudformation").create_stack(StackName=self.name, TemplateBody=json.dumps(template))

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """The objects in the bucket."""
        found = self._s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {item["Key"]: self._s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read() for item in found}

    def put(self, key: str, data: bytes) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket=self.bucket, Key=key)

    def lake(self) -> BucketLake:
        """The lake as the functions use it."""
        keys: Any = {
            "access_key_id": "testing", "secret_access_key": "testing", "region": REGION, "endpoint": self.aws.endpoint,
        }  # fmt: skip
        return BucketLake(S3Store(self.bucket, config=keys, client_options={"allow_http": True}), self.bucket)

    def queue(self, sources: list[str]) -> SqsQueue:
        """The queues as the functions use them."""
        return SqsQueue(self.aws.client("sqs"), self.aws.queue_base, self.name, sources)

    @contextmanager
    def worker_running(self, file: Path, env: dict[str, str]) -> Iterator[None]:
        """Run the worker for as long as the block lasts, one delivery after the other."""
        sources = read_sources(file.read_text("utf-8") if file.exists() else None, env)
        batch, stop = self._batch(sources), threading.Event()
        mappings = [EventSourceMapping(self.aws, self.name, source) for source in sources]

        def work() -> None:
            while not stop.is_set():
                polled = [mapping.poll(lambda event: batch(event, FakeLambdaContext())) for mapping in mappings]
                if polled == [None] * len(polled):
                    stop.wait(0.05)

        with ThreadPoolExecutor(1) as thread:
            ended = thread.submit(work)
            try:
                yield
            finally:
                stop.set()
        ended.result()

    def _batch(self, sources: Sources) -> SqsBatchHandler:
        """The worker function's batch handler."""
        queue, clock = self.queue(list(sources)), SystemClock()
        telemetry = Telemetry(Logger(service=self.name, stream=io.StringIO()), Metrics("OptionA", self.name))
        services = Services(
            lake=self.lake(), queue=queue, fetch=build_client(sources, clock, reject_secret), clock=clock,
            limits=Limits(lease=LEASE), executor=ThreadPoolExecutor, jitter=lambda: 0.5, emit=telemetry,
        )  # fmt: skip
        return SqsBatchHandler(services, queue, sources, telemetry)

    def _make_worker(self, env: dict[str, str]) -> None:
        iam = self.aws.client("iam")
        role: dict[str, Any] = iam.create_role(
            RoleName=f"{self.name}-role", AssumeRolePolicyDocument=json.dumps(_TRUST)
        )["Role"]
        asset = io.BytesIO()
        with zipfile.ZipFile(asset, "w") as files:
            files.writestr("worker.py", "")
        self.aws.client("lambda").create_function(
            FunctionName=f"{self.name}-worker", Runtime="python3.13", Role=role["Arn"], Handler="worker.handler",
            Code={"ZipFile": asset.getvalue()}, Environment={"Variables": env},
        )  # fmt: skip
