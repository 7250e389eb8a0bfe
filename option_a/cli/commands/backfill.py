"""`option-a backfill`."""

from __future__ import annotations

import datetime as dt
from typing import cast

import click

from option_a.cli.notices import report_defaults, report_kept_real, report_not_attempted
from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, from_option, load_options, pipeline_options, sources_option, to_option
from option_a.cli.run_tasks import run_tasks
from option_a.ingest.plan import Only
from option_a.operations.backfill import plan_backfill
from option_a.operations.requests import DateRange, resolve_sources
from option_a.workspace.settings import Settings

_ONLY = ("missing", "incomplete", "failed", "all")


@click.command(
    "backfill",
    epilog=examples(
        """
        option-a backfill --from 2026-11-01 --to 2026-11-23
        option-a backfill --from 2026-11-01 --to 2026-11-23 --source orders --only failed
        option-a backfill --from 2026-11-01 --to 2026-11-23 --only all    # reload every date
        """
    ),
)
@from_option
@to_option
@sources_option
@click.option("--only", type=click.Choice(_ONLY), default="missing", show_default=True,
              help="Only partitions in this state; `all` also reloads complete ones.")  # fmt: skip
@load_options
@pipeline_options
def command(
    first: dt.date, last: dt.date, names: tuple[str, ...], only: str, as_json: bool, detach: bool, settings: Settings
) -> None:
    """Load a range of past dates, newest first.

    Snapshots (sources without dates) and dates before a source's `since` are skipped.
    """
    dates = DateRange(first, last)
    pipeline = open_pipeline(settings)
    requested = resolve_sources(pipeline.sources, names)
    report_defaults(pipeline)
    plan = plan_backfill(pipeline, requested, dates, cast(Only, only), named=names)
    report_kept_real(plan.kept_real)
    report_not_attempted(plan.not_attempted)
    run_tasks(pipeline, plan.planned, plan.reported, requested, as_json=as_json, detach=detach)
