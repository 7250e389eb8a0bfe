"""The keys of the lake: exact, and read back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.lake import keys as layout
from option_a.ingest.partition import Partition

A = Partition("api-a", dt.date(2026, 11, 23))
RUN = "20261123T020000Z-x"


def test_the_keys_are_those_that_queries_depend_on() -> None:
    assert layout.page_key(layout.raw_prefix(A), 1) == "raw/source=api-a/ingestion_date=2026-11-23/page=000001.json.gz"
    assert layout.manifest_key(A) == "manifest/source=api-a/ingestion_date=2026-11-23/manifest.json"
    assert layout.segment_key(A, 3, 2) == "manifest/source=api-a/ingestion_date=2026-11-23/segment-000003-000002.json"
    assert (
        layout.page_key(layout.staging_prefix(A, RUN), 7)
        == f"staging/{RUN}/source=api-a/ingestion_date=2026-11-23/page=000007.json.gz"
    )
    assert layout.dead_key(A, RUN, 3) == f"dead/source=api-a/ingestion_date=2026-11-23/run={RUN}/page=000003.body"


partitions = st.builds(Partition, st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z"), st.dates())


@given(partitions, st.integers(1, 10**9))
def test_a_page_key_gives_its_page_back(partition: Partition, page: int) -> None:
    assert layout.page_number(layout.page_key(layout.raw_prefix(partition), page)) == page
    assert layout.page_number(layout.page_key(layout.staging_prefix(partition, RUN), page)) == page


@given(partitions)
def test_a_manifest_key_gives_its_partition_back(partition: Partition) -> None:
    assert layout.manifest_partition(layout.manifest_key(partition)) == partition
    assert layout.manifest_partition(layout.segment_key(partition, 1, 1)) is None


@given(st.integers(1, 999_999), st.integers(1, 999_999))
def test_pages_sort_as_text(one: int, other: int) -> None:
    assert (layout.page_key("p", one) < layout.page_key("p", other)) == (one < other)


@pytest.mark.parametrize(
    "name",
    [
        "page=1.json.gz", "page=000001.json", "page=000001.json.gz#1", "page=000000.json.gz", "page=0000001.json.gz",
        "xpage=000001.json.gz", "page=00000a.json.gz",
        f"page={'9' * 5_000}.json.gz", "page=٠٠٠٠٠١.json.gz", "page=000001.json.gz\n", "",
        "part-000.parquet",
    ],
)  # fmt: skip
def test_what_is_no_page_has_no_number(name: str) -> None:
    assert layout.page_number(f"raw/source=s/ingestion_date=2026-11-23/{name}") is None


@pytest.mark.parametrize(
    "key",
    [
        "manifest/source=s/ingestion_date=2026-02-30/manifest.json",
        "manifest/source=s/ingestion_date=2026-1-1/manifest.json",
        "manifest/source=s/ingestion_date=٢٠٢٦-11-23/manifest.json",
        "manifest/source=s/t/ingestion_date=2026-11-23/manifest.json",
        "raw/source=s/ingestion_date=2026-11-23/manifest.json",
        "x/manifest/source=s/ingestion_date=2026-11-23/manifest.json",
        "manifest/source=s/ingestion_date=2026-11-23/manifest.json#1",
    ],
)
def test_what_is_no_manifest_is_of_no_partition(key: str) -> None:
    assert layout.manifest_partition(key) is None


def test_partitions_sort_by_source_and_then_by_date() -> None:
    days = [dt.date(2026, 11, day) for day in (1, 2)]
    in_order = [Partition(source, day) for source in ("a", "b") for day in days]
    assert sorted([in_order[n] for n in (2, 0, 3, 1)]) == in_order
    assert str(in_order[0]) == "a 2026-11-01"
