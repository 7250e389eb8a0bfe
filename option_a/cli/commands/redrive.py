"""`option-a redrive`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.open import open_pipeline, open_stack
from option_a.cli.options import Date, examples, load_options, pipeline_options
from option_a.cli.render import plural, print_json
from option_a.cli.run_tasks import run_tasks
from option_a.operations.redrive import plan_redrive
from option_a.operations.requests import resolve_sources
from option_a.workspace.settings import Settings


@click.command(
    "redrive",
    epilog=examples(
        """
        option-a redrive                                        # every failed partition
        option-a redrive orders --date 2026-11-23
        option-a redrive --cause http                           # `option-a dead` lists the causes
        option-a redrive --stack OptionAIngestionDemoPy --unreadable
        """
    ),
)
@click.argument("source", required=False)
@click.option("--date", type=Date(), help="Only this date.")
@click.option(
    "--cause", metavar="KIND", help="Only failures of this kind: http, body, pagination, total, patience, receives, …"
)
@click.option(
    "--unreadable",
    is_flag=True,
    help="With --stack: if a dead letter is unreadable, have SQS move back all of its queue, unchanged.",
)
@load_options
@pipeline_options
def command(
    source: str | None, date: dt.date | None, cause: str | None, unreadable: bool, as_json: bool, detach: bool,
    settings: Settings,
) -> None:  # fmt: skip
    """Load failed partitions again, as a new run. Failed manifests and dead letters say which.

    Landed pages are kept where they can be trusted, and the load resumes after them.
    """
    if unreadable:
        _move_unreadable(settings, source, as_json=as_json)
        return
    pipeline = open_pipeline(settings)
    names = resolve_sources(pipeline.sources, [source] if source else [])
    plan = plan_redrive(pipeline, names, date, cause)
    for partition in plan.past_snapshots:
        click.echo(f"{partition}: a past snapshot can no longer be taken; option-a run loads today's", err=True)
    run_tasks(pipeline, plan.planned, [], names, plan.letters, as_json=as_json, detach=detach)


def _move_unreadable(settings: Settings, source: str | None, *, as_json: bool) -> None:
    if settings.stack is None:
        raise click.UsageError("--unreadable is for --stack; on one machine: option-a dead --discard-unreadable")
    pipeline = open_stack(settings)
    letters = pipeline.move_unreadable(resolve_sources(pipeline.sources, [source] if source else []))
    if as_json:
        print_json({"unreadable": len(letters), "queues": sorted({letter.queue for letter in letters})})
        return
    click.echo(f"{plural(len(letters), 'unreadable letter')} being moved back to the queues")
