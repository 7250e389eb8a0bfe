"""`option-a preview`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from option_a.cli.options import Date, examples, json_option, local_options, resolve_sources
from option_a.cli.pipeline import open_local
from option_a.cli.render import print_json, printable, size
from option_a.cli.sample import SHOWN, sample
from option_a.ingest.config.source import Source
from option_a.ingest.decode.columns import as_toml, decode_lines, infer
from option_a.ingest.decode.fields import absent, apply
from option_a.ingest.decode.locate import suggestions
from option_a.ingest.decode.lossless import DecodedBody
from option_a.ingest.errors import OptionAError, Where
from option_a.ingest.http.request import request_of
from option_a.ingest.http.urls import with_params
from option_a.ingest.load.single_page import page_info_of, records_of, redact_for_display
from option_a.ingest.pagination import PageInfo
from option_a.ingest.plan.summary import latest_date
from option_a.ingest.ports import Request
from option_a.ingest.secrets import reference
from option_a.ingest.task import Task
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.local.pipeline import LocalPipeline


@click.command(
    "preview",
    epilog=examples(
        """
        option-a preview api-a
        option-a preview api-a --date 2026-11-23 --json
        option-a preview api-a --columns >> sources.toml     # then move the line into its table
        """
    ),
)
@click.argument("name", metavar="SOURCE")
@click.option("--date", type=Date(), help="The date to ask for.  [default: what a run would ask for today]")
@click.option("--columns", is_flag=True, help="Print the columns inferred, as TOML for sources.toml.")
@json_option
@local_options
def command(name: str, date: dt.date | None, columns: bool, as_json: bool, settings: Settings) -> None:
    """Fetch one page and show its records, their columns, and how the next page would be asked for. Lands nothing."""
    pipeline = open_local(settings)
    source = pipeline.sources[resolve_sources(pipeline, [name])[0]]
    day = date or latest_date(source, pipeline.today())
    task = Task(source.name, day, pipeline.new_run())
    request, found, told, took = _first_page(pipeline, source, task)
    lines, notes = _landing(pipeline, source, found)
    records = decode_lines(lines)
    if columns:
        if not records:
            raise click.UsageError(f"{source.name} has no records on {day}; name a date that has: --date")
        click.echo(as_toml(infer(records)))
    elif as_json:
        print_json({
            "url": with_params(request.url, request.params), "records": len(records), "path": _path(source, found),
            "told": told, "next": _next(source, task, told), "columns": infer(records), "sample": records[:SHOWN],
            "notes": notes,
        })  # fmt: skip
    else:
        click.echo(f"{request.method} {printable(with_params(request.url, request.params))}  ({took:.2f} s)\n")
        _show(source, task, found, told, records)
        for note in notes:
            click.echo(f"\n{printable(note)}")


def _first_page(pipeline: LocalPipeline, source: Source, task: Task) -> tuple[Request, DecodedBody, PageInfo, float]:
    request = request_of(source, task, 1, None)
    began = pipeline.clock.now()
    try:
        response = pipeline.fetch()(request)
        took = pipeline.clock.now() - began
        found = records_of(source, response)
        told = page_info_of(source, response, found)
    except OptionAError as error:
        raise redact_for_display(error, source).at(Where(source=source.name, date=task.day, page=1)) from None
    return request, found, told, took


def _landing(pipeline: LocalPipeline, source: Source, found: DecodedBody) -> tuple[bytes, list[str]]:
    """The lines as they would land, and what a person should know of them."""
    fields, notes = source.fields, []
    if source.format == "json" and source.records is None and found.path == "":
        notes = [f"The body itself is taken for the record{hint}" for hint in [suggestions(found.lines)] if hint]
    if fields is None:
        return found.lines, notes
    notes += [f"`fields` names `{path}`, which no record has" for path in absent(fields, found.lines)]
    try:
        salt = None if fields.salt is None else pipeline.secrets(reference(fields.salt))
    except OptionAError as error:
        raise redact_for_display(error, source).at(Where(source=source.name)) from None
    return apply(fields, found.lines, salt), notes


def _path(source: Source, found: DecodedBody) -> str:
    """Where the records are; in a format of lines the body is their list."""
    return found.path if source.format == "json" else "@"


def _show(source: Source, task: Task, found: DecodedBody, told: PageInfo, records: list[dict[str, Any]]) -> None:
    where = {"": "the body itself is the record", "@": "the body is the list"}.get(
        _path(source, found), f"the list at `{found.path}`"
    )
    click.echo(f"Records: {found.records:,} ({where}), {size(len(found.lines))}")
    if told.total is not None:
        click.echo(f"Declared: {told.total:,} records")
    click.echo(f"Next:    {_next(source, task, told)}\n")
    click.echo(sample(records))


def _next(source: Source, task: Task, told: PageInfo) -> str:
    if told.last == 1:
        return "nothing: this page is the last"
    if told.last is not None:
        return f"pages 2 to {told.last}, {source.parallel} at a time"
    request = request_of(source, task, 2, told.cursor)
    return f"{request.method} {with_params(request.url, request.params)}, until {source.pagination}"
