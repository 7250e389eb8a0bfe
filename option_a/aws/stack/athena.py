"""Athena over the stack's tables, in the stack's own workgroup, for reading alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from option_a.aws.pages import pages
from option_a.aws.stack.session import aws_errors, code
from option_a.ingest.errors import QueryError
from option_a.ingest.ports import Clock
from option_a.workspace.query_result import Result

_PAGE = 1_000
_SOON, _LATE = 0.2, 2.0
_BLANK = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
_READS = re.compile(
    rf"(?:{_BLANK}|\()*"
    rf"(?:EXPLAIN\b{_BLANK}*(?:ANALYZE\b{_BLANK}*)?(?:VERBOSE\b{_BLANK}*)?(?:\([^()]*\){_BLANK}*)?\(*{_BLANK}*"
    r"(?:SELECT|WITH|VALUES|TABLE)\b|(?:SELECT|WITH|SHOW|DESC|DESCRIBE|VALUES)\b)",
    re.IGNORECASE | re.DOTALL,
)
_WHOLE = frozenset({"tinyint", "smallint", "integer", "int", "bigint"})
_BROKEN = frozenset({"float", "real", "double"})


class Athena:
    """Runs one statement at a time."""

    def __init__(
        self, athena: Any, glue: Any, workgroup: str, database: str, clock: Clock, note: Callable[[str], None]
    ) -> None:
        self._athena, self._glue = athena, glue
        self._workgroup, self._database = workgroup, database
        self._clock, self._note = clock, note

    def run(self, sql: str) -> Result:
        """The answer to one statement that reads. Raises QueryError, or AwsError."""
        if not _READS.match(sql):
            hint = "write SELECT, WITH, VALUES, SHOW, DESCRIBE or EXPLAIN; to save the answer: --format csv > file"
            raise QueryError("a query must be one statement that only reads", hint=hint)
        query = self._start(sql)
        try:
            ended = self._wait(query)
        except BaseException:
            with suppress(Exception):  # whatever ended the wait, the scan must not go on unseen
                self._athena.stop_query_execution(QueryExecutionId=query)
            raise
        scanned = ended.get("Statistics", {}).get("DataScannedInBytes", 0)
        self._note(f"Athena scanned {scanned:,} bytes")
        _check(ended["Status"], self._workgroup)
        return self._result(query, header=ended.get("StatementType", "DML") == "DML")

    def tables(self) -> list[tuple[str, str]]:
        """Every table with its columns, as `name type, name type, …`."""
        with aws_errors(f"list the tables of {self._database}"):
            listed = self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database)
            found = [table for page in listed for table in page["TableList"]]
        return sorted((table["Name"], ", ".join(_columns(table))) for table in found)

    def _start(self, sql: str) -> str:
        with aws_errors("query"):
            try:
                answer = self._athena.start_query_execution(
                    QueryString=sql.strip().rstrip(";"), WorkGroup=self._workgroup,
                    QueryExecutionContext={"Database": self._database},
                )  # fmt: skip
            except ClientError as error:
                if code(error) == "InvalidRequestException":
                    raise QueryError(str(error.response["Error"].get("Message", error)), hint=_HINT) from None
                raise
        return str(answer["QueryExecutionId"])

    def _wait(self, query: str) -> dict[str, Any]:
        pause = _SOON
        while True:
            with aws_errors("look at the query"):
                found: dict[str, Any] = self._athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            if found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return found
            self._clock.sleep(pause)
            pause = min(_LATE, pause * 1.5)

    def _result(self, query: str, *, header: bool) -> Result:
        fetch = aws_errors("fetch the answer")(self._athena.get_query_results)
        results = (page["ResultSet"] for page in pages(fetch, QueryExecutionId=query, MaxResults=_PAGE))
        first = next(results)
        info = first["ResultSetMetadata"]["ColumnInfo"]
        names, kinds = [column["Name"] for column in info], [column["Type"].lower() for column in info]
        rows = [_texts(row) for row in first["Rows"]]
        if rows and (header or rows[0] == names):  # the answer to a SELECT repeats the columns' names as its first row
            rows = rows[1:]
        return Result(names, _typed(rows, results, kinds))


_HINT = "option-a query, with no SQL, lists the tables and their columns"


def _check(status: dict[str, Any], workgroup: str) -> None:
    if status["State"] == "SUCCEEDED":
        return
    why = status.get("StateChangeReason") or status.get("AthenaError", {}).get("ErrorMessage") or "no reason told"
    if "bytes scanned limit" in why.lower():
        hint = "ask for fewer dates (WHERE ingestion_date = …), or raise the limit: cdk deploy -c scanCutoff=GB"
        raise QueryError(f"the query scans more than the workgroup {workgroup} allows: {why}", hint=hint)
    raise QueryError(why, hint=_HINT)


def _columns(table: dict[str, Any]) -> Iterator[str]:
    for column in [*table.get("StorageDescriptor", {}).get("Columns", []), *table.get("PartitionKeys", [])]:
        yield f"{column['Name']} {column.get('Type', '')}".rstrip()


def _texts(row: dict[str, Any]) -> list[str | None]:
    return [cell.get("VarCharValue") for cell in row["Data"]]


def _typed(
    first: list[list[str | None]], pages: Iterator[dict[str, Any]], kinds: list[str]
) -> Iterator[tuple[Any, ...]]:
    yield from (_row(row, kinds) for row in first)
    for page in pages:
        yield from (_row(_texts(row), kinds) for row in page["Rows"])


def _row(texts: list[str | None], kinds: list[str]) -> tuple[Any, ...]:
    return tuple(None if text is None else _value(text, kind) for text, kind in zip(texts, kinds, strict=False))


def _value(text: str, kind: str) -> Any:
    """The value of a cell by its column's type; the text itself where that is no simple one, or does not fit."""
    try:
        if kind in _WHOLE:
            return int(text)
        if kind in _BROKEN:
            return float(text)
        if kind == "decimal":
            return Decimal(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text]
        if kind == "date":
            return dt.date.fromisoformat(text)
        return dt.datetime.fromisoformat(text) if kind == "timestamp" else text
    except (ValueError, KeyError, ArithmeticError):
        return text
