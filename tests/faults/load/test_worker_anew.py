"""When a load begins anew: origin, open days, another shape; and a lake that refused, or whose ledger is torn."""

from __future__ import annotations

import datetime as dt
import errno
import os
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.config.source import Source, mock_source
from option_a.ingest.errors import LakeError
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.cutoff import utc_date_end
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source

NEXT = "20231114T230000Z-b"
THIRD = "20231115T000000Z-c"
TODAY = dt.date(2023, 11, 14)
"""The date of FakeClock's start: not over yet."""


class Versions:
    """An API whose day is of another version when it is asked later."""

    def __init__(self, pages: int = 3) -> None:
        self.word, self.count = "a", pages

    def __call__(self, request: Request) -> bytes:
        return numbered_pages(make_pages(self.count, word=self.word))(request)


def declare(pipeline: Pipeline, other: Source) -> None:
    """Another sources.toml from now on."""
    pipeline.sources = {other.name: other}
    pipeline.worker = Worker(pipeline.services, pipeline.sources)


def words(pipeline: Pipeline, date: dt.date = DATE) -> set[object]:
    """The versions that the records under raw/ are of."""
    return {msgspec.json.decode(line)["word"] for lines in pipeline.pages(date=date).values() for line in lines}


def test_a_real_load_clears_what_an_unfinished_mock_load_has_left(tmp_path: Path) -> None:
    api = Versions(5)
    pipeline = Pipeline(tmp_path, api, mock_source("s"))
    pipeline.budget = 4
    pipeline.send()
    pipeline.step()
    assert len(pipeline.pages()) == 4
    pipeline.queue.messages.clear()
    pipeline.budget, api.word, api.count = 1, "b", 2
    declare(pipeline, source())
    pipeline.send(NEXT)
    assert pipeline.step() == "out-of-time"
    assert (words(pipeline), len(pipeline.pages())) == ({"b"}, 1)
    pipeline.budget = None
    assert pipeline.drain() == ["complete"]
    assert (words(pipeline), len(pipeline.pages()), pipeline.manifest().load.origin) == ({"b"}, 2, "real")
    assert pipeline.differences() == []


@pytest.mark.parametrize(("before", "after"), [(mock_source("s"), source()), (source(), mock_source("s"))])
def test_a_complete_day_of_another_origin_is_loaded_again_beside_and_never_mixed(
    before: Source, after: Source, tmp_path: Path
) -> None:
    api = Versions()
    pipeline = Pipeline(tmp_path, api, before)
    pipeline.send()
    pipeline.drain()
    api.word, api.count = "b", 2
    declare(pipeline, after)
    pipeline.send(NEXT)
    pipeline.budget = 1
    pipeline.step()
    assert (words(pipeline), len(pipeline.pages())) == ({"a"}, 3)
    pipeline.budget = None
    assert pipeline.drain()[-1] == "complete"
    assert (words(pipeline), len(pipeline.pages())) == ({"b"}, 2)
    assert pipeline.manifest().load.origin == after.origin
    assert pipeline.differences() == []


def test_a_day_loaded_before_its_end_is_loaded_again_by_the_first_run_after_it_and_once_only(tmp_path: Path) -> None:
    api = Versions()
    pipeline = Pipeline(tmp_path, api)
    pipeline.send(date=TODAY)
    assert pipeline.drain() == ["complete"]
    pipeline.send(NEXT, date=TODAY)
    assert pipeline.drain() == ["done"]
    api.word = "b"
    pipeline.clock.time = utc_date_end(TODAY)
    for run, outcome in ((THIRD, "complete"), ("20231116T000000Z-d", "done")):
        pipeline.send(run, date=TODAY)
        assert pipeline.drain() == [outcome]
    assert words(pipeline, TODAY) == {"b"}
    assert pipeline.manifest(date=TODAY).load.restated == 3
    assert pipeline.differences(date=TODAY) == []


def test_the_same_run_delivered_again_after_the_days_end_loads_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, Versions())
    pipeline.send(date=TODAY)
    pipeline.drain()
    pipeline.clock.time = utc_date_end(TODAY)
    pipeline.send(date=TODAY)
    assert pipeline.drain() == ["done"]


