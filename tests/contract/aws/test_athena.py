"""Athena's answers as rows: pages, types, refusals. The service is played; what it says is as AWS documents it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from option_a.aws.stack.athena import Athena
from option_a.ingest.errors import AwsError, QueryError
from tests.support.clock import FakeClock

Row = list[str | None]


class Service:
    """Plays Athena and Glue: answers with these columns and pages of rows, after some looks."""

    def __init__(self, columns: dict[str, str] | None = None, *pages: list[Row], kind: str = "DML") -> None:
        self.columns, self.pages, self.kind = columns or {"n": "integer"}, pages or ([["n"]],), kind
        self.states = ["QUEUED", "RUNNING", "SUCCEEDED"]
        self.reason: str | None = None
        self.refusal: ClientError | None = None
        self.started: list[dict[str, Any]] = []
        self.fetched: list[str | None] = []
        self.stopped: list[str] = []

    def start_query_execution(self, **asked: Any) -> dict[str, str]:
        if self.refusal is not None:
            raise self.refusal
        self.started.append(asked)
        return {"QueryExecutionId": "q-1"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        status = {"State": state} | ({"StateChangeReason": self.reason} if self.reason else {})
        return {
            "QueryExecution": {
                "Status": status, "StatementType": self.kind, "Statistics": {"DataScannedInBytes": 1_234_567},
            }
        }  # fmt: skip

    def get_query_results(self, QueryExecutionId: str, MaxResults: int, NextToken: str | None = None) -> dict[str, Any]:
        self.fetched.append(NextToken)
        number = int(NextToken or 0)
        cells = [[{} if text is None else {"VarCharValue": text} for text in row] for row in self.pages[number]]
        rows = [{"Data": row} for row in cells]
        info = [{"Name": name, "Type": kind} for name, kind in self.columns.items()]
        answer: dict[str, Any] = {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": info}}}
        return answer | ({"NextToken": str(number + 1)} if number + 1 < len(self.pages) else {})

    def stop_query_execution(self, QueryExecutionId: str) -> None:
        self.stopped.append(QueryExecutionId)

    def get_paginator(self, operation: str) -> Service:
        assert operation == "get_tables"
        return self

    def paginate(self, DatabaseName: str) -> Iterator[dict[str, Any]]:
        lines = {"Columns": [{"Name": "record", "Type": "string"}]}
        day = [{"Name": "ingestion_date", "Type": "date"}]
        yield {"TableList": [{"Name": "orders_lines", "StorageDescriptor": lines, "PartitionKeys": day}]}
        yield {"TableList": [{"Name": "a_view"}]}


def athena(service: Service) -> tuple[Athena, FakeClock, list[str]]:
    clock, notes = FakeClock(), list[str]()
    return Athena(service, service, "group", "base", clock, notes.append), clock, notes


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "StartQueryExecution")


def test_rows_come_page_by_page_and_the_header_is_none_of_them() -> None:
    service = Service({"id": "bigint"}, [["id"], ["1"], ["2"]], [["3"]], [["4"], [None]])
    found = athena(service)[0].run("SELECT id FROM orders_lines;")
    assert service.fetched == [None], "later pages come when they are asked for"
    assert (found.columns, list(found.rows)) == (["id"], [(1,), (2,), (3,), (4,), (None,)])
    assert service.fetched == [None, "1", "2"]


def test_a_query_runs_in_the_stacks_workgroup_and_database() -> None:
    service = Service()
    running, clock, notes = athena(service)
    running.run("  SELECT 1 ; ")
    assert service.started == [
        {"QueryString": "SELECT 1 ", "WorkGroup": "group", "QueryExecutionContext": {"Database": "base"}}
    ]
    assert len(clock.slept) == 2
    assert notes == ["Athena scanned 1,234,567 bytes"]


CELLS: dict[str, tuple[str, Any]] = {
    "tinyint": ("-1", -1), "integer": ("7", 7), "bigint": ("9007199254740993", 9007199254740993),
    "double": ("1.5", 1.5), "float": ("0.25", 0.25), "decimal": ("1.10", Decimal("1.10")),
    "boolean": ("true", True), "varchar": ("007", "007"), "date": ("2024-05-01", dt.date(2024, 5, 1)),
    "timestamp": ("2024-05-01 10:00:00.250", dt.datetime(2024, 5, 1, 10, 0, 0, 250_000)),
    "timestamp with time zone": ("2024-05-01 10:00:00.000 UTC", "2024-05-01 10:00:00.000 UTC"),
    "array": ("[1, 2]", "[1, 2]"), "json": ('{"a":1}', '{"a":1}'), "varbinary": ("61 62", "61 62"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_has_the_type_that_athena_tells(kind: str) -> None:
    text, value = CELLS[kind]
    (row,) = athena(Service({"x": kind}, [["x"], [text]]))[0].run("SELECT x").rows
    assert row == (value,)
    assert type(row[0]) is type(value)


def test_a_value_that_does_not_fit_its_type_stays_text() -> None:
    (row,) = athena(Service({"x": "date"}, [["x"], ["-0044-03-15"]]))[0].run("SELECT x").rows
    assert row == ("-0044-03-15",)


def test_what_is_no_select_has_no_header_row() -> None:
    found = athena(Service({"tab_name": "string"}, [["orders_lines"]], kind="UTILITY"))[0].run("SHOW TABLES")
    assert list(found.rows) == [("orders_lines",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1", "select 1", "(SELECT 1) UNION (SELECT 2)", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES 1",
        "SHOW TABLES", "DESCRIBE orders_lines", "EXPLAIN SELECT 1", "EXPLAIN (FORMAT JSON) SELECT 1",
        "EXPLAIN ANALYZE VERBOSE WITH a AS (SELECT 1) SELECT * FROM a", "-- a note\nSELECT 1", "/* a\nnote */ SELECT 1",
    ],
)  # fmt: skip
def test_what_reads_is_let_through(sql: str) -> None:
    assert athena(Service())[0].run(sql).columns == ["n"]


@pytest.mark.parametrize(
    "sql",
    [
        "", "DROP TABLE orders_lines", "INSERT INTO a SELECT 1", "CREATE TABLE a AS SELECT 1", "UNLOAD (SELECT 1) TO 's3://x'",
        "-- SELECT\nDELETE FROM a", "/* SELECT */ MSCK REPAIR TABLE a", "EXPLAIN ANALYZE INSERT INTO a SELECT 1",
        "EXPLAIN CREATE TABLE a AS SELECT 1", "SELECTED", "ALTER TABLE a ADD PARTITION (d='x')", "MERGE INTO a USING b",
    ],
)  # fmt: skip
def test_what_writes_is_refused_before_it_is_sent(sql: str) -> None:
    service = Service()
    with pytest.raises(QueryError, match="only reads"):
        athena(service)[0].run(sql)
    assert service.started == []


def test_a_query_that_fails_tells_athenas_reason() -> None:
    service = Service()
    service.states, service.reason = ["FAILED"], "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"
    with pytest.raises(QueryError, match="line 1:8: Column 'x' cannot be resolved"):
        athena(service)[0].run("SELECT x")


def test_a_query_that_scans_too_much_says_so_and_what_to_do() -> None:
    service = Service()
    service.states, service.reason = ["CANCELLED"], "Bytes scanned limit was exceeded"
    running, _, notes = athena(service)
    with pytest.raises(QueryError, match="scans more than the workgroup group allows") as caught:
        running.run("SELECT * FROM orders_lines")
    assert "scanCutoff" in caught.value.hint
    assert notes == ["Athena scanned 1,234,567 bytes"]


def test_sql_that_athena_cannot_parse_is_the_users_mistake_and_a_denial_is_not() -> None:
    service = Service()
    service.refusal = refused("InvalidRequestException", "line 1:1: mismatched input 'SELECT'")
    with pytest.raises(QueryError, match="mismatched input"):
        athena(service)[0].run("SELECT SELECT")
    service.refusal = refused("AccessDeniedException", "not authorized to perform: athena:StartQueryExecution")
    with pytest.raises(AwsError, match="athena:StartQueryExecution"):
        athena(service)[0].run("SELECT 1")


def test_whoever_leaves_the_wait_stops_the_scan() -> None:
    class Impatient(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    service = Service()
    with pytest.raises(KeyboardInterrupt):
        Athena(service, service, "group", "base", Impatient(), print).run("SELECT 1")
    assert service.stopped == ["q-1"]


def test_tables_are_glues_with_their_partition_columns_last() -> None:
    assert athena(Service())[0].tables() == [("a_view", ""), ("orders_lines", "record string, ingestion_date date")]
