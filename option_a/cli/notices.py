"""Notices on stderr about what a command assumes, and about what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping

import click

from option_a.cli.render import plural, printable
from option_a.workspace.pipeline import Pipeline


def declared_in(pipeline: Pipeline) -> str:
    """The file that declares the sources, or that there is none and the defaults apply."""
    file = pipeline.settings.sources_file
    return printable(str(file) if file.exists() else f"the defaults (there is no {file.absolute()})")


def report_defaults(pipeline: Pipeline) -> None:
    """Report that there is no sources file: the command may have been started in the wrong folder."""
    if not pipeline.settings.sources_file.exists():
        click.echo(f"{plural(len(pipeline.sources), 'source')} of {declared_in(pipeline)}", err=True)


def report_not_attempted(counts: Mapping[str, int]) -> None:
    """Report the partitions that stay failed or incomplete, and how they are loaded."""
    if count := counts["failed"]:
        was = f"{count} failed before and {'is' if count == 1 else 'are'} not retried"
        click.echo(f"{was}: option-a redrive, or backfill --only failed", err=True)
    if count := counts["incomplete"]:
        click.echo(f"{count} left incomplete before and not resumed: backfill --only incomplete", err=True)


def report_kept_real(count: int) -> None:
    """Report real data that is kept because its source is mock now."""
    if count:
        click.echo(
            f"{plural(count, 'partition')} of real data kept: the source is mock now. Are USE_REAL_HTTP "
            "and ENDPOINT_MAP set? (USE_REAL_HTTP=false, or --fresh, puts mock data in its place)",
            err=True,
        )
