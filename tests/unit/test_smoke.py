"""The shortest way through the whole core."""

from __future__ import annotations

from pathlib import Path

from tests.support.pipeline import Pipeline, numbered_pages


def test_two_pages_land_and_the_partition_is_complete(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages([[{"id": 1}, {"id": 2}], [{"id": 3}]]))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert pipeline.pages() == {"page=000001.json.gz": [b'{"id":1}', b'{"id":2}'], "page=000002.json.gz": [b'{"id":3}']}
    assert pipeline.manifest().state == "complete"
