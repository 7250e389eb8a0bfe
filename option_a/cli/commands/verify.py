"""`option-a verify`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import click

from option_a.cli.open import open_pipeline
from option_a.cli.options import Date, examples, json_option, pipeline_options, sources_option
from option_a.cli.render import plural, print_json, printable, size, tally
from option_a.ingest.lake import Lake
from option_a.ingest.manifest import Difference, Verified, unknown_objects, verify_partition
from option_a.ingest.partition import Partition
from option_a.operations.requests import resolve_sources
from option_a.operations.verify import VerifyScope, verify_scope
from option_a.workspace.settings import Settings

_READERS = 8


@click.command(
    "verify", epilog=examples("option-a verify\noption-a verify --source orders --from 2026-11-01 --to 2026-11-23")
)
@sources_option
@click.option("--from", "first", type=Date(), help="Only from this date on.")
@click.option("--to", "last", type=Date(), help="Only up to this date, inclusive.")
@json_option
@pipeline_options
def command(
    names: tuple[str, ...], first: dt.date | None, last: dt.date | None, as_json: bool, settings: Settings
) -> None:
    """Reread every page and compare it with its manifest: presence, SHA-256, gzip, record count.

    Objects that no manifest lists are reported too. Exit code 1 if anything differs.
    """
    pipeline = open_pipeline(settings)
    requested = resolve_sources(pipeline.sources, names)
    scope, totals = verify_scope(pipeline, requested, first, last, named=bool(names)), Verified()
    differences = _verify(pipeline.lake, scope.partitions, totals, quiet=as_json)
    if scope.whole_lake:
        differences += unknown_objects(pipeline.lake, set(scope.known))
    if as_json:
        print_json({
            "partitions": len(scope.partitions), "states": scope.states, "read": totals, "differences": differences,
            "ok": not differences,
        })  # fmt: skip
    else:
        _print(scope, totals, differences)
    if differences:
        sys.exit(1)


def _verify(lake: Lake, partitions: Sequence[Partition], totals: Verified, *, quiet: bool) -> list[Difference]:
    differences: list[Difference] = []
    shows_progress = sys.stderr.isatty() and not quiet
    with ThreadPoolExecutor(_READERS) as readers:
        for number, partition in enumerate(partitions, 1):
            if shows_progress:
                done = f"{number} of {len(partitions)} partitions, {plural(totals.pages, 'page')}"
                click.echo(f"\r{done} ", nl=False, err=True)
            differences += verify_partition(lake, partition, totals, readers)
    if shows_progress:
        click.echo("\r" + " " * 60 + "\r", nl=False, err=True)
    return differences


def _print(scope: VerifyScope, totals: Verified, differences: Sequence[Difference]) -> None:
    for difference in differences:
        click.echo(f"{difference.what}: {printable(difference.message)}")
    complete, others = scope.states["complete"], {s: n for s, n in sorted(scope.states.items()) if s != "complete"}
    partitions = f"{plural(complete, 'partition')} complete" if others else plural(len(scope.partitions), "partition")
    verdict = plural(len(differences), "difference") if differences else "all as the manifest has it"
    unfinished = f"; {tally(others)}: option-a status" if others else ""
    click.echo(
        f"{partitions}, {plural(totals.pages, 'page')}, {plural(totals.records, 'record')}, "
        f"{size(totals.bytes)} read: {verdict}{unfinished}"
    )
    if any(difference.what != "manifest" for difference in differences):  # those messages contain their own advice
        click.echo("To repair a partition: option-a run --fresh --source NAME --date DATE")
