"""`option-a verify`."""

from __future__ import annotations

import datetime as dt
import sys
from concurrent.futures import ThreadPoolExecutor

import click

from option_a.cli.options import Date, chosen, examples, json_option, place
from option_a.cli.pipeline import Pipeline, opened
from option_a.cli.render import emit, plain, plural, size
from option_a.home.wiring import Settings
from option_a.ingest.layout import Partition
from option_a.ingest.verify import Difference, Verified, strangers, verify

_READERS = 8


@click.command(
    "verify", epilog=examples("option-a verify\noption-a verify --source orders --from 2026-11-01 --to 2026-11-23")
)
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--from", "first", type=Date(), help="Just dates from this one.")
@click.option("--to", "last", type=Date(), help="Just dates up to this one, inclusive.")
@json_option
@place
def command(
    names: tuple[str, ...], first: dt.date | None, last: dt.date | None, as_json: bool, settings: Settings
) -> None:
    """Read every page again: presence, SHA-256, gzip, record count, and no object that the ledger does not have."""
    pipeline = opened(settings)
    known = set(pipeline.known())
    asked = set(chosen(pipeline, names)) if names else {partition.source for partition in known}
    wanted = sorted(
        p
        for p in known
        if p.source in asked and (first is None or p.date >= first) and (last is None or p.date <= last)
    )
    seen = Verified()
    differences = list(_read(pipeline, wanted, seen, quiet=as_json))
    if not names and first is None and last is None:
        differences += strangers(pipeline.lake, known)
    _report(wanted, seen, differences, as_json=as_json)


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


def _report(wanted: list[Partition], seen: Verified, differences: list[Difference], *, as_json: bool) -> None:
    if as_json:
        emit({"partitions": len(wanted), "read": seen, "differences": differences, "ok": not differences})
    else:
        for difference in differences:
            click.echo(f"{difference.what}: {plain(difference.message)}")
        verdict = "all as the ledger has it" if not differences else plural(len(differences), "difference")
        click.echo(
            f"{plural(len(wanted), 'partition')}, {plural(seen.pages, 'page')}, {plural(seen.records, 'record')}, "
            f"{size(seen.bytes)} read: {verdict}"
        )
        if any(difference.what != "manifest" for difference in differences):  # whose message says what to do
            click.echo("To mend a partition: option-a run --fresh --source NAME --date DATE")
    if differences:
        sys.exit(1)
