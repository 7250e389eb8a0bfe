"""A ledger of thousands of pages: segments written once, a manifest that stays small; and what `verify` finds."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import page_key, raw_prefix
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.manifest.verify import Verified, verify_partition
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages, source

DECLARED = {"style": "page", "total_pages": "total_pages"}
NEXT = "20231114T230000Z-b"
PARTITION = Partition("s", DATE)
MANY = 2_600


class WritesCounted(FolderLake):
    """A folder that remembers what was written, and how large."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.puts: Counter[str] = Counter()
        self.manifests: list[int] = []

    def put(self, key: str, data: bytes) -> None:
        self.puts[key] += 1
        super().put(key, data)

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        self.manifests.append(len(data))
        return super().compare_and_swap(key, data, tag)


def many(root: Path) -> tuple[Pipeline, WritesCounted]:
    def answer(request: Request) -> bytes:
        pipeline.clock.time += 0.1
        body = {"data": [{"id": request.params["page"]}], "total_pages": MANY}
        return msgspec.json.encode(body)

    lake = WritesCounted(root)
    pipeline = Pipeline(root, answer, source(pagination=DECLARED, parallel=8))
    pipeline.services = msgspec.structs.replace(pipeline.services, lake=lake)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    return pipeline, lake


def segments(pipeline: Pipeline) -> list[str]:
    return sorted(key for key in pipeline.objects("manifest") if "/segment-" in key)


def test_of_thousands_of_pages_each_row_is_written_to_one_segment_once_and_the_manifest_stays_small(
    tmp_path: Path,
) -> None:
    pipeline, lake = many(tmp_path)
    assert pipeline.drain() == ["complete"]
    load = pipeline.manifest().load
    assert len([key for key in lake.puts if key in segments(pipeline)]) == load.segments == 2
    assert set(lake.puts.values()) == {1}
    assert len(lake.manifests) > MANY * 0.1 / 10
    assert max(lake.manifests) < 2_100 * 90
    rows = list(ManifestStore(lake, PARTITION).rows(load))
    assert [row.page for row in rows] == list(range(1, MANY + 1))
    assert pipeline.differences() == []


def test_a_crash_amid_the_segments_leaves_the_ledger_whole_and_a_fresh_load_mends_one_that_is_gone(
    tmp_path: Path,
) -> None:
    pipeline, lake = many(tmp_path)
    assert run_until_crash(pipeline, CrashPoint(3_900))
    assert pipeline.manifest().load.segments == 1
    assert pipeline.drain()[-1] == "complete"
    assert pipeline.differences() == []
    pages, before = pipeline.objects("raw"), segments(pipeline)
    lake.delete(before[1:])
    assert [difference.what for difference in pipeline.differences()] == ["manifest"]
    asked = len(pipeline.requests)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert len(pipeline.requests) == asked + MANY
    assert pipeline.manifest().load.run == NEXT
    assert len(segments(pipeline)) == 2
    assert not set(segments(pipeline)) & set(before)
    assert pipeline.objects("raw") == pages
    assert pipeline.differences() == []


def landed(root: Path) -> Pipeline:
    pipeline = Pipeline(
        root, numbered_pages([*make_pages(2), [], *make_pages(4)[3:]], total_pages=4), source(pagination=DECLARED)
    )
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    return pipeline


def page(number: int) -> str:
    return page_key(raw_prefix(PARTITION), number)


def content(pipeline: Pipeline, number: int) -> bytes:
    return pipeline.objects("raw")[page(number)]


def lines(pipeline: Pipeline, number: int) -> bytes:
    return gzip.decompress(content(pipeline, number))


def flipped(pipeline: Pipeline) -> None:
    pipeline.lake.put(page(1), gzip.compress(lines(pipeline, 1).replace(b'"a"', b'"b"')))


def cut(pipeline: Pipeline) -> None:
    pipeline.lake.put(page(1), content(pipeline, 1)[:-4])


