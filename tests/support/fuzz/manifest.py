"""Fuzz targets for what is read back from a lake: manifests, segments, pages and keys."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import msgspec
from obstore.store import MemoryStore

from option_a.ingest.errors import LakeError, ManifestError
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key, manifest_partition, page_key, page_number, raw_prefix, segment_key
from option_a.ingest.load.decision import decide
from option_a.ingest.load.page import pack
from option_a.ingest.manifest.model import Anchor, Attempt, LeaseRecord, Load, Manifest, decode, encode
from option_a.ingest.manifest.rows import Row, checksum, decode_rows, encode_rows
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.manifest.verify import Verified, verify_partition
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary import needs_reload, partition_state, summarize
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task
from tests.support.clock import NOW
from tests.support.fuzz.checks import check_keys, expecting
from tests.support.fuzz.engine import Target
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import DATE, RUN, source

PARTITION = Partition("s", DATE)
DELIVERY = Delivery("s", "r", b"", 2)
PAGE = pack(b'{"id":1}\n{"id":2}\n')
ROW = Row(1, 2, len(PAGE), checksum(PAGE))


def _load(**more: object) -> Load:
    first = Load(run=RUN, origin="real", shape="x", started=NOW - 100.0, begun_by=RUN)
    first.land(ROW)
    return msgspec.structs.replace(first, **more)


_CAUSE = Cause("body", "s 2023-11-01 page 1: the body is not JSON", 1, None, "dead/x", True)
MANIFESTS = [
    Manifest("s", DATE, "complete", _load(last=1, finished=NOW, total=2)),
    Manifest(
        "s", DATE, "loading", _load(cursor="c", path="data", anchor=Anchor(1, "x")), lease=LeaseRecord("r", NOW + 9, 1)
    ),
    Manifest("s", DATE, "failed", _load(), cause=_CAUSE, attempts=[Attempt(RUN, NOW, 1, 0, "failed", NOW, 1, "no")]),
    Manifest("s", DATE, "promoting", _load(staged=True, promoted=1, restated_pages=[1]), previous_load=_load(number=2)),
    Manifest("s", DATE, "loading", _load(segments=1, high_water_mark=1_000, number=3)),
]
SEEDS = [*map(encode, MANIFESTS), b"{}", b"[]", b""]


@cache
def _lake() -> Lake:
    lake = BucketLake(MemoryStore(), "memory")
    lake.put(page_key(raw_prefix(PARTITION), 1), PAGE)
    return lake


def manifest(data: bytes) -> bool:
    """A manifest can be read, summarized, decided upon and verified, or is a ManifestError."""
    with expecting(ManifestError):
        read = decode(data, "key")
        assert encode(decode(encode(read), "key")) == encode(read)
        summary = summarize(read)
        assert partition_state(summary, NOW)
        assert needs_reload(summary, NOW) in (True, False)
        for task in (Task("s", DATE, RUN), Task("s", DATE, RUN + "b", fresh=True)):
            decide(read, task, source(), DELIVERY, NOW)
        lake = _lake()
        lake.put(manifest_key(PARTITION), data)
        for difference in verify_partition(lake, PARTITION, Verified(), InlineExecutor(1)):
            assert difference.message.encode()
        found = ManifestStore(lake, PARTITION).read()
        assert found is not None
        assert found.partition == PARTITION
        check_keys(found.partition, found.load.run or RUN)
        return True
    return False


def segment(data: bytes) -> bool:
    """A segment yields rows that survive a round trip, or a ManifestError."""
    with expecting(ManifestError):
        rows = decode_rows(data, "key")
        assert decode_rows(encode_rows(rows), "key") == rows
        return True
    return False


def page(data: bytes) -> bool:
    """`verify` reports every change to a page in the lake."""
    lake = _lake()
    lake.put(manifest_key(PARTITION), SEEDS[0])
    lake.put(page_key(raw_prefix(PARTITION), 1), data)
    found = [difference.what for difference in verify_partition(lake, PARTITION, Verified(), InlineExecutor(1))]
    lake.put(page_key(raw_prefix(PARTITION), 1), PAGE)
    assert bool(found) == (data != PAGE), found
    return "torn" not in found


KEYS = [
    page_key(raw_prefix(PARTITION), 1).encode(), manifest_key(PARTITION).encode(), b"a/b", b"../../x", b"/etc/x",
    b"a//b", b"a/./b",
    segment_key(PARTITION, 1, 1).encode(), b"raw/source=s/../x", b"staging/.tmp/x", b"a/..", b"C:\\x", b"a\\..\\b",
    b"~/x", b"-rf", b"a%2f..%2fb",
    b"raw/page=" + b"9" * 5_000 + b".json.gz",
]  # fmt: skip


def key(data: bytes) -> bool:
    """A key is parsed to what it was made of, or not at all."""
    text = data.decode(errors="surrogateescape")
    partition, number = manifest_partition(text), page_number(text)
    if partition is not None:
        assert manifest_key(partition) == text
    if number is not None:
        assert text.rpartition("/")[2] == page_key("", number)[1:]
    return partition is not None or number is not None


def folder(outer: Path) -> Target:
    """Every key stays inside the lake's folder, and what is written under it is read back."""
    root = outer / "lake"
    root.mkdir()
    lake = FolderLake(root)

    def run(data: bytes) -> bool:
        stored = _stored(lake, data)
        assert os.listdir(outer) == ["lake"]
        if stored:
            assert os.path.realpath(root / data.decode(errors="surrogateescape")).startswith(
                f"{os.path.realpath(root)}/"
            )
        return stored

    return Target("keys of a folder", KEYS, run, 0.1, [b"..", b"/", b"\0", b"a" * 300, b"lake", b"."])


def bucket(data: bytes) -> bool:
    """The same for a bucket."""
    return _stored(BucketLake(MemoryStore(), "memory"), data)


def _stored(lake: Lake, data: bytes) -> bool:
    text = data.decode(errors="surrogateescape")
    with expecting(LakeError):
        lake.put(text, b"x")
        assert lake.get(text) == b"x"
        tag = lake.compare_and_swap(text, b"y", (lake.read(text) or (b"", ""))[1])
        assert tag is not None
        assert list(lake.entries(text.rpartition("/")[0] or text)) is not None
        lake.delete([text])
        return True
    return False


_ROWS = encode_rows([ROW, Row(2, 0, 0, "")])
TARGETS = [
    Target("manifests", SEEDS, manifest, 0.5, [b"complete", b"promoting", b'"rows":[', b'"segments":', b"sha256:"]),
    Target("segments", [_ROWS, b"[]", b'[[1,1,1,"x",[]]]'], segment, 2.0),
    Target("pages in the lake", [PAGE, b"", pack(b""), PAGE + PAGE, PAGE[:-4]], page, 0.3),
    Target("keys", KEYS, key, 2.0, [b"manifest.json", b"page=", b"ingestion_date=", b".json.gz", b"source="]),
    Target("keys of a bucket", KEYS, bucket, 0.2, [b"..", b"/", b"\0", b"#1", b"."]),
]
