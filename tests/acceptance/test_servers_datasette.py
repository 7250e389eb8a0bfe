"""Against Datasette, which we did not write: by the URL in its body, its cursor and its Link header."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.command import Place
from tests.support.apis.third_party_servers import datasette, free_port, running_server

DAYS = {"2026-11-01": 437, "2026-11-02": 100, "2026-11-03": 0, "2026-11-04": 1}
STYLES = {
    "next_url": '{ style = "next_url", path = "next_url", total_records = "filtered_table_rows_count" }',
    "cursor": '{ style = "cursor", path = "next", param = "_next" }',
    "link": '{ style = "link" }',
}
TABLE = """
[sources.orders]
url = "{url}/shop/orders.json"
records = "rows"
date_param = "day"
params = {{ _shape = "objects", _size = 100 }}
pagination = {pagination}
"""


Record = dict[str, object]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a database with a table of orders is."""
    folder = tmp_path_factory.mktemp("datasette")
    with closing(sqlite3.connect(folder / "shop.db")) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, day TEXT, amount REAL, note TEXT)")
        rows = ((day, n * 1.1, f"é {n}" if n % 3 else None) for day, count in DAYS.items() for n in range(count))
        database.executemany("INSERT INTO orders (day, amount, note) VALUES (?, ?, ?)", rows)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A running Datasette."""
    port = free_port()
    command = [datasette(), "serve", "shop.db", "-h", "127.0.0.1", "-p", str(port)]
    with running_server(command, folder, port) as address:
        yield address


@pytest.fixture(scope="module")
def published(folder: Path) -> dict[str, list[Record]]:
    """What the database holds, read past Datasette: day to records."""
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM orders ORDER BY id")]
    return {day: [row for row in rows if row["day"] == day] for day in DAYS}


@pytest.mark.parametrize("style", STYLES)
def test_every_record_of_every_day_lands_once_and_in_order(
    style: str, url: str, published: dict[str, list[Record]], option_a: Place
) -> None:
    option_a.declare(TABLE.format(url=url, pagination=STYLES[style]))
    done = option_a("backfill", "--from", min(DAYS), "--to", max(DAYS))
    assert done.code == 0, done.err
    for day, records in published.items():
        assert [json.loads(line) for line in option_a.lines("orders", day)] == records
        assert len(option_a.pages("orders", day)) == -(-len(records) // 100)
    assert option_a("verify").code == 0


def test_add_finds_all_of_it_by_itself(url: str, option_a: Place) -> None:
    asked = f"{url}/shop/orders.json?day=2026-11-01&_shape=objects&_size=100"
    done = option_a("add", asked, "--write")
    assert done.code == 0, done.err
    assert done.err.count(f"GET {url}") == 2
    option_a("run", "--date", "2026-11-01")
    assert len(option_a.lines("orders", "2026-11-01")) == 437


def test_doctor_warns_of_a_table_that_stops_after_one_page(url: str, option_a: Place) -> None:
    option_a.declare(TABLE.format(url=url, pagination='{ style = "none" }'))
    done = option_a("doctor", "orders", "--date", "2026-11-01")
    assert done.code == 1
    assert "ends after the first page" in done.out
    assert "`filtered_table_rows_count` says 437 records" in done.out
    option_a.declare(TABLE.format(url=url, pagination=STYLES["next_url"]))
    done = option_a("doctor", "orders", "--date", "2026-11-01")
    assert (done.code, "pages checked, no problem found" in done.out) == (0, True)