def with_trailing_bytes(pipeline: Pipeline) -> None:
    pipeline.lake.put(page(1), content(pipeline, 1) * 2)


def record_doubled(pipeline: Pipeline) -> None:
    pipeline.lake.put(page(1), gzip.compress(lines(pipeline, 1) + lines(pipeline, 1)))


def page_doubled(pipeline: Pipeline) -> None:
    pipeline.lake.put(page(5), content(pipeline, 1))


def gap_filled(pipeline: Pipeline) -> None:
    pipeline.lake.put(page(3), content(pipeline, 1))


def pages_swapped(pipeline: Pipeline) -> None:
    one, two = content(pipeline, 1), content(pipeline, 2)
    pipeline.lake.put(page(1), two)
    pipeline.lake.put(page(2), one)


def gone(pipeline: Pipeline) -> None:
    pipeline.lake.delete([page(4)])


def no_page(pipeline: Pipeline) -> None:
    pipeline.lake.put(f"{raw_prefix(PARTITION)}/_SUCCESS", b"")


def of_no_partition(pipeline: Pipeline) -> None:
    pipeline.lake.put("raw/source=s/ingestion_date=2023-10-31/page=000001.json.gz", content(pipeline, 1))


def miscounted(pipeline: Pipeline) -> None:
    ledger = ManifestStore(pipeline.lake, PARTITION)
    manifest = ledger.read()
    assert manifest is not None
    manifest.load.records += 1
    ledger.write(manifest)


SAID: list[tuple[Callable[[Pipeline], None], str, str]] = [
    (gone, page(4), f"s {DATE} page 4: the object is missing"),
    (page_doubled, page(5), f"{page(5)} is a page that the manifest does not have"),
    (no_page, f"{raw_prefix(PARTITION)}/_SUCCESS", f"{raw_prefix(PARTITION)}/_SUCCESS is not a page"),
    (miscounted, "", f"s {DATE}: the manifest's rows do not add up to its totals"),
]


@pytest.mark.parametrize(("damage", "key", "message"), SAID)
def test_a_difference_names_its_object_and_says_what_is_wrong(
    damage: Callable[[Pipeline], None], key: str, message: str, tmp_path: Path
) -> None:
    pipeline = landed(tmp_path)
    damage(pipeline)
    (found,) = pipeline.differences()
    assert (found.source, found.date, found.key) == ("s", DATE.isoformat(), key)
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (flipped, ["changed"]),
        (cut, ["changed", "torn"]),
        (with_trailing_bytes, ["changed", "torn"]),
        (record_doubled, ["changed", "records"]),
        (page_doubled, ["stray"]),
        (gap_filled, ["stray"]),
        (pages_swapped, ["changed", "changed"]),
        (gone, ["missing"]),
        (no_page, ["stray"]),
        (of_no_partition, ["stray"]),
        (miscounted, ["totals"]),
    ],
)
def test_verify_finds_each_planted_difference_and_nothing_else(
    damage: Callable[[Pipeline], None], found: list[str], tmp_path: Path
) -> None:
    pipeline = landed(tmp_path)
    assert pipeline.differences() == []
    damage(pipeline)
    assert [difference.what for difference in pipeline.differences()] == found


@pytest.mark.parametrize("damage", [flipped, cut, record_doubled, page_doubled, gap_filled, gone, no_page])
def test_a_fresh_load_mends_what_verify_finds(damage: Callable[[Pipeline], None], tmp_path: Path) -> None:
    pipeline = landed(tmp_path)
    before = pipeline.objects("raw")
    damage(pipeline)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert pipeline.objects("raw") == before
    assert pipeline.differences() == []


def test_verify_counts_what_it_has_read(tmp_path: Path) -> None:
    pipeline = landed(tmp_path)
    seen = Verified()
    assert list(verify_partition(pipeline.lake, PARTITION, seen, InlineExecutor(1))) == []
    load = pipeline.manifest().load
    assert (seen.pages, seen.records, seen.bytes) == (load.pages, load.records, load.bytes) == (3, 6, load.bytes)
