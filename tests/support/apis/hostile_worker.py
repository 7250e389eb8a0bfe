"""A worker process that loads from each hostile API in turn: `python -m tests.support.apis.hostile_worker URL`.

Prints the outcome of each as JSON, with the process's peak memory so far. For tests/faults/load/test_hostile.py.
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
from option_a.ingest.load.worker import Outcome
from option_a.ingest.secrets import Reference
from tests.support.apis.hostile_api import HOSTILE_CASES, MAX_BODY, TIMEOUT, TOKEN, record_ids
from tests.support.apis.partition_api import unused_api, use_http_client
from tests.support.pipeline import DATE, Pipeline, source
from tests.support.resources.process_usage import peak_memory

NEXT = "20231120T000000Z-b"


class RotatedSecret:
    """A secret that was rotated: the first read returns the old one."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, wanted: Reference) -> str:
        self.reads += 1
        return "stale" if self.reads == 1 else TOKEN


def load_from(root: Path, url: str, number: int) -> dict[str, Any]:
    """Run into one misbehaviour, end it, and run again."""
    declared = source(
        url=f"{url}/{number}", pagination={"style": "page", "total_pages": "total_pages"}, patience="1h",
        timeout=TIMEOUT, max_body=MAX_BODY, auth=Bearer(token="env:TOKEN"), parallel=1,
    )  # fmt: skip
    pipeline = Pipeline(root, unused_api, declared)
    use_http_client(pipeline, RotatedSecret())
    pipeline.send()
    slowest, outcomes = 0.0, list[Outcome]()
    while pipeline.queue.messages and len(outcomes) < 200:
        begun = time.monotonic()
        outcomes += pipeline.drain(1)
        slowest = max(slowest, time.monotonic() - begun)
    cause = pipeline.manifest().cause
    urllib3.request("GET", f"{url}/{number}/repair")
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
        "records": record_ids(landed),
        "differences": len(pipeline.differences(date=DATE)),
        "memory": peak_memory(),
    }


def main(url: str) -> None:
    found = {}
    with tempfile.TemporaryDirectory() as root:
        for number, name in enumerate(HOSTILE_CASES):
            found[name] = load_from(Path(root) / str(number), url, number)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
