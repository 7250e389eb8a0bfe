"""`option-a doctor`."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from option_a.cli.open import open_local
from option_a.cli.options import examples, json_option, local_options, request_date_option
from option_a.cli.render import plural, print_json, printable
from option_a.cli.sample import sample
from option_a.ingest.config import Source
from option_a.ingest.decode import decode_lines
from option_a.ingest.errors import OptionAError, PermanentError, Where
from option_a.ingest.http import build_request, with_params
from option_a.ingest.plan import latest_date
from option_a.ingest.ports import Fetch
from option_a.ingest.task import Task
from option_a.operations.requests import resolve_sources
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.discovery.lint import Asked
    from option_a.discovery.report import Answered
    from option_a.ingest.pagination import Cursor


@click.command("doctor", epilog=examples("option-a doctor orders\noption-a doctor orders --date 2026-11-23 --json"))
@click.argument("name", metavar="SOURCE")
@request_date_option
@json_option
@local_options
def command(name: str, date: dt.date | None, as_json: bool, settings: Settings) -> None:
    """Fetch the first two pages of a source and check its table against them. Lands nothing.

    Exit code 1 if records may be lost.
    """
    from option_a.discovery.lint import advice, warnings

    pipeline = open_local(settings)
    source = pipeline.sources[resolve_sources(pipeline.sources, [name])[0]]
    pages = _read_pages(source, Task(name, date or latest_date(source, pipeline.today()), "doctor"), pipeline.fetch())
    problems, tips = warnings(pages), advice(pages)
    if as_json:
        print_json({
            "source": name, "records": pages.first.records, "told": pages.first.info, "warnings": problems,
            "advice": tips,
        })  # fmt: skip
    else:
        _print(pages, problems, tips)
    sys.exit(1 if problems else 0)


def _read_pages(source: Source, task: Task, fetch: Fetch) -> Asked:
    from option_a.discovery.lint import Asked
    from option_a.discovery.signals import read_signals

    first = _read_page(source, task, fetch, 1, None)
    records = decode_lines(first.found.lines)
    signals = read_signals(first.found.meta, first.headers, first.records, next(iter(records), {}))
    info = first.info
    if info is None or info.last == 1:
        return Asked(source, first, signals)
    return Asked(source, first, signals, _read_page(source, task, fetch, 2, info.cursor, first.found.path or None))


def _read_page(
    source: Source, task: Task, fetch: Fetch, page: int, cursor: Cursor | None, where: str | None = None
) -> Answered:
    """Fetch and decode a page. An error on page 2 also tells how page 1 led to it."""
    from option_a.discovery.report import Answered
    from option_a.ingest.load import page_info_of, records_of, redact_for_display

    request = build_request(source, task, page, cursor)
    click.echo(f"{request.method} {printable(with_params(request.url, request.params))}", err=True)
    try:
        response = fetch(request)
        found = records_of(source, response, where)
        return Answered(found, response.headers, page_info_of(source, response, found) if page == 1 else None)
    except OptionAError as error:
        if page > 1 and isinstance(error, PermanentError):
            error.hint = f"{error.hint}; page 1 led there by its pagination: {source.pagination}"
        raise redact_for_display(error, source).at(Where(source=source.name, date=task.day, page=page)) from None


def _print(pages: Asked, problems: list[str], tips: list[str]) -> None:
    click.echo(sample(decode_lines(pages.first.found.lines)) + "\n")
    click.echo(f"Pagination: {pages.source.pagination}; page 1 has {plural(pages.first.records, 'record')}")
    for problem in problems:
        click.echo(f"warning: {printable(problem)}")
    if not problems:
        click.echo(f"{plural(1 if pages.second is None else 2, 'page')} checked, no problem found")
    for tip in tips:
        click.echo(f"advice: {printable(tip)}")
