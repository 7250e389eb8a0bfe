"""Notices on stderr: what a command assumes, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Mapping

import click

from option_a.cli.render import plural, printable
from option_a.workspace.pipeline import Pipeline


def count_sources(pipeline: Pipeline) -> str:
    """The number of sources, with the file that declares them if it exists."""
    file, count = pipeline.settings.sources_file, len(pipeline.sources)
    if file.exists():
        return f"{plural(count, 'source')} in {printable(str(file))}"
    return f"{plural(count, 'default source')} (there is no {printable(str(file.absolute()))})"


def report_defaults(pipeline: Pipeline) -> None:
    """Report a missing sources file: the command may run in the wrong folder."""
    if not pipeline.settings.sources_file.exists():
        click.echo(count_sources(pipeline), err=True)


def report_not_attempted(counts: Mapping[str, int]) -> None:
    """Report the partitions that stay failed or incomplete, and how to load them."""
    if count := counts["failed"]:
        was = f"{count} failed before and {'is' if count == 1 else 'are'} not retried"
        click.echo(f"{was}: option-a redrive, or backfill --only failed", err=True)
    if count := counts["incomplete"]:
        click.echo(f"{count} left incomplete before and not resumed: backfill --only incomplete", err=True)


def report_kept_real(count: int) -> None:
    """Report real data that is kept although its source is mock now."""
    if count:
        click.echo(
            f"{plural(count, 'partition')} of real data kept, although the source is mock now. Are USE_REAL_HTTP "
            "and ENDPOINT_MAP set? (To replace it with mock data: USE_REAL_HTTP=false, or --fresh)",
            err=True,
        )
