"""`option-a lf`: who may read what on AWS, as declared and as the account has it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from option_a.cli.open import open_local
from option_a.cli.options import examples, json_option, local_options, pipeline_options
from option_a.cli.render import plural, print_json, printable, table
from option_a.ingest.config import Sources
from option_a.ingest.errors import ConfigError
from option_a.lakeformation.explain import TableAccess, explain, who
from option_a.lakeformation.groups import Groups
from option_a.lakeformation.read import FILE, read_access
from option_a.names import DEFAULT_STACK
from option_a.workspace.settings import Settings
from option_a.workspace.text_file import read_text

if TYPE_CHECKING:
    from option_a.lakeformation.account import AccountFacts
    from option_a.lakeformation.doctor import Finding

_access = click.option(
    "--access", envvar="OPTION_A_ACCESS", metavar="FILE",
    help=f"The file that declares the groups.  [default: {FILE}; if missing, two groups]",
)  # fmt: skip


@click.group("lf", epilog=examples("option-a lf explain analysts-limited\noption-a lf doctor --json"))
def command() -> None:
    """Show who may read what on AWS: groups of analysts in Lake Formation. See LAKE_FORMATION_SETUP.md."""


@command.command(
    "doctor", epilog=examples("option-a lf doctor\noption-a lf doctor --stack OptionAIngestionDemoPy --json")
)
@json_option
@_access
@pipeline_options
def doctor(as_json: bool, access: str | None, settings: Settings) -> None:
    """Compare the account with the declared groups.

    Shows what is missing or wrong, and the command that fixes it. Changes nothing. Exit code 1 if there is anything to
    fix.
    """
    from option_a.lakeformation.doctor import diagnose

    sources = open_local(settings).sources
    groups, stack = _groups(access, sources), settings.stack or DEFAULT_STACK
    found = diagnose(_facts(settings, stack), stack, groups, sources)
    if as_json:
        print_json(found)
    else:
        _print_findings(found)
    sys.exit(1 if any(one.fix and one.state != "note" for one in found) else 0)


@command.command(
    "explain", epilog=examples("option-a lf explain analysts-limited\noption-a lf explain analysts-all --json")
)
@click.argument("name", metavar="GROUP")
@json_option
@_access
@local_options
def explain_command(name: str, as_json: bool, access: str | None, settings: Settings) -> None:
    """Show what a group can read of each table, and why.

    Reads only access.toml and sources.toml. Sends no request.
    """
    sources = open_local(settings).sources
    groups = _groups(access, sources)
    if name not in groups:
        raise click.UsageError(f"no group `{name}`; declared: {', '.join(groups)}")
    lines = explain(groups[name], sources)
    if as_json:
        print_json({"group": name, "who": who(groups[name]), "tables": lines})
        return
    click.echo(f"{name}: {who(groups[name])}\n")
    rows = [(line.source, line.table, "yes" if line.seen else "no", _part(line), line.why) for line in lines]
    click.echo(table(("source", "table", "readable", "what", "why"), rows))
    if groups[name].sources == "*" and not groups[name].limited:
        click.echo("\nAlso every other table of the database, including the crawler's.")


def _groups(access: str | None, sources: Sources) -> Groups:
    path = Path(access or FILE)
    return read_access(read_text(path, "--access", required=access is not None), sources, str(path))


def _facts(settings: Settings, stack: str) -> AccountFacts:
    try:
        import boto3  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        raise ConfigError("option-a lf doctor needs boto3", hint="pip install -r requirements.txt") from None
    from option_a.aws.lakeformation.read_account import read_facts
    from option_a.aws.stack.session import Session

    return read_facts(Session(settings.env.get("AWS_REGION")), stack)


def _print_findings(found: list[Finding]) -> None:
    for one in found:
        click.echo(f"{one.state:8}{one.about:16}{printable(one.what)}")
        if one.fix:
            click.echo(f"{'':24}{printable(one.fix)}")
    bad = [one for one in found if one.state in ("missing", "wrong")]
    click.echo(f"\n{plural(len(bad), 'thing')} to fix" if bad else "\nOK: nothing to fix")


def _part(line: TableAccess) -> str:
    if not line.seen:
        return ""
    hidden = f"without {', '.join(line.hidden)}" if line.hidden else "all columns" if line.columns else "whole records"
    return hidden + (f", where {line.rows}" if line.rows else "")
