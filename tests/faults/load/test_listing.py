"""The lake's own listing against the ledger: a page that is not there is no complete day, a stray is deleted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from option_a.ingest.events import Event
from option_a.ingest.lake.keys import page_key, raw_prefix
from option_a.ingest.load.worker import Worker
from option_a.ingest.partition import Partition
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages, source

DECLARED = {"style": "page", "total_pages": "total_pages"}
RAW = raw_prefix(Partition("s", DATE))


def meddled(root: Path, key: str, data: bytes | None, *, times: int = 9) -> Pipeline:
    """A pipeline beside which something else writes or deletes one object under raw/, when the last page lands."""
    left = [times]

    def tell(event: Event) -> None:
        pipeline.events.append(event)
        if event.kind == "landed" and event.page == 4 and left[0]:
            left[0] -= 1
            if data is None:
                pipeline.lake.delete([key])
            else:
                pipeline.lake.put(key, data)

    pipeline = Pipeline(root, numbered_pages(make_pages(4), total_pages=4), source(pagination=DECLARED, parallel=1))
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, emit=tell), pipeline.sources)
    pipeline.send()
    return pipeline


@pytest.mark.parametrize("data", [None, b"torn"])
def test_a_page_that_the_lake_does_not_list_as_it_landed_fails_the_day_and_is_named(
    data: bytes | None, tmp_path: Path
) -> None:
    pipeline = meddled(tmp_path, page_key(RAW, 2), data)
    assert pipeline.drain() == ["failed"]
    (letter,) = pipeline.queue.dead
    said = f"s {DATE} page 2: the manifest has 4 pages, and the lake does not list 1 of them (something else writes to"
    assert (letter.cause.kind, letter.cause.page) == ("total", 2)
    assert letter.cause.message.startswith(said)
    assert pipeline.kinds().count("restarted") == 1
    assert pipeline.manifest().state == "failed"


def test_a_page_that_is_gone_once_is_loaded_once_more(tmp_path: Path) -> None:
    pipeline = meddled(tmp_path, page_key(RAW, 2), None, times=1)
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked() == [1, 2, 3, 4] * 2
    assert (len(pipeline.pages()), pipeline.manifest().load.finished) == (4, pipeline.clock.now())
    assert pipeline.differences() == []


@pytest.mark.parametrize("name", ["page=000005.json.gz", "page=0000002.json.gz", "page=000002.json", "notes.txt"])
def test_what_the_ledger_does_not_have_is_deleted(name: str, tmp_path: Path) -> None:
    pipeline = meddled(tmp_path, f"{RAW}/{name}", b"x")
    assert pipeline.drain() == ["complete"]
    assert list(pipeline.pages()) == [f"page={page:06d}.json.gz" for page in (1, 2, 3, 4)]
    assert pipeline.differences() == []
