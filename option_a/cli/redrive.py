"""`option-a redrive`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import Date, chosen, examples, local, place, working
from option_a.cli.working import work_off
from option_a.ingest.layout import Partition
from option_a.ingest.plan import Planned
from option_a.ingest.task import Task
from option_a.local.wiring import Local


@click.command(
    "redrive",
    epilog=examples(
        """
        option-a redrive                      # everything that has failed
        option-a redrive orders --date 2026-11-23
        option-a redrive --cause http         # causes: option-a dead
        """
    ),
)
@click.argument("source", required=False)
@click.option("--date", type=Date(), help="Just this date.")
@click.option(
    "--cause", metavar="KIND", help="Just this kind of cause: http, body, pagination, total, patience, receives, …"
)
@working
@place
def command(
    source: str | None, date: dt.date | None, cause: str | None, as_json: bool, workers: int, durable: bool,
    sources_file: str | None, lake: str, home: str,
) -> None:  # fmt: skip
    """Load again what has failed, from the failed manifests and the dead letters, as a new run.

    What had landed stays where it can be trusted, and the load goes on from there.
    """
    pipeline = local(sources_file, lake, home, durable=durable, workers=workers)
    names = chosen(pipeline, [source] if source else [])
    run, failed = pipeline.new_run(), _failed(pipeline, names, date, cause)
    gone = [p for p in failed if pipeline.sources[p.source].snapshot and p.date != pipeline.today()]
    for partition in gone:
        click.echo(f"{partition}: a past snapshot cannot be taken any more; option-a run takes today's", err=True)
    planned = [Planned(Task(p.source, p.date, run), "failed") for p in failed if p not in gone]
    letters = [letter for letter in pipeline.dead_letters() if letter.task and letter.task.partition in failed]
    work_off(pipeline, planned, [item.task.partition for item in planned], names, letters, as_json=as_json)


def _failed(pipeline: Local, names: list[str], date: dt.date | None, cause: str | None) -> list[Partition]:
    """The partitions to send again: a letter's, or a failed manifest's, that fit the wishes."""
    causes: dict[Partition, set[str]] = {}
    for partition, summary in pipeline.known().items():
        if summary.state == "failed":
            causes.setdefault(partition, set()).add(summary.cause_kind or "")
    for letter in pipeline.dead_letters():
        if letter.task is not None:
            causes.setdefault(letter.task.partition, set()).add(letter.cause.kind)
    return sorted(
        partition
        for partition, kinds in causes.items()
        if partition.source in names and date in (None, partition.date) and (cause is None or cause in kinds)
    )
