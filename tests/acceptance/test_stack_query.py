"""`option-a query --stack`: Athena's answers in the forms that DuckDB's have. moto runs no SQL: rows are preloaded."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Place
from tests.support.aws.deployed_stack import FakeStack
from tests.support.aws.moto import MotoServer

COLUMNS = {"ingestion_date": "date", "n": "bigint", "price": "double", "name": "varchar"}
ROWS: list[list[str | None]] = [
    ["ingestion_date", "n", "price", "name"],
    ["2024-05-01", "3", "1.5", "a, b"],
    ["2024-05-02", "4", None, "ü"],
]


@pytest.fixture(scope="module")
def stack(server: MotoServer) -> FakeStack:
    made = FakeStack(server, "Queried")
    made.deploy(["api-a", "api-b", "api-c", "api-d"], None)
    server.client("athena").create_work_group(Name="Queried", Configuration={})
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "queried_db"})
    lines: dict[str, Any] = {
        "Name": "api_a_lines", "StorageDescriptor": {"Columns": [{"Name": "record", "Type": "string"}]},
        "PartitionKeys": [{"Name": "ingestion_date", "Type": "date"}],
    }  # fmt: skip
    glue.create_table(DatabaseName="queried_db", TableInput=lines)
    return made


@pytest.fixture
def option_a(tmp_path: Path, stack: FakeStack) -> Place:
    return Place(tmp_path, **stack.env)


def preload(stack: FakeStack) -> None:
    """Have the server answer the next query with these rows."""
    info = [
        {"CatalogName": "", "SchemaName": "", "TableName": "", "Name": name, "Label": name, "Type": kind,
         "Precision": 1, "Scale": 1, "Nullable": "UNKNOWN", "CaseSensitive": False}
        for name, kind in COLUMNS.items()
    ]  # fmt: skip
    rows = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in ROWS]
    body = json.dumps({"results": [{"rows": rows, "column_info": info}]}).encode()
    url = f"{stack.aws.endpoint}/moto-api/static/athena/query-results"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, body) as answer:
        assert answer.status == 201


def test_json_has_numbers_as_numbers(option_a: Place, stack: FakeStack) -> None:
    preload(stack)
    done = option_a("query", "SELECT * FROM api_a", "--format", "json")
    assert done.code == 0, done.err
    assert done.json() == [
        {"ingestion_date": "2024-05-01", "n": 3, "price": 1.5, "name": "a, b"},
        {"ingestion_date": "2024-05-02", "n": 4, "price": None, "name": "ü"},
    ]
    assert "Athena scanned " in done.err


def test_csv_is_csv(option_a: Place, stack: FakeStack) -> None:
    preload(stack)
    done = option_a("query", "-", "--format", "csv", stdin="SELECT * FROM api_a")
    assert done.out == 'ingestion_date,n,price,name\n2024-05-01,3,1.5,"a, b"\n2024-05-02,4,,ü\n'


def test_a_table_is_what_duckdb_prints(option_a: Place, stack: FakeStack, tmp_path: Path) -> None:
    preload(stack)
    there = option_a("query", "SELECT * FROM api_a").out
    sql = (
        "SELECT * FROM (VALUES (DATE '2024-05-01', 3, 1.5::DOUBLE, 'a, b'), (DATE '2024-05-02', 4, NULL, 'ü')) "
        "AS t(ingestion_date, n, price, name)"
    )
    (tmp_path / "here").mkdir()
    assert there == Place(tmp_path / "here")("query", sql).out


def test_without_sql_the_tables_are_glues(option_a: Place) -> None:
    done = option_a("query", "--format", "json")
    assert done.json() == [{"table": "api_a_lines", "columns": "record string, ingestion_date date"}]


def test_what_writes_is_refused(option_a: Place) -> None:
    done = option_a("query", "DROP TABLE api_a_lines")
    assert done.code == 2
    assert "error: a query must be one statement that only reads" in done.err
