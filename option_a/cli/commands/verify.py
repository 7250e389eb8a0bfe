"""`option-a verify`."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import click

from option_a.cli.options import Date, examples, json_option, pipeline_options, resolve_sources
from option_a.cli.pipeline import Pipeline, open_pipeline
from option_a.cli.render import plural, print_json, printable, size, tally
from option_a.ingest.manifest.verify import Difference, Verified, unknown_objects, verify
from option_a.ingest.partition import Partition
from option_a.ingest.plan.freshness import unfinished
from option_a.ingest.plan.plan import Summaries
from option_a.ingest.plan.summary import partition_state
from option_a.workspace.settings import Settings

_READERS = 8


@click.command(
    "verify", epilog=examples("option-a verify\noption-a verify --source orders --from 2026-11-01 --to 2026-11-23")
)
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--from", "first", type=Date(), help="Just dates from this one.")
@click.option("--to", "last", type=Date(), help="Just dates up to this one, inclusive.")
@json_option
@pipeline_options
def command(
    names: tuple[str, ...], first: dt.date | None, last: dt.date | None, as_json: bool, settings: Settings
) -> None:
    """Read every page again: presence, SHA-256, gzip, record count, and no object that the ledger does not have."""
    pipeline = open_pipeline(settings)
    declared, known = resolve_sources(pipeline, names), pipeline.summaries()

    def asked(partition: Partition) -> bool:
        after, before = first is None or partition.date >= first, last is None or partition.date <= last
        return after and before and (not names or partition.source in declared)

    wanted = sorted(filter(asked, known))
    states = _states(pipeline, declared, known, asked)
    seen = Verified()
    differences = list(_read(pipeline, wanted, seen, quiet=as_json))
    if not names and first is None and last is None:
        differences += unknown_objects(pipeline.lake, set(known))
    _report(wanted, states, seen, differences, as_json=as_json)


def _states(
    pipeline: Pipeline, declared: list[str], known: Summaries, asked: Callable[[Partition], bool]
) -> Counter[str]:
    """How many of the partitions that are asked for stand how; `open` is complete as well."""
    now = pipeline.clock.now()
    missing = unfinished([pipeline.sources[name] for name in declared], pipeline.today(), known, now)
    states = Counter[str](partition_state(known.get(p), now) for p in filter(asked, sorted({*known, *missing})))
    states["complete"] += states.pop("open", 0)
    return states


def _read(pipeline: Pipeline, wanted: list[Partition], seen: Verified, *, quiet: bool) -> list[Difference]:
    found: list[Difference] = []
    show = sys.stderr.isatty() and not quiet
    with ThreadPoolExecutor(_READERS) as readers:
        for number, partition in enumerate(wanted, 1):
            if show:
                click.echo(f"\r{number} of {len(wanted)} partitions, {plural(seen.pages, 'page')} ", nl=False, err=True)
            found += verify(pipeline.lake, partition, seen, readers)
    if show:
        click.echo("\r" + " " * 60 + "\r", nl=False, err=True)
    return found


def _report(
    wanted: list[Partition], states: Counter[str], seen: Verified, differences: list[Difference], *, as_json: bool
) -> None:
    if as_json:
        print_json({"partitions": len(wanted), "states": states, "read": seen, "differences": differences,
              "ok": not differences})  # fmt: skip
    else:
        for difference in differences:
            click.echo(f"{difference.what}: {printable(difference.message)}")
        verdict = "all as the ledger has it" if not differences else plural(len(differences), "difference")
        others = {state: count for state, count in sorted(states.items()) if state != "complete"}
        partitions = (
            f"{plural(states['complete'], 'partition')} complete" if others else plural(len(wanted), "partition")
        )
        beside = f"; {tally(others)}: option-a status" if others else ""
        click.echo(
            f"{partitions}, {plural(seen.pages, 'page')}, {plural(seen.records, 'record')}, "
            f"{size(seen.bytes)} read: {verdict}{beside}"
        )
        if any(difference.what != "manifest" for difference in differences):  # whose message says what to do
            click.echo("To mend a partition: option-a run --fresh --source NAME --date DATE")
    if differences:
        sys.exit(1)
