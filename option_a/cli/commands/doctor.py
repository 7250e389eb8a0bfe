"""`option-a doctor`."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from option_a.cli.options import Date, examples, json_option, local_options, resolve_sources
from option_a.cli.pipeline import open_local
from option_a.cli.render import plural, print_json, printable
from option_a.cli.sample import sample
from option_a.ingest.config.source import Source
from option_a.ingest.decode.columns import decode_lines
from option_a.ingest.errors import OptionAError, PermanentError, Where
from option_a.ingest.http.request import request_of
from option_a.ingest.http.urls import with_params
from option_a.ingest.plan.summary import latest_date
from option_a.ingest.ports import Fetch
from option_a.ingest.task import Task
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.discovery.lint import Asked
    from option_a.discovery.report import Answered
    from option_a.ingest.pagination import Cursor


@click.command("doctor", epilog=examples("option-a doctor orders\noption-a doctor orders --date 2026-11-23 --json"))
@click.argument("name", metavar="SOURCE")
@click.option("--date", type=Date(), help="The date to ask for.  [default: what a run would ask for today]")
@json_option
@local_options
def command(name: str, date: dt.date | None, as_json: bool, settings: Settings) -> None:
    """Ask for the first two pages of a source, and warn of what its table misses. Lands nothing.

    Exit code 1 where records may be lost.
    """
    from option_a.discovery.lint import advice, warnings

    pipeline = open_local(settings)
    source = pipeline.sources[resolve_sources(pipeline, [name])[0]]
    asked = _asked(source, Task(name, date or latest_date(source, pipeline.today()), "doctor"), pipeline.fetch())
    found, more = warnings(asked), advice(asked)
    if as_json:
        print_json(
            {
                "source": name,
                "records": asked.first.records,
                "told": asked.first.told,
                "warnings": found,
                "advice": more,
            }
        )
    else:
        _tell(asked, found, more)
    sys.exit(1 if found else 0)


def _asked(source: Source, task: Task, fetch: Fetch) -> Asked:
    from option_a.discovery.lint import Asked
    from option_a.discovery.signals import read_signals

    first = _page(source, task, fetch, 1, None)
    records = decode_lines(first.found.lines)
    signs = read_signals(first.found.meta, first.headers, first.records, next(iter(records), {}))
    told = first.told
    if told is None or told.last == 1:
        return Asked(source, first, signs)
    return Asked(source, first, signs, _page(source, task, fetch, 2, told.cursor, first.found.path or None))


def _page(
    source: Source, task: Task, fetch: Fetch, page: int, cursor: Cursor | None, where: str | None = None
) -> Answered:
    """A page, and what it tells: for the second one, that may be an error which `run` would meet too."""
    from option_a.discovery.report import Answered
    from option_a.ingest.load.single_page import page_info_of, records_of, redact_for_display

    request = request_of(source, task, page, cursor)
    click.echo(f"{request.method} {printable(with_params(request.url, request.params))}", err=True)
    try:
        response = fetch(request)
        found = records_of(source, response, where)
        return Answered(found, response.headers, page_info_of(source, response, found) if page == 1 else None)
    except OptionAError as error:
        if page > 1 and isinstance(error, PermanentError):
            error.hint = f"{error.hint}; the first page leads there by pagination ({source.pagination})"
        raise redact_for_display(error, source).at(Where(source=source.name, date=task.day, page=page)) from None


def _tell(asked: Asked, found: list[str], more: list[str]) -> None:
    click.echo(sample(decode_lines(asked.first.found.lines)) + "\n")
    click.echo(f"Pages: {asked.source.pagination}; the first holds {plural(asked.first.records, 'record')}")
    for warning in found:
        click.echo(f"warning: {printable(warning)}")
    if not found:
        click.echo("no sign of records that would be lost")
    for piece in more:
        click.echo(f"advice: {printable(piece)}")
