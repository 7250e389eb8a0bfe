"""`option-a add`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from option_a.cli.open import open_local
from option_a.cli.options import examples, json_option, local_options
from option_a.cli.render import print_json, printable
from option_a.cli.sample import SHOWN, sample
from option_a.ingest.config import Source, read_sources
from option_a.ingest.decode import decode_lines
from option_a.ingest.http import with_params
from option_a.ingest.ports import Fetch, Request, Response
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.discovery.report import Report
    from option_a.local.pipeline import LocalPipeline


@click.command(
    "add",
    epilog=examples(
        """
        option-a add https://api.example.com/v1/orders
        option-a add 'https://api.example.com/v1/orders?date=2026-11-23&per_page=100' --set 'date_offset = -1' --write
        option-a add https://api.example.com/v1/orders --set 'auth = { style = "bearer", token = "env:TOKEN" }'
        """
    ),
)
@click.argument("url", metavar="URL")
@click.option("--name", metavar="NAME", help="The source's name.  [default: the last word of the URL's path]")
@click.option("--set", "given", multiple=True, metavar="LINE", help="Set a key of the table, as TOML; repeatable.")
@click.option("--write", is_flag=True, help="Append the table to sources.toml.")
@json_option
@local_options
def command(url: str, name: str | None, given: tuple[str, ...], write: bool, as_json: bool, settings: Settings) -> None:
    """Send an API two or three requests and print a table that declares it, with reasons. Lands nothing.

    If the URL contains a date, the table declares its parameter too.
    """
    from option_a.discovery.discover import Discovery
    from option_a.discovery.report import as_toml, name_of
    from option_a.discovery.url import read_query

    pipeline = open_local(settings)
    name, query, lines = name or name_of(url), read_query(url), _parse_lines(given)
    _check_table(name, {"url": query.url, **query.dated(lines), **lines})
    report = Discovery(name, query, lines, _announced_fetch(pipeline)).run(pipeline.today())
    text = as_toml(report)
    read_sources(text, {})  # raises ConfigError, so that nothing invalid is printed
    if as_json:
        records = decode_lines(report.first.found.lines)
        print_json({"name": name, "table": report.table, "lines": report.lines, "unsure": report.unsure, "toml": text,
              "records": len(records), "sample": records[:SHOWN]})  # fmt: skip
    else:
        click.echo(text)
        _print_report(report)
    if write:
        _write(settings, name, text)


def _parse_lines(given: tuple[str, ...]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(given))
    except tomllib.TOMLDecodeError as error:
        hint = """a line of the table, as in --set 'records = "data"'"""
        raise click.UsageError(f"--set is not valid TOML: {error} ({hint})") from None


def _check_table(name: str, table: dict[str, Any]) -> None:
    """Raise ConfigError for an invalid table before any request is sent."""
    from option_a.discovery.report import toml_value

    keys = "".join(f"{toml_value(key)} = {toml_value(value)}\n" for key, value in table.items())
    read_sources(f"[sources.{toml_value(name)}]\n{keys}", {}, "the new table")


def _announced_fetch(pipeline: LocalPipeline) -> Callable[[Source], Fetch]:
    """A fetch that prints each request before it is sent."""

    def fetch_of(source: Source) -> Fetch:
        send = pipeline.fetch({source.name: source})

        def fetch(request: Request) -> Response:
            click.echo(f"{request.method} {printable(with_params(request.url, request.params))}", err=True)
            return send(request)

        return fetch

    return fetch_of


def _print_report(report: Report) -> None:
    click.echo(sample(decode_lines(report.first.found.lines)), err=True)
    for doubt in report.unsure:
        click.echo(f"unsure: {printable(doubt)}", err=True)


def _write(settings: Settings, name: str, text: str) -> None:
    from option_a.workspace.sources_file import declare

    new = declare(settings.sources_file, name, text, settings.env)
    click.echo(f"written to {settings.sources_file}; next: option-a preview {name}", err=True)
    if new:
        click.echo("the file is new: the built-in mock sources are no longer used", err=True)
