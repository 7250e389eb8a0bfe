"""What a home remembers of a lake: a look reads only the manifests that changed since the last one."""

from __future__ import annotations

from pathlib import Path

from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.workspace.summary_cache import SummaryCache
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages

OTHER = DATE.replace(day=2)


class Counting(FolderLake):
    """A lake that counts the manifests that are read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read_keys: list[str] = []

    def read(self, key: str) -> tuple[bytes, str] | None:
        self.read_keys.append(key)
        return super().read(key)


def test_only_what_changed_is_read_again_and_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path / "lake", numbered_pages(make_pages(1)))
    pipeline.send()
    pipeline.send(date=OTHER)
    pipeline.drain()
    lake = Counting(tmp_path / "lake")
    cache = tmp_path / "home" / "index.sqlite"
    assert {partition.date for partition in SummaryCache(cache, lake).scan()} == {DATE, OTHER}
    assert len(lake.read_keys) == 2
    SummaryCache(cache, lake).scan()
    assert len(lake.read_keys) == 2
    pipeline.send("20231114T230000Z-b", fresh=True)
    pipeline.drain()
    changed = manifest_key(pipeline.manifest().partition)
    assert {summary.run for summary in SummaryCache(cache, lake).scan().values()} > {"20231114T230000Z-b"}
    assert lake.read_keys[2:] == [changed]
    pipeline.lake.delete([changed])
    assert {partition.date for partition in SummaryCache(cache, lake).scan()} == {OTHER}
    assert lake.read_keys[2:] == [changed]


def test_a_cache_that_is_garbage_is_a_look_at_everything(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path / "lake", numbered_pages(make_pages(1)))
    pipeline.send()
    pipeline.drain()
    cache = tmp_path / "index.sqlite"
    cache.write_bytes(b"no database at all" * 100)
    assert [partition.date for partition in SummaryCache(cache, pipeline.lake).scan()] == [DATE]
