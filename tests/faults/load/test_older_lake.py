"""A lake and a queue that version 0.1.0 left, in every state: they are read, loaded to the end, and nothing is lost.

`lake-0.1.0.tar.xz` was written by commit aa24bcc, on a clock that stood at 1.7e9 (2023-11-14) and later at a day more.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.config.source import Source
from option_a.ingest.load.worker import Worker
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import redrive_tasks
from option_a.ingest.plan.summary import partition_state
from option_a.ingest.plan.summary_reader import read_summaries
from option_a.ingest.ports import Request
from option_a.local.queue import SqliteQueue
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import DATE, Pipeline, source

RUN = "20231117T010000Z-c"
FILE = Path(__file__).with_name("lake-0.1.0.tar.xz")
PAGES = {"cut": 6, "segments": 1_050, "short": 1}
STYLES = {
    "cursor": {"style": "cursor", "path": "next", "param": "at"},
    "short": {"style": "page", "stop": "short", "size": 5},
}
WINDOW = {"from": "from", "to": "to", "zone": "America/New_York"}
WRITTEN = {
    "whole": "complete", "cut": "incomplete", "cursor": "incomplete", "failed": "failed", "reload": "failed",
    "promoting": "promoting", "waiting": "incomplete", "zoned": "complete", "segments": "incomplete",
    "short": "incomplete",
}  # fmt: skip
ASKED = {"cut": [4, 5, 6, 7], "cursor": [4, 5], "segments": [*range(1_031, 1_052)], "promoting": [], "short": [2]}
"""The pages that were still to come, and what asks for them: nothing that had landed is requested again."""


def declared(name: str) -> Source:
    more: dict[str, object] = {"pagination": STYLES[name]} if name in STYLES else {}
    if name == "zoned":
        more |= {"date_param": None, "window": WINDOW}
    return source(name=name, url=f"https://api.test/{name}", **more)


def body(name: str, page: int, word: str) -> bytes:
    last = PAGES.get(name, 5)
    if name == "cursor":
        return json.dumps({"data": records(name, page, word), "next": page + 1 if page < last else None}).encode()
    return json.dumps({"data": records(name, page, word) if page <= last else []}).encode()


def records(name: str, page: int, word: str) -> list[dict[str, str]]:
    return [{"id": f"{page}.{n}", **({} if name == "cursor" else {"word": word})} for n in range(2)]


def page_of(request: Request) -> int:
    return int(request.params.get("page") or request.params.get("at") or 1)


@pytest.fixture
def older(tmp_path: Path) -> Pipeline:
    with tarfile.open(FILE) as archive:
        archive.extractall(tmp_path, filter="data")
    pipeline = Pipeline(
        tmp_path / "lake", lambda r: body(r.source, page_of(r), "b"), *(declared(name) for name in WRITTEN)
    )
    pipeline.clock.time += 2 * 86_400
    return pipeline


def test_its_partitions_are_read_in_the_state_in_which_they_were_left(older: Pipeline) -> None:
    summaries = read_summaries(older.lake, [Partition(name, DATE) for name in WRITTEN], InlineExecutor(1))
    now = older.clock.now()
    assert {p.source: partition_state(summary, now) for p, summary in summaries.items()} == {
        **WRITTEN, "promoting": "incomplete",
    }  # fmt: skip
    assert summaries[Partition("reload", DATE)].has_previous_load


@pytest.mark.parametrize("name", [name for name, state in WRITTEN.items() if state != "complete"])
def test_what_was_begun_is_finished_and_what_had_landed_is_not_requested_again(
    name: str, older: Pipeline, tmp_path: Path
) -> None:
    queue = SqliteQueue(tmp_path / "queue.sqlite", older.clock)
    if WRITTEN[name] == "failed":
        failed = [Partition(name, DATE)]
        summaries = read_summaries(older.lake, failed, InlineExecutor(1))
        queue.send(item.task for item in redrive_tasks(failed, summaries, queue.dead_letters(), RUN))
    worker = Worker(msgspec.structs.replace(older.services, queue=queue), older.sources)
    while delivery := queue.receive([name], lease=30.0):
        worker.handle(delivery)
    assert older.manifest(name).state == "complete"
    assert ASKED.get(name, [*range(1, 7)]) == [page_of(request) for request in older.requests]
    assert older.differences(name) == []
    landed = [json.loads(line) for lines in older.pages(name).values() for line in lines]
    assert [record["id"] for record in landed] == [f"{p}.{n}" for p in range(1, PAGES.get(name, 5) + 1) for n in (0, 1)]
    queue.close()


def test_what_was_complete_is_left_alone(older: Pipeline) -> None:
    before = {name: older.pages(name) for name in ("whole", "zoned", "reload")}
    assert {name: older.differences(name) for name in ("whole", "zoned")} == {"whole": [], "zoned": []}
    assert all(len(pages) == 5 for pages in before.values()), "a failed re-load leaves the complete day readable"
