"""What a folder as a lake promises beyond the contract: nothing strange is ever seen, and faults say the way out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import LakeError
from option_a.ingest.lake.folder import FolderLake
from tests.contract.disks import on_disk

KEY = "raw/source=s/ingestion_date=2023-11-01/page=000001.json.gz"
PARTS = st.sampled_from(["..", ".", "", "raw", "page"])
CALLS: dict[str, Callable[[FolderLake, str], object]] = {
    "get": lambda lake, key: lake.get(key),
    "put": lambda lake, key: lake.put(key, b"x"),
    "compare_and_swap": lambda lake, key: lake.compare_and_swap(key, b"x", None),
    "copy from": lambda lake, key: lake.copy(key, "raw/page"),
    "copy to": lambda lake, key: lake.copy(KEY, key),
    "entries": lambda lake, key: list(lake.entries(key)),
    "delete": lambda lake, key: lake.delete([key]),
}


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "key", ["/etc/passwd", "../outside", "raw/../../outside", "raw/./page", "raw//page", "raw/", "raw/\0page", ""]
)
def test_a_key_that_leads_elsewhere_is_refused_by_every_call(tmp_path: Path, call: str, key: str) -> None:
    (tmp_path / "outside").write_bytes(b"mine")
    lake = FolderLake(tmp_path / "lake")
    lake.put(KEY, b"page")
    with pytest.raises(LakeError, match="is not a valid key of a lake"):
        CALLS[call](lake, key)
    assert files(tmp_path) == [f"lake/{KEY}", "outside"]
    assert (tmp_path / "outside").read_bytes() == b"mine"


@given(parts=st.lists(PARTS, min_size=1, max_size=5))
def test_a_key_is_refused_exactly_if_a_part_of_it_is_empty_or_dots(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    lake = FolderLake(tmp_path_factory.getbasetemp() / "never-made")
    if all(part in ("raw", "page") for part in parts):
        assert lake.get("/".join(parts)) is None
    else:
        with pytest.raises(LakeError):
            lake.get("/".join(parts))


def test_under_raw_stands_nothing_but_whole_pages_at_any_moment(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    page = os.urandom(2**20)
    done = threading.Event()
    strange: list[str] = []

    def watch() -> int:
        looks = 0
        while not done.is_set():
            found = [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]
            strange.extend(str(path) for path in found if path.suffix != ".gz" or path.read_bytes() != page)
            looks += bool(found)
        return looks

    with ThreadPoolExecutor(3) as threads:
        watcher = threads.submit(watch)
        list(threads.map(lambda number: lake.put(f"raw/d={number % 3}/{number % 20}.gz", page), range(300)))
        done.set()
        assert watcher.result() > 0
    assert strange == []
    assert os.listdir(tmp_path / "staging" / ".tmp") == []


def test_what_is_half_made_is_not_listed(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    lake.put("staging/run/page", b"x")
    (tmp_path / "staging/.tmp/1-abc-1").write_bytes(b"half")
    assert [entry.key for entry in lake.entries("staging")] == ["staging/run/page"]


def test_no_temporary_is_left_after_an_error(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    (tmp_path / "raw").write_text("a file")
    (tmp_path / "manifest" / "folder").mkdir(parents=True)
    for key in (KEY, "manifest/folder"):
        with pytest.raises(LakeError):
            lake.put(key, b"x")
    assert files(tmp_path) == ["raw"]


@pytest.mark.parametrize("call", ["get", "put", "compare_and_swap"])
def test_a_file_where_the_lake_wants_a_folder_is_an_error_with_a_hint(tmp_path: Path, call: str) -> None:
    (tmp_path / "lake").write_text("a file")
    with pytest.raises(LakeError) as caught:
        CALLS[call](FolderLake(tmp_path / "lake"), KEY)
    assert caught.value.hint == "a file stands where the lake wants a folder"
    assert f" {KEY} in the lake {tmp_path}" in str(caught.value)


def test_holding_an_object_where_no_folder_can_be_is_a_lake_error(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file")
    with pytest.raises(LakeError), FolderLake(tmp_path / "lake").unchanged(KEY, None):
        raise AssertionError("held what cannot be")


def test_sweep_deletes_what_was_left_half_made_an_hour_ago_and_nothing_else(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    lake.sweep()
    lake.put(KEY, b"page")
    old, young = tmp_path / "staging/.tmp/1-abc-1", tmp_path / "staging/.tmp/2-abc-1"
    for path, age in ((old, 3_700), (young, 3_500), (tmp_path / KEY, 9_999)):
        path.touch()
        moment = path.stat().st_mtime - age
        os.utime(path, (moment, moment))
    lake.sweep()
    assert files(tmp_path) == [KEY, "staging/.tmp/2-abc-1"]


def test_deleting_the_last_object_leaves_no_empty_folder(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    lake.put(KEY, b"x")
    lake.put("raw/source=t/page", b"x")
    lake.delete([KEY])
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["source=t"]


def test_a_swap_waits_while_another_holds_the_object(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    tag = lake.compare_and_swap(KEY, b"one", None)
    begun = threading.Event()

    def compare_and_swap() -> str | None:
        begun.set()
        return lake.compare_and_swap(KEY, b"two", tag)

    with ThreadPoolExecutor(1) as threads:
        with lake.unchanged(KEY, tag) as same:
            assert same
            swapped = threads.submit(compare_and_swap)
            begun.wait()
            threading.Event().wait(0.05)
            assert not swapped.done()
            assert lake.get(KEY) == b"one"
        assert swapped.result() is not None


def test_a_create_is_won_by_one_although_the_folder_is_pruned_meanwhile(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    inside: list[int] = []
    crowds: list[list[int]] = []

    def race(number: int) -> None:
        for _ in range(150):
            if lake.compare_and_swap("control/lock", b"x", None) is not None:
                inside.append(number)
                crowds.append(list(inside))
                inside.remove(number)
                lake.delete(["control/lock"])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(race, range(6)))
    assert crowds
    assert max(len(crowd) for crowd in crowds) == 1


FILL = """
import os, sys
from pathlib import Path
from option_a.ingest.errors import LakeError
from option_a.ingest.lake.folder import FolderLake

