"""`option-a lf`: who may read what on AWS, as declared and as it is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from option_a.cli.open import open_local
from option_a.cli.options import examples, json_option, local_options, pipeline_options
from option_a.cli.render import plural, print_json, printable, table
from option_a.ingest.config import Sources
from option_a.ingest.errors import ConfigError, Where
from option_a.lakeformation.explain import TableAccess, explain, who
from option_a.lakeformation.groups import Groups
from option_a.lakeformation.read import FILE, read_access
from option_a.names import DEFAULT_STACK
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.lakeformation.account import AccountFacts
    from option_a.lakeformation.doctor import Finding

_access = click.option(
    "--access", envvar="OPTION_A_ACCESS", metavar="FILE", help=f"[default: {FILE}; two groups where there is none]"
)


@click.group("lf", epilog=examples("option-a lf explain analysts-limited\noption-a lf doctor --json"))
def command() -> None:
    """Who may read what on AWS: groups of analysts, by Lake Formation. See LAKE_FORMATION_SETUP.md."""


@command.command(
    "doctor", epilog=examples("option-a lf doctor\noption-a lf doctor --stack OptionAIngestionDemoPy --json")
)
@json_option
@_access
@pipeline_options
def doctor(as_json: bool, access: str | None, settings: Settings) -> None:
    """Look at the account's Lake Formation, and say what is missing and which command mends it. Changes nothing.

    Exit code 1 where something is missing or wrong.
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
    """What a group can and cannot see, table by table, and why. Asks nobody: it reads access.toml and sources.toml."""
    sources = open_local(settings).sources
    groups = _groups(access, sources)
    if name not in groups:
        raise click.UsageError(f"no group `{name}`; there are: {', '.join(groups)}")
    lines = explain(groups[name], sources)
    if as_json:
        print_json({"group": name, "who": who(groups[name]), "tables": lines})
        return
    click.echo(f"{name}: {who(groups[name])}\n")
    rows = [(line.source, line.table, "yes" if line.seen else "no", _part(line), line.why) for line in lines]
    click.echo(table(("source", "table", "seen", "what of it", "why"), rows))
    if groups[name].sources == "*" and not groups[name].limited:
        click.echo("\nAnd every other table of the database, the crawler's among them.")


def _groups(access: str | None, sources: Sources) -> Groups:
    path = Path(access or FILE)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if access is None:
            return read_access(None, sources)
        raise ConfigError("no such file", hint="name another with --access", where=_at(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=_at(path)) from None
    return read_access(text, sources, str(path))


def _at(path: Path) -> Where:
    return Where(file=str(path))


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
