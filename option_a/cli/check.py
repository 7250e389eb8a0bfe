"""`option-a check`."""

from __future__ import annotations

from pathlib import Path

import click

from option_a.cli.options import examples, json_option, local, place
from option_a.cli.render import emit, plural, table
from option_a.ingest.source import Source
from option_a.ingest.summary import newest
from option_a.local.wiring import DEFAULT_SOURCES, Local


@click.command("check", epilog=examples("option-a check\noption-a check --sources team/sources.toml --json"))
@json_option
@place
def command(as_json: bool, sources_file: str | None, lake: str, home: str) -> None:
    """Validate the configuration and say what the next run will do. Asks no API."""
    pipeline = local(sources_file, lake, home)
    sources = list(pipeline.sources.values())
    _ = pipeline.lake
    if as_json:
        emit(
            [
                {"name": s.name, "origin": s.origin, "url": s.url, "next": newest(s, pipeline.today()), "source": s}
                for s in sources
            ]
        )
        return
    rows = [_row(source, pipeline) for source in sources]
    click.echo(table(("source", "origin", "next date", "pages", "parallel", "url"), rows, right=("parallel",)))
    click.echo(f"\n{plural(len(sources), 'source')} of {_file(pipeline)}, lake {pipeline.lake.name}: all is well")
    if any(source.origin == "mock" for source in sources):
        click.echo(
            "Mock sources ask no network. Real ones: a url in sources.toml, or USE_REAL_HTTP=true and ENDPOINT_MAP"
        )


def _row(source: Source, pipeline: Local) -> tuple[str, ...]:
    date = newest(source, pipeline.today()).isoformat() + (" (snapshot)" if source.snapshot else "")
    return (source.name, source.origin, date, str(source.pagination), str(source.parallel), source.url)


def _file(pipeline: Local) -> str:
    file = pipeline.settings.sources or DEFAULT_SOURCES
    return file if Path(file).exists() else "the defaults (there is no sources.toml)"
