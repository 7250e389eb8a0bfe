"""A fake AWS: moto's server, and clients with fake keys, for every test of SQS, S3, CloudFormation or Lambda."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3  # type: ignore[import-untyped]
import msgspec
from botocore.config import Config  # type: ignore[import-untyped]
from moto.core.base_backend import BackendDict
from moto.core.utils import unix_time_millis
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.sqs.models import sqs_backends

from option_a.names import dead_queue_name, queue_name

ACCOUNT, REGION = "123456789012", "us-east-1"
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


class MotoServer(msgspec.Struct, frozen=True):
    """A running moto server."""

    endpoint: str

    @property
    def env(self) -> dict[str, str]:
        """The environment variables with which a process finds it."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.endpoint}

    @property
    def queue_base(self) -> str:
        """The URL of a queue without its name."""
        return f"{self.endpoint}/{ACCOUNT}/"

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, proxies={}),
        )  # fmt: skip

    def make_queues(self, stack: str, sources: Iterable[str], *, visibility: int = 5400) -> None:
        """The queues that a stack makes for its sources; dead letters after five receives."""
        sqs = self.client("sqs")
        for source in sources:
            sqs.create_queue(QueueName=dead_queue_name(stack, source))
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead_queue_name(stack, source)}"
            policy = msgspec.json.encode({"deadLetterTargetArn": arn, "maxReceiveCount": 5}).decode()
            attributes = {"VisibilityTimeout": str(visibility), "RedrivePolicy": policy}
            sqs.create_queue(QueueName=queue_name(stack, source), Attributes=attributes)


@contextmanager
def moto_server() -> Iterator[MotoServer]:
    """An empty server. All servers of a process share their state, so use one at a time."""
    BackendDict.reset()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield MotoServer(f"http://{host}:{port}")
    finally:
        server.stop()


def pass_sqs_time(stack: str, seconds: float) -> None:
    """Let this much time pass for the queues of a stack: hidden and delayed messages become visible sooner."""
    now = unix_time_millis()
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():
        for message in queue._messages if queue.name.startswith(stack) else ():
            message.visible_at = min(message.visible_at, now + 10**9) - seconds * 1000
            message.delayed_until -= seconds * 1000
