"""`option-a query`."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from itertools import islice
from typing import Any, Protocol

import click
import msgspec

from option_a.cli.open import open_local, open_stack
from option_a.cli.options import examples, pipeline_options
from option_a.cli.render import escaped, table
from option_a.workspace.query_result import Result
from option_a.workspace.settings import Settings

_TABLE_ROWS = 1_000
_MAX_WIDTH = 60


@click.command(
    "query",
    epilog=examples(
        """
        option-a query
        option-a query "SELECT ingestion_date, count(*) AS n FROM api_a GROUP BY ALL ORDER BY ALL"
        option-a query "SELECT record FROM raw WHERE source = 'api-a' LIMIT 3" --format json
        option-a query - --format csv < report.sql > report.csv
        option-a query --stack OptionAIngestionDemoPy "SELECT count(*) FROM api_a_lines"
        """
    ),
)
@click.argument("sql", required=False)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True,
              help="How to print the result.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@pipeline_options
def command(sql: str | None, form: str, as_json: bool, settings: Settings) -> None:
    """Query the lake with SQL, read-only; without SQL, list the tables and their columns.

    DuckDB has one view per source (`api_a` for api-a), `raw` and `partitions`. With --stack, Athena answers from the
    stack's tables: `api_a_lines` for api-a, and the crawler's. `-` reads the SQL from stdin.
    """
    form = "json" if as_json else form
    engine = _duck(settings) if settings.stack is None else open_stack(settings).athena()
    if sql is None:
        _print(Result(["table", "columns"], iter(engine.tables())), form, width=10_000)
        return
    _print(engine.run(sys.stdin.read() if sql == "-" else sql), form)


class Engine(Protocol):
    """Runs SQL."""

    def run(self, sql: str) -> Result: ...

    def tables(self) -> list[tuple[str, str]]: ...


def _duck(settings: Settings) -> Engine:
    from option_a.query.duckdb_engine import DuckDBEngine

    pipeline = open_local(settings)
    now, cache = pipeline.clock.now(), pipeline.summary_cache
    return DuckDBEngine(pipeline.lake, pipeline.sources, pipeline.summaries(), now, cache, settings.note)


def _print(result: Result, form: str, width: int = _MAX_WIDTH) -> None:
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([_flat(value) for value in row] for row in result.rows)
    elif form == "json":
        _print_json(result)
    else:
        _print_table(result, width)


def _print_json(result: Result) -> None:
    click.echo("[", nl=False)
    for number, row in enumerate(result.rows):
        line = msgspec.json.encode(dict(zip(result.columns, row, strict=True)), enc_hook=str).decode("utf-8", "replace")
        click.echo((",\n " if number else "") + escaped(line), nl=False)
    click.echo("]")


def _print_table(result: Result, width: int) -> None:
    rows = list(islice(result.rows, _TABLE_ROWS + 1))
    shown = [[_cell(value, width) for value in row] for row in rows[:_TABLE_ROWS]]
    numbers = {c for n, c in enumerate(result.columns) if rows and all(_is_number(row[n]) for row in rows)}
    click.echo(table(result.columns, shown, right=numbers))
    more = ", truncated: --format csv prints all" if len(rows) > _TABLE_ROWS else ""
    click.echo(f"({len(shown):,} {'row' if len(shown) == 1 else 'rows'}{more})")


def _is_number(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, int | float) and not isinstance(value, bool))
        or type(value).__name__ == "Decimal"
    )


def _flat(value: Any) -> Any:
    """A list or a struct as JSON text."""
    return msgspec.json.encode(value, enc_hook=str).decode() if isinstance(value, dict | list) else value


def _cell(value: Any, width: int) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, float):
        return f"{value:.15g}"
    text = str(_flat(value))
    return text if len(text) <= width else text[: width - 1] + "…"
