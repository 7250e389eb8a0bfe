"""Loads many partitions through real HTTP from an API that treats each in its own way, for tests of bad responses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from option_a.ingest.http.build import build_client
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request, Response, Secrets
from tests.support.apis.http_server import Exchange, RequestHandler, Server
from tests.support.pipeline import Pipeline, source

FIRST = dt.date(1990, 1, 1)
TOKEN = "token-of-no-one"


class PartitionApi:
    """Serves `/<source>?date=…`; each partition has a handler of its own, called with the number of requests before."""

    def __init__(self) -> None:
        self.acts: dict[Partition, RequestHandler] = {}
        self.asked: dict[Partition, int] = {}

    def add(self, name: str, act: RequestHandler) -> Partition:
        """Give this handler to the next date of a source."""
        days = sum(partition.source == name for partition in self.acts)
        partition = Partition(name, FIRST + dt.timedelta(days=days))
        self.acts[partition] = act
        return partition

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.target)
        date = dt.date.fromisoformat(parse_qs(parts.query)["date"][0])
        partition = Partition(parts.path.strip("/").split("/")[0], date)
        before = self.asked.get(partition, 0)
        self.asked[partition] = before + 1
        self.acts[partition](exchange, before)


class PartitionLoads:
    """A pipeline that loads every partition over HTTP, and what came of each."""

    def __init__(self, root: Path, url: str, answering: PartitionApi, fields: dict[str, dict[str, Any]]) -> None:
        sources = [source(name=name, **{"url": f"{url}/{name}", **more}) for name, more in fields.items()]
        self.pipeline = Pipeline(root, unused_api, *sources)
        self.answering = answering
        self.tracebacks: list[str] = []
        use_http_client(self.pipeline, lambda wanted: TOKEN)

    def load(self) -> None:
        """Load every partition; note any error that a user would see as a traceback."""
        for partition in self.answering.acts:
            self.pipeline.send(name=partition.source, date=partition.date)
            try:
                self.pipeline.drain()
            except Exception as error:
                self.tracebacks.append(f"{partition}: {error!r}")
                self.pipeline.queue.messages.clear()

    def manifest(self, partition: Partition) -> Manifest:
        """The manifest of a partition."""
        return self.pipeline.manifest(partition.source, partition.date)

    def lines(self, partition: Partition) -> list[bytes]:
        """The records that landed, page by page."""
        pages = self.pipeline.pages(partition.source, partition.date)
        return [line for page in pages.values() for line in page]


def unused_api(request: Request) -> bytes:
    """The API of a pipeline that asks over HTTP instead."""
    raise AssertionError(request.url)


def use_http_client(pipeline: Pipeline, secrets: Secrets) -> None:
    """Replace the pipeline's API with the real HTTP client."""
    ask = build_client(pipeline.sources, pipeline.clock, secrets)

    def fetch(request: Request) -> Response:
        pipeline.clock.time += 0.1  # or an outage would never end
        return ask(request)

    pipeline.replace_services(fetch=fetch)


@contextmanager
def partition_loads(root: Path, answering: PartitionApi, **fields: dict[str, Any]) -> Iterator[PartitionLoads]:
    """A server of these partitions and the pipeline that asks it; each keyword declares a source."""
    with Server(answering) as server:
        yield PartitionLoads(root, server.url, answering, fields)
