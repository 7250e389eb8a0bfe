"""`option-a plan`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.notices import report_defaults, report_kept_real
from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, json_option, pipeline_options, run_date_option, sources_option
from option_a.cli.render import plural, print_json, table, tally
from option_a.operations.plan import LoadPlan, plan_run
from option_a.operations.requests import resolve_sources
from option_a.workspace.settings import Settings


@click.command("plan", epilog=examples("option-a plan\noption-a plan --date 2026-11-23 --json"))
@run_date_option
@sources_option
@click.option("--fresh", is_flag=True, help="Plan as `run --fresh` would.")
@json_option
@pipeline_options
def command(date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, settings: Settings) -> None:
    """Show the tasks that `run` would send, and why. Changes nothing."""
    pipeline = open_pipeline(settings)
    requested = resolve_sources(pipeline.sources, names)
    report_defaults(pipeline)
    plan = plan_run(pipeline, requested, date, named=bool(names), fresh=fresh)
    report_kept_real(plan.kept_real)
    if as_json:
        print_json([
            {"source": item.task.source, "date": item.task.date, "fresh": item.task.fresh, "why": item.why}
            for item in plan.planned
        ])  # fmt: skip
    else:
        _print(plan)


def _print(plan: LoadPlan) -> None:
    if plan.planned:
        rows = [(item.task.source, item.task.day, item.why) for item in plan.planned]
        click.echo(table(("source", "date", "why"), rows) + "\n")
    skipped = plan.skipped()
    why = f": {tally(skipped)}" if skipped else ""
    click.echo(f"{plural(len(plan.planned), 'task')} for {plural(len(plan.partitions), 'partition')}{why}")
