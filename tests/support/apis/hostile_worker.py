"""A worker process that meets every hostile API in turn: `python -m tests.support.apis.hostile_worker URL`.

Prints what came of each as JSON, and the most memory that the process had had by then.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import urllib3

from option_a.ingest.config.auth import Bearer
from option_a.ingest.http.build import build_client
from option_a.ingest.load.worker import Outcome, Worker
from option_a.ingest.ports import Request, Response
from option_a.ingest.secrets import Reference
from tests.support.apis.hostile import FAULTS, MAX_BODY, TIMEOUT, TOKEN, records
from tests.support.pipeline import DATE, Pipeline, source
from tests.support.resources.peak_memory import peak

NEXT = "20231120T000000Z-b"


class Rotating:
    """A secret that was changed: it is the old one the first time it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, wanted: Reference) -> str:
        self.reads += 1
        return "stale" if self.reads == 1 else TOKEN


def unused(request: object) -> bytes:
    raise AssertionError


def meet(root: Path, url: str, number: int) -> dict[str, Any]:
    """One fault: a run into it, then its end and another run."""
    declared = source(
        url=f"{url}/{number}", pagination={"style": "page", "total_pages": "total_pages"}, patience="1h",
        timeout=TIMEOUT, max_body=MAX_BODY, auth=Bearer(token="env:TOKEN"), parallel=1,
    )  # fmt: skip
    pipeline = Pipeline(root, unused, declared)
    asked = build_client(pipeline.sources, pipeline.clock, Rotating())

    def fetch(request: Request) -> Response:
        pipeline.clock.time += 0.1
        return asked(request)

    pipeline.world = msgspec.structs.replace(pipeline.world, fetch=fetch)
    pipeline.worker = Worker(pipeline.world, pipeline.sources)
    pipeline.send()
    slowest, outcomes = 0.0, list[Outcome]()
    while pipeline.queue.messages and len(outcomes) < 200:
        begun = time.monotonic()
        outcomes += pipeline.drain(1)
        slowest = max(slowest, time.monotonic() - begun)
    cause = pipeline.manifest().cause
    urllib3.request("GET", f"{url}/{number}/mend")
    pipeline.clock.time += 900.0
    pipeline.send(NEXT)
    again = pipeline.drain()
    landed = [line for page in pipeline.pages().values() for line in page]
    return {
        "outcomes": outcomes,
        "slowest": slowest,
        "cause": msgspec.to_builtins(cause),
        "dead": [letter.cause.kind for letter in pipeline.queue.dead],
        "again": again,
        "records": records(landed),
        "differences": len(pipeline.differences(date=DATE)),
        "memory": peak(),
    }


def main(url: str) -> None:
    found = {}
    with tempfile.TemporaryDirectory() as root:
        for number, name in enumerate(FAULTS):
            found[name] = meet(Path(root) / str(number), url, number)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
