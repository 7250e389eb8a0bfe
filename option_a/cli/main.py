"""The command `option-a` and its table of commands. A command's module is imported only when it runs."""

from __future__ import annotations

import importlib
import sys

import click

from option_a import __version__
from option_a.cli.render import beginning, printable
from option_a.ingest.errors import OptionAError, UserError
from option_a.ingest.suggest import closest

_COMMANDS = {
    "run": ("run", "Load today's partitions and finish queued tasks."),
    "backfill": ("backfill", "Load a range of past dates, newest first."),
    "plan": ("plan", "Show what `run` would load, and why. Changes nothing."),
    "status": ("status", "Show what has landed, what is missing and what is queued."),
    "logs": ("logs", "Show the attempts to load one partition."),
    "verify": ("verify", "Reread the lake and compare it with the manifests."),
    "add": ("add", "Inspect an API and print its table for sources.toml."),
    "doctor": ("doctor", "Check a source's table against its API."),
    "preview": ("preview", "Fetch one page and show its records. Lands nothing."),
    "query": ("query", "Query the lake with SQL: DuckDB, or Athena with --stack."),
    "check": ("check", "Validate the configuration and show what the next run loads."),
    "dead": ("dead", "List dead letters: failed tasks and their causes."),
    "redrive": ("redrive", "Reload failed partitions."),
    "cancel": ("cancel", "Remove queued tasks."),
    "lf": ("lakeformation", "Show who may read what on AWS (Lake Formation)."),
    "mock-api": ("mock_api", "Serve the mock data over HTTP."),
    "completion": ("completion", "Print a shell completion script."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"option_a.cli.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and (close := closest(args[0], _COMMANDS)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{close}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='\b\nStart with:\n  option-a run\n  option-a status\n  option-a query "SELECT count(*) FROM api_a"',
)
@click.version_option(__version__, prog_name="option-a")
def cli() -> None:
    """Land every page of your REST APIs in a data lake, and prove that nothing is missing.

    Exit codes: 0 everything requested is complete, 1 a partition failed or is not complete, 2 a mistake in the
    command or the configuration, 130 interrupted. To check everything declared: option-a status --check.
    """


def main() -> None:
    """The entry point. Expected errors are printed as messages, without a traceback."""
    try:
        cli(prog_name="option-a")
    except OptionAError as error:
        place = f"{error.where}: " if str(error.where) else ""
        for line in f"error: {place}{error.what}".splitlines():
            click.echo(printable(line), err=True)
        if error.hint:
            click.echo(f"  {printable(error.hint)}", err=True)
        if error.body:
            click.echo(f"  the body begins: {beginning(error.body)}", err=True)
        sys.exit(2 if isinstance(error, UserError) else 1)


if __name__ == "__main__":
    main()
