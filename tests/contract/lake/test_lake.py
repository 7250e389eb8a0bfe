"""The contract of every lake: one suite, run against a folder, a bucket in memory and S3 over the wire."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from obstore.store import MemoryStore

from option_a.ingest.errors import LakeError
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.open import open_lake

BUCKETS = itertools.count()
KEY = "raw/source=s/ingestion_date=2023-11-01/page=000001.json.gz"
RACERS = 24


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 that is real enough."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, and an environment that leads to it alone."""
    settings = {
        "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }  # fmt: skip
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    name = f"lake-{next(BUCKETS)}"
    assert urllib3.request("PUT", f"{endpoint}/{name}").status == 200
    return name


@pytest.fixture(params=["folder", "memory", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    if request.param == "folder":
        return open_lake(str(tmp_path / "lake"), {})
    if request.param == "memory":  # as strict as GCS and Azure about what is not there
        return BucketLake(MemoryStore(), "memory://lake")
    endpoint: str = request.getfixturevalue("s3")
    return open_lake(f"s3://{bucket(endpoint, monkeypatch)}/some/prefix", {"AWS_ENDPOINT_URL": endpoint})


def tag_of(lake: Lake, key: str = KEY) -> str:
    found = lake.read(key)
    assert found is not None
    return found[1]


def test_a_lake_is_opened_by_its_name(lake: Lake) -> None:
    assert isinstance(lake, FolderLake) is not lake.name.startswith(("s3://", "memory://"))


def test_what_is_not_there_is_none(lake: Lake) -> None:
    assert lake.get(KEY) is None
    assert lake.read(KEY) is None
    assert list(lake.entries("raw")) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
@pytest.mark.parametrize("many", [1, 40_000])
def test_what_is_put_is_read_byte_for_byte(lake: Lake, data: bytes, many: int) -> None:
    lake.put(KEY, data * many)
    assert lake.get(KEY) == data * many


def test_a_put_replaces_the_object_and_its_tag(lake: Lake) -> None:
    lake.put(KEY, b"one")
    first = tag_of(lake)
    lake.put(KEY, b"two")
    assert lake.get(KEY) == b"two"
    assert tag_of(lake) != first


def test_a_swap_without_a_tag_creates_and_never_replaces(lake: Lake) -> None:
    assert lake.compare_and_swap(KEY, b"one", None) == tag_of(lake)
    assert lake.compare_and_swap(KEY, b"two", None) is None
    assert lake.get(KEY) == b"one"


def test_a_swap_with_the_tag_of_now_replaces_and_gives_the_next_tag(lake: Lake) -> None:
    lake.put(KEY, b"one")
    tag = lake.compare_and_swap(KEY, b"two", tag_of(lake))
    assert tag == tag_of(lake)
    assert tag is not None
    assert lake.compare_and_swap(KEY, b"three", tag) == tag_of(lake)
    assert lake.get(KEY) == b"three"


def test_a_swap_with_a_stale_tag_is_too_late(lake: Lake) -> None:
    tag = lake.compare_and_swap(KEY, b"one", None)
    lake.put(KEY, b"two")
    assert lake.compare_and_swap(KEY, b"three", tag) is None
    assert lake.get(KEY) == b"two"


def test_a_swap_of_what_was_deleted_is_too_late(lake: Lake) -> None:
    tag = lake.compare_and_swap(KEY, b"one", None)
    lake.delete([KEY])
    assert lake.compare_and_swap(KEY, b"two", tag) is None
    assert lake.get(KEY) is None
    assert lake.compare_and_swap(KEY, b"three", None) is not None


def test_of_racing_swaps_exactly_one_wins_each_round(lake: Lake) -> None:
    tag: str | None = None
    start = threading.Barrier(RACERS)

    def race(number: int) -> str | None:
        start.wait()
        return lake.compare_and_swap(KEY, f"{rounds} {number}".encode(), tag)

    with ThreadPoolExecutor(RACERS) as threads:
        for rounds in range(3):
            tags = list(threads.map(race, range(RACERS)))
            winners = [number for number in range(RACERS) if tags[number] is not None]
            assert len(winners) == 1
            assert lake.get(KEY) == f"{rounds} {winners[0]}".encode()
            tag = tags[winners[0]]


def test_held_tells_whether_a_tag_is_the_one_of_now(lake: Lake) -> None:
    with lake.unchanged(KEY, None) as absent:
        assert absent
    lake.put(KEY, b"one")
    tag = tag_of(lake)
    with lake.unchanged(KEY, tag) as same, lake.unchanged("raw/other", None) as absent:
        assert same
        assert absent
    lake.put(KEY, b"two")
    for stale in (tag, None):
        with lake.unchanged(KEY, stale) as same:
            assert not same


def test_entries_are_the_objects_below_a_folder_of_keys_with_their_sizes(lake: Lake) -> None:
    sizes = {"raw/a/1": 1, "raw/a/2": 2, "raw/a/b/3": 3, "raw/ab/4": 4, "other/5": 5}
    for key, size in sizes.items():
        lake.put(key, b"x" * size)
    assert {(entry.key, entry.size) for entry in lake.entries("raw/a")} == {
        ("raw/a/1", 1),
        ("raw/a/2", 2),
        ("raw/a/b/3", 3),
    }
    assert {entry.key for entry in lake.entries("raw")} == {key for key in sizes if key.startswith("raw/")}


def test_the_mark_of_an_entry_changes_with_the_object_alone(lake: Lake) -> None:
    lake.put(KEY, b"one")
    [first], [again] = lake.entries("raw"), lake.entries("raw")
    assert first == again
    lake.put(KEY, b"two")
    [changed] = lake.entries("raw")
    assert changed.mark != first.mark


def test_more_than_a_thousand_objects_are_listed_and_deleted(lake: Lake) -> None:
    keys = [f"raw/p{number}" for number in range(1_050)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: lake.put(key, b"x"), keys))
    assert sorted(entry.key for entry in lake.entries("raw")) == sorted(keys)
    lake.delete(entry.key for entry in lake.entries("raw"))
    assert list(lake.entries("raw")) == []


def test_deleting_takes_the_named_objects_and_minds_no_missing_one(lake: Lake) -> None:
    for key in ("raw/1", "raw/2"):
        lake.put(key, b"x")
    lake.delete(["raw/1", "raw/missing"])
    lake.delete(["raw/1"])
    lake.delete([])
    assert [entry.key for entry in lake.entries("raw")] == ["raw/2"]


def test_copy_replaces_the_target_and_leaves_the_source(lake: Lake) -> None:
    lake.put("staging/a", b"new")
    lake.put(KEY, b"old")
    lake.copy("staging/a", KEY)
    assert (lake.get("staging/a"), lake.get(KEY)) == (b"new", b"new")


def test_copying_what_is_not_there_is_a_lake_error(lake: Lake) -> None:
    with pytest.raises(LakeError, match=KEY if lake.name.startswith("s3") else "staging/none"):
        lake.copy("staging/none", KEY)
    assert lake.get(KEY) is None


@pytest.mark.parametrize("key", ["../outside", "raw/../../outside", "raw/./page"])
def test_a_key_that_leads_elsewhere_is_a_lake_error(lake: Lake, key: str) -> None:
    for call in (
        lake.get,
        lake.read,
        lambda key: lake.put(key, b""),
        lambda key: lake.compare_and_swap(key, b"", None),
    ):
        with pytest.raises(LakeError):
            call(key)


def test_many_threads_put_delete_and_list_neighbours_with_no_error(lake: Lake) -> None:
    def work(number: int) -> None:
        for turn in range(30):
            key = f"staging/run/source=s{number}/day={turn % 3}/page"
            lake.put(key, b"x")
            list(lake.entries("staging"))
            lake.delete([key])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert list(lake.entries("staging")) == []


def test_a_bucket_that_is_not_there_is_a_lake_error_with_a_hint(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket(s3, monkeypatch)
    lake = open_lake("s3://nowhere/", {"AWS_ENDPOINT_URL": s3})
    for call in (
        lambda: lake.put(KEY, b"x"),
        lambda: lake.compare_and_swap(KEY, b"x", None),
        lambda: list(lake.entries("raw")),
    ):
        with pytest.raises(LakeError) as caught:
            call()
        assert "check the bucket" in caught.value.hint
        assert "s3://nowhere" in str(caught.value)
