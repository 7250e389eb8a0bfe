"""`option-a plan`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import Date, chosen, examples, json_option, place
from option_a.cli.pipeline import opened
from option_a.cli.planning import nightly
from option_a.cli.render import emit, plural, table
from option_a.home.wiring import Settings


@click.command("plan", epilog=examples("option-a plan\noption-a plan --date 2026-11-23 --json"))
@click.option(
    "--date", type=Date(), help="The partition's date.  [default: today, UTC, plus each source's date_offset]"
)
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--fresh", is_flag=True, help="As `run --fresh` would.")
@json_option
@place
def command(date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, settings: Settings) -> None:
    """Show the tasks that `run` would send, and why. Does nothing."""
    pipeline = opened(settings)
    partitions, planned = nightly(pipeline, chosen(pipeline, names), date, named=bool(names), fresh=fresh)
    if as_json:
        emit(
            [
                {"source": item.task.source, "date": item.task.date, "fresh": item.task.fresh, "why": item.why}
                for item in planned
            ]
        )
        return
    if planned:
        click.echo(table(("source", "date", "why"), [(p.task.source, p.task.day, p.why) for p in planned]) + "\n")
    click.echo(f"{plural(len(planned), 'task')} for {plural(len(partitions), 'partition')}")
