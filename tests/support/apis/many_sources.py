"""Many partitions of a few sources through the real path: a server, HTTP, the worker, a folder lake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from option_a.ingest.http.build import build_client
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request, Response
from option_a.ingest.secrets import Reference
from tests.support.apis.server import Exchange, Server
from tests.support.pipeline import Pipeline, source

FIRST = dt.date(1990, 1, 1)
TOKEN = "token-of-no-one"
Act = Callable[[Exchange, int], object]
"""What is done with a request of a partition, and how many there were before it."""


class Answering:
    """Serves `/<source>?date=…`: each partition is its own act."""

    def __init__(self) -> None:
        self.acts: dict[Partition, Act] = {}
        self.asked: dict[Partition, int] = {}

    def add(self, name: str, act: Act) -> Partition:
        """The partition that answers so: the next date of a source."""
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


class Landing:
    """A pipeline that loads every partition, and what came of each."""

    def __init__(self, root: Path, url: str, answering: Answering, fields: dict[str, dict[str, Any]]) -> None:
        sources = [source(name=name, **{"url": f"{url}/{name}", **more}) for name, more in fields.items()]
        self.pipeline = Pipeline(root, _unused, *sources)
        self.answering = answering
        self.tracebacks: list[str] = []
        asked = build_client(self.pipeline.sources, self.pipeline.clock, _secret)

        def fetch(request: Request) -> Response:
            self.pipeline.clock.time += 0.1  # without it an outage never ends
            return asked(request)

        self.pipeline.world = msgspec.structs.replace(self.pipeline.world, fetch=fetch)
        self.pipeline.worker = Worker(self.pipeline.world, self.pipeline.sources)

    def load(self) -> None:
        """Handle every partition to its end. An error that a user would see as a traceback is noted, and is one."""
        for partition in self.answering.acts:
            self.pipeline.send(name=partition.source, date=partition.date)
            try:
                self.pipeline.drain()
            except Exception as error:
                self.tracebacks.append(f"{partition}: {error!r}")
                self.pipeline.queue.messages.clear()

    def manifest(self, partition: Partition) -> Manifest:
        """The ledger of a partition."""
        return self.pipeline.manifest(partition.source, partition.date)

    def lines(self, partition: Partition) -> list[bytes]:
        """The records that landed of it, page by page."""
        pages = self.pipeline.pages(partition.source, partition.date)
        return [line for page in pages.values() for line in page]


def _unused(request: Request) -> bytes:
    raise AssertionError(request.url)


def _secret(wanted: Reference) -> str:
    return TOKEN


@contextmanager
def landing(root: Path, answering: Answering, **fields: dict[str, Any]) -> Iterator[Landing]:
    """A server of these partitions, and the pipeline that asks it: a keyword a source, its keys as its value."""
    with Server(answering) as server:
        yield Landing(root, server.url, answering, fields)
