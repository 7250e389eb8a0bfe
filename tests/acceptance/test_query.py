"""SQL over the lake: every landed line can be read, whatever is in it, and nothing can be written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from tests.acceptance.command import DAY, Place
from tests.support.apis.page_server import FakeApi, data_body, serve_api

SOURCE = '[sources.my-odd]\nurl = "{url}/odd"\ndate_param = "date"\n{more}\n'
ODD = [
    b'{"id":123456789012345678901234567890,"price":1.10,"huge":1e400}',
    b'{"id":1,"id":2}',
    rb'{"lone":"\ud800","pair":"\ud83d\ude00"}',
    b'{"Id":1,"ID":2,"id":3}',
    b'{"source":"mine","ingestion_date":"never"}',
    '{"name":"Łódź 東京","quote":"\\"a\\",\\\\","tab":"\\t","comma":",;\'"}'.encode(),
    b'{"long":"' + b"x" * 100_000 + b'"}',
    b"{}",
]
PLAIN = [b'{"id":%d,"amount":"%d.50","made":"2024-05-01T10:00:00Z","tags":["a"]}' % (n, n) for n in range(1, 4)]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serve_api(lambda asked: data_body(PLAIN if asked.page == 1 else [])) as server:
        yield server


def landed(option_a: Place, api: FakeApi, records: list[bytes], more: str = "", day: str = DAY) -> None:
    """These records, in pages of three."""
    api.pages = lambda asked: data_body(records[asked.page * 3 - 3 : asked.page * 3])
    option_a.declare(SOURCE.format(url=api.url, more=more))
    assert option_a("run", "--date", day).code == 0


def test_raw_reads_every_landed_line_whatever_a_json_reader_thinks_of_it(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, ODD)
    sql = "SELECT source, ingestion_date, page, record FROM raw ORDER BY page"
    rows = option_a("query", sql, "--format", "json").json()
    assert [row["record"].encode() for row in rows] == ODD
    assert [row["page"] for row in rows] == [1, 1, 1, 2, 2, 2, 3, 3]
    assert {(row["source"], row["ingestion_date"]) for row in rows} == {("my-odd", DAY)}


def test_the_view_of_a_source_reads_odd_records_too(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, ODD)
    assert option_a("query", "SELECT count(*) AS n FROM my_odd", "--format", "csv").out == "n\n8\n"
    whole = option_a("query", "SELECT * FROM my_odd", "--format", "json")
    assert whole.code == 0, whole.err
    assert len(whole.json()) == len(ODD)


def test_a_records_own_source_and_ingestion_date_are_not_those_of_its_folder(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, [b'{"source":"mine","ingestion_date":"never"}'])
    (row,) = option_a("query", "SELECT * FROM my_odd", "--format", "json").json()
    assert row == {"ingestion_date": DAY, "source": "mine", "record_ingestion_date": "never"}
    sql = f"SELECT count(*) AS n FROM my_odd WHERE ingestion_date = DATE '{DAY}'"
    assert option_a("query", sql, "--format", "csv").out == "n\n1\n"


def test_a_query_that_names_a_date_reads_just_its_partition(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, PLAIN)
    landed(option_a, api, PLAIN[:1], day="2024-05-02")
    sql = "SELECT ingestion_date, count(*) AS n FROM my_odd GROUP BY ALL ORDER BY ALL"
    assert option_a("query", sql, "--format", "csv").out == f"ingestion_date,n\n{DAY},3\n2024-05-02,1\n"
    next((option_a.lake / "raw" / "source=my-odd" / f"ingestion_date={DAY}").iterdir()).write_bytes(b"torn")
    one = "SELECT count(*) AS n FROM my_odd WHERE ingestion_date = DATE '2024-05-02'"
    assert option_a("query", one, "--format", "csv").out == "n\n1\n"


@pytest.mark.parametrize("view", ["api_a", "raw", "partitions"])
def test_an_empty_lake_answers_no_rows_and_no_error(option_a: Place, view: str) -> None:
    done = option_a("query", f"SELECT count(*) AS n FROM {view}", "--format", "csv")
    assert (done.code, done.out) == (0, "n\n0\n")
    assert option_a("query", f"SELECT * FROM {view}", "--format", "json").json() == []
    assert option_a("query", f"SELECT * FROM {view}").out.endswith("(0 rows)\n")


def test_a_partition_of_no_records_answers_no_rows(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, [])
    for view in ("my_odd", "raw"):
        assert option_a("query", f"SELECT count(*) AS n FROM {view}", "--format", "csv").out == "n\n0\n"
    (row,) = option_a("query", "SELECT * FROM partitions", "--format", "json").json()
    assert (row["state"], row["pages"], row["records"]) == ("complete", 0, 0)


def test_declared_columns_type_the_view(option_a: Place, api: FakeApi) -> None:
    columns = 'columns = { id = "string", amount = "decimal", made = "timestamp", tags = "json", gone = "bigint" }'
    landed(option_a, api, PLAIN, columns)
    sql = "SELECT column_name, column_type FROM (DESCRIBE my_odd)"
    types = {row["column_name"]: row["column_type"] for row in option_a("query", sql, "--format", "json").json()}
    assert list(types) == ["ingestion_date", "id", "amount", "made", "tags", "gone"]
    assert (types["id"], types["made"], types["tags"], types["gone"]) == ("VARCHAR", "TIMESTAMP", "JSON", "BIGINT")
    assert types["amount"].startswith("DECIMAL")
    (row,) = option_a("query", "SELECT sum(amount) AS s, max(made) AS t FROM my_odd", "--format", "json").json()
    assert float(row["s"]) == 7.5
    assert row["t"].startswith("2024-05-01")


def test_declared_columns_type_the_view_of_a_source_that_holds_nothing(option_a: Place, api: FakeApi) -> None:
    option_a.declare(SOURCE.format(url=api.url, more='columns = { id = "bigint", made = "timestamp" }'))
    done = option_a("query", "SELECT id + 1 AS x, made FROM my_odd", "--format", "csv")
    assert (done.code, done.out) == (0, "x,made\n")


def test_the_formats_say_the_same(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, PLAIN)
    sql = "SELECT id, amount, NULL AS nothing FROM my_odd ORDER BY id"
    rows = option_a("query", sql, "--format", "json").json()
    assert rows == [{"id": n, "amount": f"{n}.50", "nothing": None} for n in (1, 2, 3)]
    found = list(csv.DictReader(io.StringIO(option_a("query", sql, "--format", "csv").out)))
    assert found == [{"id": str(n), "amount": f"{n}.50", "nothing": ""} for n in (1, 2, 3)]
    table = option_a("query", sql).out
    assert [line.split() for line in table.splitlines()[2:5]] == [[str(n), f"{n}.50", "NULL"] for n in (1, 2, 3)]
    assert table.endswith("(3 rows)\n")


def test_csv_quotes_what_would_break_a_row(option_a: Place, api: FakeApi) -> None:
    record = rb'{"text":"a,\"b\"\nc"}'
    landed(option_a, api, [record])
    out = option_a("query", "SELECT text, record FROM my_odd, raw", "--format", "csv").out
    assert list(csv.reader(io.StringIO(out)))[1:] == [['a,"b"\nc', record.decode()]]


def test_without_sql_the_tables_and_their_columns_are_listed(option_a: Place, api: FakeApi) -> None:
    landed(option_a, api, PLAIN)
    tables = {row["table"]: row["columns"] for row in option_a("query", "--format", "json").json()}
    assert list(tables) == ["partitions", "raw", "my_odd"]
    assert tables["my_odd"].startswith("ingestion_date DATE, id ")


def test_sql_comes_from_stdin_too(option_a: Place) -> None:
    assert option_a("query", "-", "--format", "csv", stdin="SELECT 1 AS one;\n").out == "one\n1\n"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM partitions",
        "INSERT INTO partitions VALUES (1)",
        "CREATE TABLE mine AS SELECT 1",
        "DROP VIEW raw",
        "COPY (SELECT 1) TO '{lake}/raw/mine.csv'",
        "ATTACH '{lake}/mine.db'",
        "SET threads = 1",
        "INSTALL httpfs",
        "PRAGMA database_list; SELECT 1",
        "SELECT 1; SELECT 2",
        "",
    ],
)
def test_a_statement_that_does_not_only_read_is_refused(option_a: Place, sql: str) -> None:
    option_a("run", "--date", DAY, "--source", "api-a")
    before = option_a.files()
    done = option_a("query", sql.format(lake=option_a.lake))
    assert (done.code, done.out) == (2, "")
    assert "a query must be one statement that only reads" in done.err
    assert option_a.files() == before


@pytest.mark.parametrize("path", ["{folder}/secret.csv", "{lake}/../secret.csv", "{lake}/link.csv"])
def test_a_query_reads_no_file_outside_the_lake(option_a: Place, path: str) -> None:
    (option_a.folder / "secret.csv").write_text("secret\nhunter2\n")
    option_a("run", "--date", DAY, "--source", "api-a")
    (option_a.lake / "link.csv").symlink_to(option_a.folder / "secret.csv")
    done = option_a("query", f"SELECT * FROM read_csv('{path.format(folder=option_a.folder, lake=option_a.lake)}')")
    assert (done.code, done.out) == (2, "")
    assert "hunter2" not in done.err
