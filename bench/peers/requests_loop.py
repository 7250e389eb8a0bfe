"""What one writes first: requests, json and gzip in one loop. `python requests_loop.py OUT BASE DATE SOURCE...`"""

import gzip
import json
import sys
from pathlib import Path

import requests


def load(out: Path, base: str, date: str, source: str) -> None:
    """Land the pages of one source, one after the other."""
    folder = out / "raw" / f"source={source}" / f"ingestion_date={date}"
    folder.mkdir(parents=True)
    page: int | None = 1
    while page is not None:
        response = requests.get(f"{base}/{source}", params={"date": date, "page": str(page)}, timeout=30)
        response.raise_for_status()
        body = response.json()
        with gzip.open(folder / f"page={page:06d}.json.gz", "wt", encoding="utf-8") as file:
            for record in body["data"]:
                file.write(json.dumps(record) + "\n")
        page = body["next_page"]


if __name__ == "__main__":
    for name in sys.argv[4:]:
        load(Path(sys.argv[1]), sys.argv[2], sys.argv[3], name)
