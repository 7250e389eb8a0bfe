"""`option-a plan`."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import click

from option_a.cli.options import Date, examples, json_option, pipeline_options, resolve_sources
from option_a.cli.pipeline import Pipeline, open_pipeline
from option_a.cli.planning import nightly, report_defaults
from option_a.cli.render import plural, print_json, table, tally
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary import partition_state
from option_a.workspace.settings import Settings


@click.command("plan", epilog=examples("option-a plan\noption-a plan --date 2026-11-23 --json"))
@click.option(
    "--date", type=Date(), help="The partition's date.  [default: today, UTC, plus each source's date_offset]"
)
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--fresh", is_flag=True, help="As `run --fresh` would.")
@json_option
@pipeline_options
def command(date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, settings: Settings) -> None:
    """Show the tasks that `run` would send, and why. Does nothing."""
    pipeline = open_pipeline(settings)
    asked = resolve_sources(pipeline, names)
    report_defaults(pipeline)
    partitions, planned = nightly(pipeline, asked, date, named=bool(names), fresh=fresh)
    if as_json:
        print_json(
            [
                {"source": item.task.source, "date": item.task.date, "fresh": item.task.fresh, "why": item.why}
                for item in planned
            ]
        )
        return
    if planned:
        click.echo(table(("source", "date", "why"), [(p.task.source, p.task.day, p.why) for p in planned]) + "\n")
    needless = _needless(pipeline, set(partitions) - {item.task.partition for item in planned})
    why = f": {tally(needless)}" if needless else ""
    click.echo(f"{plural(len(planned), 'task')} for {plural(len(partitions), 'partition')}{why}")


def _needless(pipeline: Pipeline, partitions: set[Partition]) -> Counter[str]:
    """What stands of the partitions that need no task."""
    known, queued, now = pipeline.summaries(), pipeline.queued(), pipeline.clock.now()
    return Counter("queued" if p in queued else partition_state(known.get(p), now) for p in sorted(partitions))
