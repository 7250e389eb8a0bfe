"""The options that commands share, and the settings that they make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from option_a.ingest.errors import InvalidRequest
from option_a.ingest.partition import EARLIEST
from option_a.ingest.secrets import Reference
from option_a.workspace.settings import DEFAULT_HOME, DEFAULT_LAKE, WORKERS, Settings, no_aws_secrets

F = Callable[..., Any]
_DATE_FORMAT = "YYYY-MM-DD"


class Date(click.ParamType[dt.date]):
    """An ISO 8601 date."""

    name = _DATE_FORMAT

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            date = dt.date.fromisoformat(value)
        except ValueError:
            date = dt.date.min
        if date < EARLIEST:
            self.fail(f"{value!r} is not a valid date: write {_DATE_FORMAT}, as in 2026-11-23", param, ctx)
        return date


_STACK = click.option(
    "--stack", envvar="OPTION_A_STACK", metavar="NAME", help="Act on this stack on AWS, which has its own lake."
)
_LOCATION = (
    click.option("--home", envvar="OPTION_A_HOME", default=DEFAULT_HOME, show_default=True, metavar="DIR",
                 help="The folder of the queue and the caches."),
    click.option("--lake", envvar="OPTION_A_LAKE", default=DEFAULT_LAKE, show_default=True, metavar="LAKE",
                 help="The lake: a folder, or s3://…, gs://…, az://…"),
    click.option("--sources", envvar="OPTION_A_SOURCES", metavar="FILE",
                 help="The file that declares the sources.  [default: sources.toml; if missing, four mock sources]"),
)  # fmt: skip
_LOADING = (
    click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
    click.option("--detach", is_flag=True, help="With --stack: send the tasks and return without waiting for them."),
    click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1, 256), metavar="N",
                 help="Partitions to load at once."),
    click.option("--durable", is_flag=True, help="Survive power failures too: fsync each page before the manifest."),
)  # fmt: skip
_SETTINGS = ("sources", "lake", "home", "stack", "durable", "workers")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
sources_option = click.option("--source", "names", multiple=True, metavar="NAME", help="Only this source; repeatable.")
from_option = click.option("--from", "first", type=Date(), required=True, help="The first date.")
to_option = click.option("--to", "last", type=Date(), required=True, help="The last date, inclusive.")
run_date_option = click.option(
    "--date", type=Date(), help="The date to load.  [default: today (UTC) plus each source's date_offset]"
)
request_date_option = click.option(
    "--date", type=Date(), help="The date to request.  [default: the one that a run would load today]"
)


def local_options(command: F) -> F:
    """--sources, --lake and --home, with their environment variables; the command takes them as `settings`."""
    return _with(_LOCATION, _with_settings(command))


def pipeline_options(command: F) -> F:
    """The same and --stack."""
    return _with((_STACK, *_LOCATION), _with_settings(command))


def load_options(command: F) -> F:
    """The options of commands that load; goes above `pipeline_options`."""
    return _with(_LOADING, command)


def examples(text: str) -> str:
    """The epilog of a command: examples, kept line by line."""
    return "\b\nExamples:\n" + "\n".join("  " + line.strip() for line in text.strip().splitlines())


def _with(options: Iterable[F], command: F) -> F:
    for option in options:
        command = option(command)
    return command


def _with_settings(command: F) -> F:
    """The command, called with `settings` instead of the options that make them."""

    @wraps(command)
    def with_settings(**options: Any) -> Any:
        given = {key: options.pop(key) for key in _SETTINGS if key in options}
        _check_stack_options(given.get("stack"), detach=options.get("detach", False))
        try:
            return command(settings=Settings(**given, aws_secrets=_read_aws_secret, note=_note), **options)
        except InvalidRequest as error:
            raise click.UsageError(error.what) from None

    return with_settings


def _check_stack_options(stack: str | None, *, detach: bool) -> None:
    source = click.get_current_context().get_parameter_source
    if stack is not None and source("lake") is ParameterSource.COMMANDLINE:
        raise click.UsageError(f"the stack {stack} has its own lake: omit --lake, or --stack (OPTION_A_STACK)")
    for option in ("workers", "durable"):
        if stack is not None and source(option) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{option} applies to one machine only: the stack {stack} has its own workers")
    if stack is None and detach:
        raise click.UsageError("--detach needs --stack: on one machine, this command does the work")


def _note(text: str) -> None:
    click.echo(text, err=True)


def _read_aws_secret(wanted: Reference) -> str:
    """Read a secret from AWS Secrets Manager, if boto3 is installed."""
    try:
        from option_a.aws.stack.session import secrets
    except ImportError:
        return no_aws_secrets(wanted)
    return secrets(Settings().env.get("AWS_REGION"))(wanted)