def test_a_load_begun_before_the_days_end_and_unfinished_is_not_gone_on_with_after_it(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, Versions())
    pipeline.budget = 2
    pipeline.send(date=TODAY)
    pipeline.step()
    pipeline.budget = None
    pipeline.clock.time = utc_date_end(TODAY) + 1.0
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked() == [1, 2, 1, 2, 3, 4]


@pytest.mark.parametrize("undated", [mock_source("s"), source(date_param=None)], ids=["mock", "snapshot"])
def test_mock_days_and_snapshots_are_never_open(undated: Source, tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, Versions(), undated)
    pipeline.send(date=TODAY)
    pipeline.drain()
    pipeline.clock.time = utc_date_end(TODAY) + 1.0
    pipeline.send(THIRD, date=TODAY)
    assert pipeline.drain() == ["done"]


@pytest.mark.parametrize("change", [{"params": {"limit": 1}}, {"records": "data"}, {"url": "https://api.test/v2"}])
def test_an_unfinished_load_begins_anew_when_its_pages_would_be_of_another_shape(
    change: dict[str, object], tmp_path: Path
) -> None:
    pipeline = Pipeline(tmp_path, Versions())
    pipeline.budget = 2
    pipeline.send()
    pipeline.step()
    pipeline.budget = None
    declare(pipeline, source(**change))
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked() == [1, 2, 1, 2, 3, 4]


def test_an_unfinished_load_goes_on_when_only_speed_or_patience_were_changed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, Versions())
    pipeline.budget = 2
    pipeline.send()
    pipeline.step()
    pipeline.budget = None
    declare(pipeline, source(parallel=1, patience="1h", timeout=5.0))
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked() == [1, 2, 3, 4]


class FullLake(FolderLake):
    """A folder that takes no page while its disk is full."""

    full = False

    def put(self, key: str, data: bytes) -> None:
        if self.full:
            raise LakeError(f"cannot write {key}: {os.strerror(errno.ENOSPC)}")
        super().put(key, data)


def test_a_full_disk_acknowledges_nothing_and_the_load_goes_on_unaided_afterwards(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        lake.full = request.params["page"] == "3" and len(pipeline.requests) < 4
        pipeline.clock.time += 11.0
        return numbered_pages(make_pages(5))(request)

    lake = FullLake(tmp_path)
    pipeline = Pipeline(tmp_path, answer)
    pipeline.services = msgspec.structs.replace(pipeline.services, lake=lake)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    with pytest.raises(LakeError, match=r"page=000003.*No space left"):
        pipeline.step()
    assert len(pipeline.queue.messages) == 1
    assert pipeline.queue.dead == []
    lake.full = False
    assert pipeline.drain()[-1] == "complete"
    assert pipeline.asked() == [1, 2, 3, 3, 4, 5, 6]
    assert pipeline.differences() == []


def test_a_file_where_the_lake_wants_a_folder_acknowledges_nothing_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest").write_text("in the way")
    pipeline = Pipeline(tmp_path, Versions())
    pipeline.send()
    with pytest.raises(LakeError, match="manifest"):
        pipeline.step()
    assert (len(pipeline.queue.messages), pipeline.requests) == (1, [])
    (tmp_path / "manifest").unlink()
    assert pipeline.drain() == ["complete"]


@pytest.mark.parametrize("torn", [b"", b"{", b'{"version":2}', b"\xff\xfe", b"[" * 100_000])
def test_over_a_ledger_that_cannot_be_read_nothing_is_loaded_and_the_task_is_dead_with_its_cause(
    torn: bytes, tmp_path: Path
) -> None:
    pipeline = Pipeline(tmp_path, Versions())
    pipeline.send()
    pipeline.drain()
    asked, before = len(pipeline.requests), pipeline.objects("raw")
    pipeline.lake.put(manifest_key(Partition("s", DATE)), torn)
    for run, fresh in ((RUN, False), (NEXT, True)):
        pipeline.send(run, fresh=fresh)
        assert pipeline.drain() == ["failed"]
    assert [letter.cause.kind for letter in pipeline.queue.dead] == ["manifest", "manifest"]
    assert len(pipeline.requests) == asked
    assert pipeline.objects("raw") == before
    assert pipeline.lake.get(manifest_key(Partition("s", DATE))) == torn
    assert [difference.what for difference in pipeline.differences()] == ["manifest"]
