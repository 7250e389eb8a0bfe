"""What is loaded: deterministic pages of four sources. `python -m bench.workload FOLDER` writes them to be served.

The same workload gives the same bytes on every machine: each source has its own seed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = ("orders", "customers", "events", "payments")
DATE = "2024-06-01"

_SEED = 1000
_DAY = dt.datetime.fromisoformat(DATE)
_CITIES = ("São Paulo", "München", "東京", "Lyon", "Austin", "Kraków", "Malmö", "Delhi", "Cusco", "Łódź")
_STATES = ("open", "paid", "shipped", "cancelled", "refunded")
_TAGS = ("vip", "web", "mobile", "b2b", "gift", "promo", "retry", "naïve")
_WORDS = ("fast", "slow", "late", "early", "broken", "sealed", "second-hand", "signed", "urgent", "bulk")
_NOTES = (*_WORDS, "fragile", "cold", "déjà-vu")


@dataclass(frozen=True)
class Workload:
    """So many pages of so many records in each of the four sources."""

    pages: int
    records: int

    @property
    def total_pages(self) -> int:
        """Pages of all the sources."""
        return self.pages * len(SOURCES)

    @property
    def total_records(self) -> int:
        """Records of all the sources."""
        return self.total_pages * self.records

    def __str__(self) -> str:
        return f"{len(SOURCES)} sources x {self.pages:,} pages x {self.records:,} records"


def bodies(source: int, workload: Workload) -> Iterator[bytes]:
    """The response bodies of one source, in the order of its pages."""
    rng = random.Random(_SEED + source)
    for page in range(1, workload.pages + 1):
        first = (page - 1) * workload.records + 1
        body = {
            "data": [_record(rng, first + i) for i in range(workload.records)],
            "page": page,
            "total_pages": workload.pages,
            "next_page": page + 1 if page < workload.pages else None,
        }
        yield json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def page_file(folder: Path, source: str, page: int) -> Path:
    """Where the body of a page is kept for the servers."""
    return folder / source / f"{page}.json"


def write(folder: Path, workload: Workload) -> int:
    """Write every body, one process a source; give the bytes written."""
    with ProcessPoolExecutor() as pool:
        tasks = [pool.submit(_write_source, folder, source, workload) for source in range(len(SOURCES))]
        return sum(task.result() for task in tasks)


def _write_source(folder: Path, source: int, workload: Workload) -> int:
    (folder / SOURCES[source]).mkdir(parents=True)
    pages = enumerate(bodies(source, workload), start=1)
    return sum(page_file(folder, SOURCES[source], page).write_bytes(body) for page, body in pages)


def _record(rng: random.Random, number: int) -> dict[str, Any]:
    """One record of about 353 bytes: nested, with text beyond ASCII, nulls and floats of every length."""
    created = _DAY + dt.timedelta(milliseconds=rng.randrange(86_400_000))
    return {
        "id": number,
        "uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "created_at": _stamp(created),
        "updated_at": _stamp(created + dt.timedelta(seconds=rng.randrange(86_400))),
        "status": rng.choice(_STATES),
        "amount": round(rng.lognormvariate(4, 1), 2),
        "fx": rng.random() * 1.7,
        "customer": {"id": rng.randrange(1, 50_000), "city": rng.choice(_CITIES), "score": round(rng.random(), 4)},
        "tags": rng.sample(_TAGS, rng.randrange(0, 4)),
        "note": None if rng.random() < 0.4 else " ".join(rng.choices(_NOTES, k=rng.randrange(3, 9))),
        "qty": rng.randrange(1, 40),
        "is_test": rng.random() < 0.05,
        "referrer": None if rng.random() < 0.5 else f"/c/{rng.randrange(10_000)}?utm={rng.choice(_TAGS)}",
    }


def _stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"


def main() -> None:
    """Write the pages of a workload; a process of its own, so that the measuring one stays small."""
    parser = argparse.ArgumentParser(prog="python -m bench.workload", description="Write the pages of a workload.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=100, help="pages of each source (100)")
    parser.add_argument("--records", type=int, default=1000, help="records of each page (1000)")
    options = parser.parse_args()
    workload = Workload(options.pages, options.records)
    size = write(options.folder, workload)
    print(f"{workload}: {size / 1e6:.1f} MB, {size / workload.total_records:.0f} B a record")


if __name__ == "__main__":
    main()
