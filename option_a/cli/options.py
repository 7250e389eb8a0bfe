"""The options that every command shares, and the settings that they make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from option_a.cli.pipeline import Pipeline
from option_a.ingest.partition import EARLIEST
from option_a.ingest.plan.summary import latest_date
from option_a.ingest.secrets import Reference
from option_a.workspace.settings import DEFAULT_HOME, DEFAULT_LAKE, WORKERS, Settings, no_aws_secrets

F = Callable[..., Any]
_DATE_FORM = "YYYY-MM-DD"


class Date(click.ParamType[dt.date]):
    """A date as ISO 8601 spells it."""

    name = _DATE_FORM

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            date = dt.date.fromisoformat(value)
        except ValueError:
            date = dt.date.min
        if date < EARLIEST:
            self.fail(f"{value!r} is no date: write {_DATE_FORM}, as in 2026-11-23", param, ctx)
        return date


_STACK = click.option(
    "--stack", envvar="OPTION_A_STACK", metavar="NAME", help="Act on this stack on AWS; its lake is the stack's."
)
_PLACE = (
    click.option("--home", envvar="OPTION_A_HOME", default=DEFAULT_HOME, show_default=True, metavar="DIR",
                 help="Where the queue and the caches live."),
    click.option("--lake", envvar="OPTION_A_LAKE", default=DEFAULT_LAKE, show_default=True, metavar="LAKE",
                 help="A folder, or s3://…, gs://…, az://…"),
    click.option("--sources", envvar="OPTION_A_SOURCES", metavar="FILE",
                 help="[default: sources.toml; the four mock sources where there is none]"),
)  # fmt: skip
_WORKING = (
    click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
    click.option("--detach", is_flag=True, help="With --stack: send the tasks, and do not wait for their end."),
    click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1, 256), metavar="N",
                 help="Partitions that are loaded at once."),
    click.option("--durable", is_flag=True, help="Survive a power cut too: fsync every page before the ledger."),
)  # fmt: skip
_SETTINGS = ("sources", "lake", "home", "stack", "durable", "workers")


def local_options(command: F) -> F:
    """--sources, --lake and --home, with their environment variables; the command takes them as `settings`."""
    return _with(_PLACE, _with_settings(command))


def pipeline_options(command: F) -> F:
    """The same, and --stack."""
    return _with((_STACK, *_PLACE), _with_settings(command))


def load_options(command: F) -> F:
    """The options of commands that load; above `place`."""
    return _with(_WORKING, command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def resolve_sources(pipeline: Pipeline, names: Iterable[str]) -> list[str]:
    """The named sources, or all. A name that is none is the user's mistake."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in pipeline.sources:
            raise click.UsageError(f"no source `{name}`; there are: {', '.join(pipeline.sources)}")
    return wanted or list(pipeline.sources)


def reject_future(pipeline: Pipeline, date: dt.date) -> None:
    """Refuse a date that has not begun: what an API says of it is nothing, or a guess."""
    newest_date = max(
        [pipeline.today(), *(latest_date(source, pipeline.today()) for source in pipeline.sources.values())]
    )
    if date > newest_date:
        raise click.UsageError(f"{date} is in the future (it is {pipeline.today()}, UTC)")


def examples(text: str) -> str:
    """The epilog of a command: examples, kept line by line."""
    return "\b\nExamples:\n" + "\n".join("  " + line.strip() for line in text.strip().splitlines())


def _with(options: Iterable[F], command: F) -> F:
    for option in options:
        command = option(command)
    return command


def _with_settings(command: F) -> F:
    """The command, given `settings` in place of the options that make them."""

    @wraps(command)
    def settled(**given: Any) -> Any:
        wanted = {key: given.pop(key) for key in _SETTINGS if key in given}
        _check(wanted.get("stack"), detach=given.get("detach", False))
        return command(settings=Settings(**wanted, aws_secrets=_managed, note=_note), **given)

    return settled


def _check(stack: str | None, *, detach: bool) -> None:
    source = click.get_current_context().get_parameter_source
    if stack is not None and source("lake") is ParameterSource.COMMANDLINE:
        raise click.UsageError(
            f"the stack {stack} has a lake of its own: leave out --lake, or --stack (OPTION_A_STACK)"
        )
    for option in ("workers", "durable"):
        if stack is not None and source(option) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{option} is for one machine: the stack {stack} has workers of its own")
    if stack is None and detach:
        raise click.UsageError("--detach is for --stack: on one machine nobody else would do the work")


def _note(text: str) -> None:
    click.echo(text, err=True)


def _managed(wanted: Reference) -> str:
    """A secret of AWS Secrets Manager, where the library for it is installed."""
    try:
        from option_a.aws.stack.session import secrets
    except ImportError:
        return no_aws_secrets(wanted)
    return secrets(Settings().env.get("AWS_REGION"))(wanted)
