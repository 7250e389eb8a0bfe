"""What is deleted by lots is listed anew each time; what cannot be deleted does not keep anybody for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.open import open_lake
from tests.contract.lake.test_lake import bucket
from tests.support.aws.moto import moto_server

KEYS = [f"raw/source=s/ingestion_date=2024-05-01/page={page:06}.json.gz" for page in range(1, 8)]


def test_lots_are_all_there_is(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    for key in KEYS:
        lake.put(key, b"{}")
    lots = []
    for lot in lake.key_batches("raw", 3):
        lake.delete(lot)
        lots.append(len(lot))
    assert lots == [3, 3, 1]
    assert list(lake.entries("raw")) == []


def test_an_object_that_stands_for_a_folder_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consoles make `…/ingestion_date=2024-05-01/`; a listing tells it without its last character."""
    with moto_server() as server:
        name = bucket(server.endpoint, monkeypatch)
        lake = open_lake(f"s3://{name}", server.env)
        marker = f"{server.endpoint}/{name}/{KEYS[0].rpartition('/')[0]}/"
        assert urllib3.request("PUT", marker, body=b"").status == 200
        for key in KEYS:
            lake.put(key, b"{}")
        for lot in lake.key_batches("raw", 3):
            lake.delete(lot)
        assert [entry.size for entry in lake.entries("raw")] == [0]
