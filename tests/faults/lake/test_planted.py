"""What others planted in the lake: no credential follows it to another host, nothing outside is touched by it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from option_a.ingest.errors import LakeError, ManifestError
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.manifest.store import read_manifest
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages, source

pytestmark = pytest.mark.bar(13)

KEY = manifest_key(Partition("s", DATE))
LATER = "20231115T220000Z-b"
DAY = f"source=s/ingestion_date={DATE}"
FOLDERS = ["raw", "raw/source=s", f"raw/{DAY}", "manifest", "manifest/source=s", f"manifest/{DAY}"]
OUTSIDE = ["thesis.txt", "page=000009.json.gz", "segment-000001-000001.json"]


def edited(pipeline: Pipeline, change: Any) -> None:
    """The manifest, as somebody else has left it."""
    manifest = json.loads(pipeline.lake.get(KEY) or b"")
    change(manifest)
    pipeline.lake.put(KEY, json.dumps(manifest).encode())
    pipeline.clock.time += 1_000.0


def half_loaded(root: Path, **fields: object) -> Pipeline:
    """One page is in; the ledger says how to go on."""

    def answer(request: Request) -> bytes:
        number = len(pipeline.requests)
        return msgspec.json.encode({"data": [{"id": number}], "next": f"https://api.test/s?at={number}"})

    pipeline = Pipeline(root, answer, source(**fields))
    pipeline.budget = 1
    pipeline.send()
    assert pipeline.step() == "out-of-time"
    pipeline.budget = None
    return pipeline


@pytest.mark.parametrize("style", ["next_url", "link"])
@pytest.mark.parametrize(
    "cursor",
    [
        "https://evil.test/steal", "http://api.test/s", "https://api.test:444/s", "//evil.test/s", "file:///etc/passwd",
        "https://evil.test\\@api.test/s", "https://api.test@evil.test/s", "relative", "", ["https://evil.test"],
    ],
)  # fmt: skip
def test_a_ledger_sends_no_request_and_so_no_credential_to_another_host(
    tmp_path: Path, style: str, cursor: object
) -> None:
    pipeline = half_loaded(tmp_path, pagination={"style": "next_url"})
    pipeline.sources["s"] = source(pagination={"style": style})
    shape = pipeline.sources["s"].fingerprint
    edited(pipeline, lambda manifest: manifest["load"].update(cursor=cursor, shape=shape))
    asked = len(pipeline.requests)
    assert pipeline.step() == "failed"
    assert pipeline.requests[asked:] == []
    cause = pipeline.manifest().cause
    assert cause is not None
    assert "leads to another host" in cause.message


@pytest.mark.parametrize("run", ["../raw/source=b", "a/b", "..", "a\0b", "a b"])
@pytest.mark.parametrize("place", ["begun_by", "run", "attempt"])
def test_a_run_that_would_lead_elsewhere_makes_a_ledger_that_cannot_be_read(
    tmp_path: Path, place: str, run: str
) -> None:
    pipeline = half_loaded(tmp_path, pagination={"style": "next_url"})

    def change(manifest: dict[str, Any]) -> None:
        if place == "attempt":
            manifest["attempts"][0]["run"] = run
        else:
            manifest["load"][place] = run

    edited(pipeline, change)
    assert pipeline.drain() == ["failed"]
    assert [letter.cause.kind for letter in pipeline.queue.dead] == ["manifest"]
    assert "names a run that is not valid in a key" in pipeline.queue.dead[0].cause.message


@pytest.mark.parametrize("change", [{"source": "other"}, {"date": "2020-01-01"}])
def test_a_manifest_under_another_partitions_key_cannot_be_read(tmp_path: Path, change: dict[str, str]) -> None:
    pipeline = half_loaded(tmp_path, pagination={"style": "next_url"})
    edited(pipeline, lambda manifest: manifest.update(change))
    with pytest.raises(ManifestError, match="belongs to another partition"):
        read_manifest(pipeline.lake.get(KEY) or b"", KEY)
    assert pipeline.drain() == ["failed"]


def outside(root: Path) -> Path:
    """A folder of somebody's, with files that a lake would delete for strays."""
    folder = root / "outside"
    folder.mkdir()
    for name in OUTSIDE:
        (folder / name).write_text("mine")
        os.utime(folder / name, (0, 0))
    return folder