root = Path(sys.argv[1])
lake = FolderLake(root, durable=True)
page = os.urandom(50_000)
try:
    lake.compare_and_swap("manifest/m", b"old", None)
    for number in range(1, 100):
        lake.put(f"raw/page={number}", page)
except LakeError as error:
    print(error.hint)
    print(sorted(entry.size for entry in lake.entries("raw")))
    print(sum(path.is_file() for path in (root / "staging").rglob("*")))
    try:
        lake.compare_and_swap("manifest/m", page, lake.read("manifest/m")[1])
    except LakeError:
        print(lake.get("manifest/m").decode())
"""


def test_a_full_disk_says_so_and_nothing_is_torn_or_left_behind(tmp_path: Path) -> None:
    hint, sizes, temporaries, manifest = on_disk("full", tmp_path, FILL).splitlines()
    assert "disk is full" in hint
    assert sizes == str([50_000] * 4)
    assert (temporaries, manifest) == ("0", "old")


READ_ONLY = """
import sys
from pathlib import Path
from option_a.ingest.errors import LakeError
from option_a.ingest.lake.folder import FolderLake

lake = FolderLake(Path(sys.argv[1]))
for call in (lambda: lake.put("raw/p", b"x"), lambda: lake.compare_and_swap("raw/p", b"x", None)):
    try:
        call()
    except LakeError as error:
        print(error.hint)
"""


def test_a_read_only_disk_says_so(tmp_path: Path) -> None:
    assert on_disk("read-only", tmp_path, READ_ONLY).splitlines() == ["the disk is read-only"] * 2
