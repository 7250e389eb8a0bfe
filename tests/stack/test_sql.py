"""Athena takes mistakes without a word and fails when somebody asks: SQL is parsed here, projection linted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from option_a.constructs import projection, queries
from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from tests.stack.assembly import DEFAULT, Resource, flat, synthesize
from tests.stack.projection_lint import faults
from tests.stack.test_catalog import COLUMNS, typed

PLACE = "s3://lake/raw/source=orders/"
KEYS = [projection.KEY]
Change = Callable[[dict[str, str]], None]


def parsed(sql: str) -> exp.Expr:
    """One statement of Athena's. Raises SqlglotError, and for what sqlglot only passes on, too."""
    (statement,) = sqlglot.parse(sql, dialect="athena")
    if statement is None or statement.find(exp.Command):
        raise SqlglotError(f"not understood: {sql}")
    bare = [one for one in statement.find_all(exp.Identifier) if not one.quoted and not one.name.isidentifier()]
    if bare or statement.find(exp.Parameter, exp.Placeholder):
        raise SqlglotError(f"Athena wants it in quotes: {bare}")
    return statement


def test_the_saved_queries_are_athenas_sql_over_tables_that_exist() -> None:
    for text in (DEFAULT, COLUMNS, "".join(f'[sources.s-{n}]\nurl = "https://x.example"\n' for n in range(50))):
        found = synthesize(text)
        tables = {one["TableInput"]["Name"] for one in found.all("Glue::Table").values()}
        for saved in found.all("Athena::NamedQuery").values():
            statement = parsed(saved["QueryString"])
            assert isinstance(statement, exp.Query)
            asked = {table.name for table in statement.find_all(exp.Table)}
            assert asked
            assert asked <= tables
            assert {table.db for table in statement.find_all(exp.Table)} == {saved["Database"]}


def test_a_query_over_many_sources_stays_within_what_athena_takes() -> None:
    many = [Source(name=f"a-source-with-a-rather-long-name-{n:03d}", url="https://x.example") for n in range(400)]
    longest = max(len(sql) for _, sql in queries.saved(many, "optionaingestiondemopy").values())
    assert longest < 262_144 / 4


@pytest.mark.parametrize("name", ["orders", "orders_lines"])
def test_a_table_is_what_athenas_own_statement_would_make(name: str) -> None:
    (found,) = [one["TableInput"] for one in typed().all("Glue::Table").values() if one["TableInput"]["Name"] == name]
    statement = parsed(ddl(flat(found)))
    assert isinstance(statement, exp.Create)
    columns = [column.name for column in statement.find_all(exp.ColumnDef)]
    assert columns == [one["Name"] for one in found["StorageDescriptor"]["Columns"]] + KEYS


def ddl(table: Resource) -> str:
    """The CREATE TABLE that a table of Glue stands for."""
    store = table["StorageDescriptor"]
    columns = ", ".join(f"`{one['Name']}` {one['Type']}" for one in store["Columns"])
    keys = ", ".join(f"`{one['Name']}` {one['Type']}" for one in table["PartitionKeys"])
    serde = store["SerdeInfo"]
    pairs = ", ".join(f"'{key}' = '{value}'" for key, value in serde["Parameters"].items())
    told = ", ".join(f"'{key}' = '{value}'" for key, value in table["Parameters"].items())
    return (
        f"CREATE EXTERNAL TABLE `{table['Name']}` ({columns}) PARTITIONED BY ({keys}) "
        f"ROW FORMAT SERDE '{serde['SerializationLibrary']}' WITH SERDEPROPERTIES ({pairs}) "
        f"STORED AS INPUTFORMAT '{store['InputFormat']}' OUTPUTFORMAT '{store['OutputFormat']}' "
        f"LOCATION '{store['Location']}' TBLPROPERTIES ({told})"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT FROM WHERE",
        "CREATE EXTERNAL TABL x (a string)",
        "MSCK REPAIR TABLE x",
        "SELECT 1; SELECT 2",
        "",
        "SELECT $path FROM x",
    ],
)
def test_what_does_not_parse_is_seen(sql: str) -> None:
    with pytest.raises((SqlglotError, ValueError)):
        parsed(sql)


