"""The limit: the least that any Python loader can do. `python -m bench.limit OUT --base URL`

Fetch each page, split it into records without changing a byte, pack it, land it by a rename. No ledger, no
checks, no retries: what option-a takes above this is the price of its promises.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import urllib3
from isal import isal_zlib

from bench.workload import DATE, SOURCES

_GZIP_HEADER = 16 + isal_zlib.MAX_WBITS


class Page(msgspec.Struct, gc=False):
    """As much of a body as the loop needs; the records stay the API's own bytes."""

    data: list[msgspec.Raw]
    total_pages: int


_decoder = msgspec.json.Decoder(Page)


class Loop:
    """Fetches and lands single pages; shared by all threads."""

    def __init__(self, out: Path, base: str, threads: int, fsync: bool) -> None:
        self._out = out
        self._base = base
        self._fsync = fsync
        self._http = urllib3.PoolManager(maxsize=threads)

    def folder(self, source: str) -> str:
        """Where the pages of a source land."""
        return f"{self._out}/raw/source={source}/ingestion_date={DATE}"

    def land(self, place: tuple[str, int]) -> int:
        """Land one page, given as source and number; give how many pages the source says it has."""
        source, number = place
        url = f"{self._base}/{source}?date={DATE}&page={number}"
        response = self._http.request("GET", url)
        if response.status != 200:
            raise RuntimeError(f"status {response.status} from {url}")
        page = _decoder.decode(response.data)
        packed = isal_zlib.compress(b"\n".join([*page.data, b""]), 1, _GZIP_HEADER)
        self._write(f"{self.folder(source)}/page={number:06d}.json.gz", packed)
        return page.total_pages

    def _write(self, path: str, packed: bytes) -> None:
        part = path + ".part"
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.write(file, packed)
            if self._fsync:
                os.fsync(file)
        finally:
            os.close(file)
        os.replace(part, path)


def run(out: Path, base: str, threads: int, fsync: bool) -> None:
    """Land every page: the first of each source tells how many follow, and one pool takes them all."""
    loop = Loop(out, base, threads, fsync)
    for source in SOURCES:
        os.makedirs(loop.folder(source))
    with ThreadPoolExecutor(threads) as pool:
        totals = pool.map(loop.land, [(source, 1) for source in SOURCES])
        rest = [(source, page) for source, total in zip(SOURCES, totals, strict=True) for page in range(2, total + 1)]
        for _ in pool.map(loop.land, rest):
            pass
    if fsync:
        for source in SOURCES:
            _sync_folder(loop.folder(source))


def _sync_folder(path: str) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main() -> None:
    """Run the loop once."""
    parser = argparse.ArgumentParser(prog="python -m bench.limit", description="The bare loop.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", required=True, help="base url of the API")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--fsync", action="store_true", help="pages and folders survive a power cut")
    options = parser.parse_args()
    run(options.out, options.base, options.threads, options.fsync)


if __name__ == "__main__":
    main()