def kept(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("place", [*FOLDERS, "staging", "staging/.tmp"])
def test_a_link_where_the_lake_wants_a_folder_leads_no_write_and_no_delete_out_of_it(
    tmp_path: Path, place: str
) -> None:
    mine = outside(tmp_path)
    link = tmp_path / "lake" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(mine)
    pipeline = Pipeline(tmp_path / "lake", numbered_pages(make_pages(2)))
    pipeline.send()
    with pytest.raises(LakeError, match="a symbolic link stands where the lake wants a folder") as caught:
        pipeline.drain()
    assert "nothing behind it was touched" in (caught.value.hint or "")
    with pytest.raises(LakeError, match="a symbolic link"):
        list(pipeline.lake.entries(place))
    assert kept(mine) == dict.fromkeys(OUTSIDE, "mine")


def test_a_link_instead_of_the_temporary_folder_leads_no_sweep_out_of_the_lake(tmp_path: Path) -> None:
    mine = outside(tmp_path)
    (tmp_path / "lake" / "staging").mkdir(parents=True)
    (tmp_path / "lake" / "staging" / ".tmp").symlink_to(mine)
    with pytest.raises(LakeError, match="a symbolic link"):
        FolderLake(tmp_path / "lake").sweep()
    assert kept(mine) == dict.fromkeys(OUTSIDE, "mine")


def test_a_link_instead_of_a_page_is_no_page_and_is_replaced_by_the_next_load(tmp_path: Path) -> None:
    private = tmp_path / "private.json.gz"
    private.write_bytes(gzip.compress(b'{"private":1}\n'))
    pipeline = Pipeline(tmp_path / "lake", numbered_pages(make_pages(2)))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    page = tmp_path / "lake" / "raw" / DAY / "page=000001.json.gz"
    page.unlink()
    page.symlink_to(private)
    assert [difference.what for difference in pipeline.differences()] == ["missing"]
    pipeline.send(LATER, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert not page.is_symlink()
    assert pipeline.differences() == []
    assert gzip.decompress(private.read_bytes()) == b'{"private":1}\n'


def test_a_link_in_staging_brings_nothing_of_the_outside_under_raw(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.write_text("private")
    lake = FolderLake(tmp_path / "lake")
    lake.put("staging/run/page", b"x")
    (tmp_path / "lake" / "staging" / "run" / "page").unlink()
    (tmp_path / "lake" / "staging" / "run" / "page").symlink_to(private)
    with pytest.raises(LakeError, match="it is missing"):
        lake.copy("staging/run/page", "raw/page")
    assert lake.get("raw/page") is None
    lake.delete(["staging/run/page"])
    assert private.read_text() == "private"


def test_a_link_that_leads_nowhere_is_a_stray_like_any_other(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path / "lake", numbered_pages(make_pages(2)))
    link = tmp_path / "lake" / "raw" / DAY / "page=000009.json.gz"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "nowhere")
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert not link.is_symlink()
    assert pipeline.differences() == []


def test_a_pipe_instead_of_an_object_keeps_nobody_waiting(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    lake.put("manifest/x", b"{}")
    (tmp_path / "manifest" / "x").unlink()
    os.mkfifo(tmp_path / "manifest" / "x")
    assert lake.get("manifest/x") == b""


def test_the_lakes_own_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "lake").symlink_to(tmp_path / "elsewhere")
    pipeline = Pipeline(tmp_path / "lake", numbered_pages(make_pages(2)))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert pipeline.differences() == []
