"""`option-a preview`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from option_a.cli.open import open_local
from option_a.cli.options import examples, json_option, local_options, request_date_option
from option_a.cli.render import print_json, printable, size
from option_a.cli.sample import SHOWN, sample
from option_a.ingest.config import Source
from option_a.ingest.decode import (
    DecodedBody,
    absent_fields,
    apply_fields,
    columns_as_toml,
    decode_lines,
    infer_columns,
    suggest_records,
)
from option_a.ingest.errors import OptionAError, Where
from option_a.ingest.http import build_request, with_params
from option_a.ingest.load import page_info_of, records_of, redact_for_display
from option_a.ingest.pagination import PageInfo
from option_a.ingest.plan import latest_date
from option_a.ingest.ports import Request
from option_a.ingest.secrets import reference
from option_a.ingest.task import Task
from option_a.operations.requests import resolve_sources
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.local.pipeline import LocalPipeline


@click.command(
    "preview",
    epilog=examples(
        """
        option-a preview api-a
        option-a preview api-a --date 2026-11-23 --json
        option-a preview api-a --columns >> sources.toml    # then move the line into its table
        """
    ),
)
@click.argument("name", metavar="SOURCE")
@request_date_option
@click.option("--columns", is_flag=True, help="Print the inferred columns as TOML for sources.toml.")
@json_option
@local_options
def command(name: str, date: dt.date | None, columns: bool, as_json: bool, settings: Settings) -> None:
    """Fetch one page and show its records, their columns and the next request. Lands nothing."""
    pipeline = open_local(settings)
    source = pipeline.sources[resolve_sources(pipeline.sources, [name])[0]]
    day = date or latest_date(source, pipeline.today())
    task = Task(source.name, day, pipeline.new_run_id())
    request, decoded, info, seconds = _first_page(pipeline, source, task)
    lines, notes = _as_landed(pipeline, source, decoded)
    records = decode_lines(lines)
    if columns:
        if not records:
            raise click.UsageError(f"{source.name} has no records on {day}: choose another date with --date")
        click.echo(columns_as_toml(infer_columns(records)))
    elif as_json:
        print_json({
            "url": with_params(request.url, request.params), "records": len(records),
            "path": _records_path(source, decoded), "told": info, "next": _next_request(source, task, info),
            "columns": infer_columns(records), "sample": records[:SHOWN], "notes": notes,
        })  # fmt: skip
    else:
        click.echo(f"{request.method} {printable(with_params(request.url, request.params))}  ({seconds:.2f} s)\n")
        _print(source, task, decoded, info, records)
        for note in notes:
            click.echo(f"\n{printable(note)}")


def _first_page(pipeline: LocalPipeline, source: Source, task: Task) -> tuple[Request, DecodedBody, PageInfo, float]:
    request = build_request(source, task, 1, None)
    started = pipeline.clock.now()
    try:
        response = pipeline.fetch()(request)
        seconds = pipeline.clock.now() - started
        decoded = records_of(source, response)
        info = page_info_of(source, response, decoded)
    except OptionAError as error:
        raise redact_for_display(error, source).at(Where(source=source.name, date=task.day, page=1)) from None
    return request, decoded, info, seconds


def _as_landed(pipeline: LocalPipeline, source: Source, decoded: DecodedBody) -> tuple[bytes, list[str]]:
    """The lines as they would land, and notes for the user."""
    fields, notes = source.fields, []
    if source.format == "json" and source.records is None and decoded.path == "":
        notes = [f"The body itself is treated as the record{hint}" for hint in [suggest_records(decoded.lines)] if hint]
    if fields is None:
        return decoded.lines, notes
    notes += [f"`fields` names `{path}`, which no record has" for path in absent_fields(fields, decoded.lines)]
    try:
        salt = None if fields.salt is None else pipeline.secrets(reference(fields.salt))
    except OptionAError as error:
        raise redact_for_display(error, source).at(Where(source=source.name)) from None
    return apply_fields(fields, decoded.lines, salt), notes


def _records_path(source: Source, decoded: DecodedBody) -> str:
    """The path of the records; in line-based formats the body is the list."""
    return decoded.path if source.format == "json" else "@"


def _print(source: Source, task: Task, decoded: DecodedBody, info: PageInfo, records: list[dict[str, Any]]) -> None:
    where = {"": "the body itself is the record", "@": "the body is the list"}.get(
        _records_path(source, decoded), f"the list at `{decoded.path}`"
    )
    click.echo(f"Records: {decoded.records:,} ({where}), {size(len(decoded.lines))}")
    if info.total is not None:
        click.echo(f"Total:   {info.total:,} records, as the API declares")
    click.echo(f"Next:    {_next_request(source, task, info)}\n")
    click.echo(sample(records))


def _next_request(source: Source, task: Task, info: PageInfo) -> str:
    if info.last == 1:
        return "none: this page is the last"
    if info.last is not None:
        return f"pages 2 to {info.last}, {source.parallel} at a time"
    request = build_request(source, task, 2, info.cursor)
    return f"{request.method} {with_params(request.url, request.params)}; pagination: {source.pagination}"
