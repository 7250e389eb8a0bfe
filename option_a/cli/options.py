"""The options that every command shares, and the settings that they make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from option_a.ingest.summary import newest
from option_a.local.wiring import Local, Settings

F = TypeVar("F", bound=Callable[..., Any])
_DATE_FORM = "YYYY-MM-DD"


class Date(click.ParamType[dt.date]):
    """A date as ISO 8601 spells it."""

    name = _DATE_FORM

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            return self.fail(f"{value!r} is no date: write {_DATE_FORM}, as in 2026-11-23", param, ctx)


def place(command: F) -> F:
    """--sources, --lake and --home, with their environment variables."""
    for option in (
        click.option("--home", envvar="OPTION_A_HOME", default="./.option-a", show_default=True, metavar="DIR",
                     help="Where the queue and the caches live."),
        click.option("--lake", envvar="OPTION_A_LAKE", default="./lake", show_default=True, metavar="LAKE",
                     help="A folder, or s3://…, gs://…, az://…"),
        click.option("--sources", "sources_file", envvar="OPTION_A_SOURCES", metavar="FILE",
                     help="[default: sources.toml; the four mock sources where there is none]"),
    ):  # fmt: skip
        command = option(command)
    return command


def working(command: F) -> F:
    """The options of commands that load."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
        click.option("--workers", default=8, show_default=True, type=click.IntRange(1, 256), metavar="N",
                     help="Partitions that are loaded at once."),
        click.option("--durable", is_flag=True, help="Survive a power cut too: fsync every page before the ledger."),
    ):  # fmt: skip
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def local(sources_file: str | None, lake: str, home: str, *, durable: bool = False, workers: int = 8) -> Local:
    """The pipeline that the options describe."""
    return Local(Settings(sources=sources_file, lake=lake, home=home, durable=durable, workers=workers))


def chosen(pipeline: Local, names: Iterable[str]) -> list[str]:
    """The named sources, or all. A name that is none is the user's mistake."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in pipeline.sources:
            raise click.UsageError(f"no source `{name}`; there are: {', '.join(pipeline.sources)}")
    return wanted or list(pipeline.sources)


def not_ahead(pipeline: Local, date: dt.date) -> None:
    """Refuse a date that has not begun: what an API says of it is nothing, or a guess."""
    newest_date = max([pipeline.today(), *(newest(source, pipeline.today()) for source in pipeline.sources.values())])
    if date > newest_date:
        raise click.UsageError(f"{date} is in the future (it is {pipeline.today()}, UTC)")


def examples(text: str) -> str:
    """The epilog of a command: examples, kept line by line."""
    return "\b\nExamples:\n" + "\n".join("  " + line.strip() for line in text.strip().splitlines())
