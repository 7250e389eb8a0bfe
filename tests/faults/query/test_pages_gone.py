"""A load that deletes pages while a query reads them: the query is asked again, or says what happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.errors import QueryError
from option_a.ingest.lake.base import Entry
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import page_key, raw_prefix
from option_a.query.duckdb_engine import DuckDBEngine
from option_a.workspace.summary_cache import SummaryCache
from tests.support.pipeline import Pipeline, make_pages, numbered_pages

COUNT = "SELECT count(*) FROM raw"


def landed(root: Path) -> tuple[Pipeline, DuckDBEngine]:
    """A day of three pages, and a connection to it."""
    pipeline = Pipeline(root, numbered_pages(make_pages(3)))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    index = SummaryCache(root.with_name("index"), pipeline.lake)
    return pipeline, DuckDBEngine(pipeline.lake, pipeline.sources, index.scan(), 0.0, index, print)


def shorten(pipeline: Pipeline) -> None:
    """As the promotion of a shorter day does."""
    pipeline.lake.delete([page_key(raw_prefix(pipeline.manifest().partition), 3)])


def test_a_folder_is_listed_anew_by_each_query(tmp_path: Path) -> None:
    pipeline, duck = landed(tmp_path / "lake")
    [(before,)] = duck.run(COUNT).rows
    shorten(pipeline)
    [(after,)] = duck.run(COUNT).rows
    assert after == before - 2


class Behind(FolderLake):
    """Lists a page that is deleted by the time it is read."""

    def entries(self, prefix: str) -> Iterator[Entry]:
        for entry in super().entries(prefix):
            yield entry
            if entry.key.endswith("page=000003.json.gz"):
                yield msgspec.structs.replace(entry, key=entry.key.replace("page=000003", "page=000004"))


def test_a_page_that_was_listed_and_is_gone_is_told_as_that(tmp_path: Path) -> None:
    """A folder whose name is a pattern is read like a bucket: listed once."""
    pipeline, _ = landed(tmp_path / "a[b]")
    index = SummaryCache(tmp_path / "index", pipeline.lake)
    duck = DuckDBEngine(Behind(tmp_path / "a[b]"), pipeline.sources, index.scan(), 0.0, index, print)
    with pytest.raises(QueryError, match="a page disappeared while the query ran") as caught:
        list(duck.run(COUNT).rows)
    assert "run the query again" in caught.value.hint


def test_what_a_query_itself_gets_wrong_is_no_page_that_is_gone(tmp_path: Path) -> None:
    _, duck = landed(tmp_path / "lake")
    with pytest.raises(QueryError, match="Conversion"):
        duck.run("SELECT 'No such file'::INT")