def test_the_parameters_have_no_fault() -> None:
    for text in (DEFAULT, COLUMNS):
        for source in read_sources(text, {}).values():
            assert list(faults(projection.parameters(source, PLACE), KEYS, PLACE)) == []


def test_no_source_that_may_be_declared_has_parameters_with_a_fault() -> None:
    for since, offset in ((None, 0), (dt.date(1, 1, 2), -3_660), (dt.date(9999, 12, 30), 3_660)):
        source = Source(
            name="orders", url="https://x.example", date_param="day", since=since, date_offset=offset
        )  # fmt: skip
        assert list(faults(projection.parameters(source, PLACE), KEYS, PLACE)) == []


def test_every_synthesized_table_has_parameters_without_a_fault() -> None:
    for table in [one["TableInput"] for one in typed().all("Glue::Table").values()]:
        keys, location = [one["Name"] for one in table["PartitionKeys"]], flat(table)["StorageDescriptor"]["Location"]
        given = {key: value for key, value in flat(table)["Parameters"].items() if not key.startswith("EXTERNAL")}
        assert list(faults(given, keys, location)) == []


def put(key: str, value: str) -> Change:
    return lambda given: given.update({key: value})


def drop(key: str) -> Change:
    return lambda given: given.__delitem__(key)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put("projection.enabled", "True"), "projection.enabled is not true"),
        (drop("projection.enabled"), "projection.enabled is not true"),
        (put("projection.ingestion_date.type", "Date"), "type is 'Date', not 'date'"),
        (drop("projection.ingestion_date.type"), "type is None"),
        (put("projection.ingestion_date.format", "YYYY-MM-DD"), "format is 'YYYY-MM-DD'"),
        (drop("projection.ingestion_date.format"), "format is None"),
        (put("projection.ingestion_date.range", "2000-01-01"), "not two ends"),
        (put("projection.ingestion_date.range", "2000-01-01,NOW+1DAYS,NOW"), "not two ends"),
        (put("projection.ingestion_date.range", "01.01.2000,NOW"), "'01.01.2000' is neither"),
        (put("projection.ingestion_date.range", "2000-02-30,NOW"), "'2000-02-30' is neither"),
        (put("projection.ingestion_date.range", "2000-01-01,NOW + 1 DAY"), "'NOW + 1 DAY' is neither"),
        (put("projection.ingestion_date.range", "2026-01-01,2025-01-01"), "ends before it begins"),
        (put("projection.ingestion_date.interval", "0"), "interval is no whole number"),
        (put("projection.ingestion_date.interval.unit", "DAY"), "interval.unit is 'DAY'"),
        (put("projection.date.type", "date"), "projection.date.type is of no partition key"),
        (put("projection.ingestion_date.formats", "x"), "formats is of no partition key, or of no meaning"),
        (drop("storage.location.template"), "template is missing"),
        (put("storage.location.template", f"{PLACE}ingestion_date=${{ingestion_date}}"), "does not end in /"),
        (put("storage.location.template", f"{PLACE}ingestion_date=$ingestion_date/"), "lacks ingestion_date=${"),
        (put("storage.location.template", "s3://lake/ingestion_date=${ingestion_date}/"), "is outside of the table's"),
        (
            put("storage.location.template", f"{PLACE}ingestion_date=${{ingestion_date}}/${{hour}}/"),
            "names 'hour', which is no partition key",
        ),
    ],
)
def test_a_planted_fault_is_found(change: Change, told: str) -> None:
    given = projection.parameters(Source(name="orders", url="https://x.example"), PLACE)
    change(given)
    found = list(faults(given, KEYS, PLACE))
    assert any(told in fault for fault in found), found
