"""`option-a check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from option_a.cli.notices import count_sources
from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, json_option, pipeline_options
from option_a.cli.render import print_json, table
from option_a.ingest.config import OAuth2, Source
from option_a.ingest.http import is_loopback
from option_a.ingest.plan import latest_date
from option_a.lakeformation.read import FILE, read_access
from option_a.workspace.pipeline import Pipeline
from option_a.workspace.settings import Settings
from option_a.workspace.text_file import read_text


@click.command("check", epilog=examples("option-a check\noption-a check --sources team/sources.toml --json"))
@json_option
@pipeline_options
def command(as_json: bool, settings: Settings) -> None:
    """Validate the configuration and show what the next run loads. Sends no request."""
    pipeline = open_pipeline(settings)
    sources = list(pipeline.sources.values())
    lake = pipeline.lake.name
    _check_access(pipeline)
    if as_json:
        print_json([_as_json(source, pipeline) for source in sources])
        return
    rows = [_row(source, pipeline) for source in sources]
    click.echo(table(("source", "origin", "next date", "pages", "parallel", "url"), rows, right=("parallel",)))
    click.echo(f"\n{count_sources(pipeline)}, lake {lake}: valid")
    if any(source.origin == "mock" for source in sources):
        click.echo("Mock sources send no requests. For real data set `url`, or USE_REAL_HTTP=true and ENDPOINT_MAP")
    for source in sources:
        for warning in _warnings(source):
            click.echo(f"{source.name}: {warning}")


def _check_access(pipeline: Pipeline) -> None:
    """Validate access.toml if the working directory has one. Raises ConfigError."""
    text = read_text(Path(FILE), "--access", required=False)
    if text is not None:
        read_access(text, pipeline.sources)


def _row(source: Source, pipeline: Pipeline) -> tuple[str, ...]:
    date = latest_date(source, pipeline.today()).isoformat() + (" (snapshot)" if source.snapshot else "")
    return (source.name, source.origin, date, str(source.pagination), str(source.parallel), source.url)


def _as_json(source: Source, pipeline: Pipeline) -> dict[str, Any]:
    return {
        "name": source.name, "origin": source.origin, "url": source.url, "next": latest_date(source, pipeline.today()),
        "source": source, "warnings": _warnings(source),
    }  # fmt: skip


def _warnings(source: Source) -> list[str]:
    """What is valid but inadvisable."""
    if not _sends_credentials_in_clear(source):
        return []
    return ["its credentials go over http and can be read in transit: use https"]


def _sends_credentials_in_clear(source: Source) -> bool:
    """Whether credentials leave this machine unencrypted."""
    urls = [source.url, source.auth.token_url] if isinstance(source.auth, OAuth2) else [source.url]
    unencrypted = [url for url in urls if url.startswith("http://") and not is_loopback(urlsplit(url).hostname or "")]
    return bool(unencrypted and (source.auth or source.secret_headers or source.secret_params))
