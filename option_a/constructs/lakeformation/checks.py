"""What is refused of groups before anything is deployed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from option_a.constructs.catalog import database_name
from option_a.constructs.switches import Switches
from option_a.ingest.config import Source
from option_a.ingest.errors import ConfigError
from option_a.lakeformation.grants import tables
from option_a.lakeformation.groups import Group, Groups

MOST_GROUPS = 40
LONGEST_TABLES = 7_500
"""Characters of a role's inline policies (of 10,240 in all) that the ARNs of tables may take."""
_ARN = 60
"""Characters of a table's ARN beside database and name, and of the quotes round it."""


def check_access(groups: Groups, sources: Mapping[str, Source], switches: Switches) -> None:
    """Raises ConfigError for the first thing that cannot work."""
    if len(groups) > MOST_GROUPS:
        raise ConfigError(f"{len(groups)} groups are more than the {MOST_GROUPS} that one stack holds")
    for group in groups.values():
        _check_tables(group, sources, database_name(switches.stack))


def check_administrator(switches: Switches) -> None:
    """Raises ConfigError where nobody could get back in, or where somebody is named for nothing."""
    if switches.lakeFormation == "enforce" and switches.lakeFormationAdmin is None:
        raise ConfigError(
            "-c lakeFormation=enforce removes IAM's rights and names nobody who could restore them",
            hint="-c lakeFormationAdmin=ARN names a user or a role; LAKE_FORMATION_SETUP.md",
        )
    if switches.lakeFormation == "off" and switches.lakeFormationAdmin is not None:
        raise ConfigError(
            "-c lakeFormationAdmin names an administrator, and Lake Formation is off",
            hint="add -c lakeFormation=hybrid, or leave it out",
        )


def _check_tables(group: Group, sources: Mapping[str, Source], database: str) -> None:
    mine = tables(group, sources) or []
    if sum(_ARN + len(database) + len(name) for name in mine) > LONGEST_TABLES:
        raise ConfigError(
            f"[groups.{group.name}] sees {len(mine)} tables, more than one role can be allowed by name",
            hint='share them out among groups, or write sources = "*" where it may see all',
        )
