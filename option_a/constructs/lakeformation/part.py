"""Lake Formation's part of the pipeline's stack, in the one order that works.

Tables, then grants; then the keeper, which takes IAM's own grants away before the location is Lake Formation's, so that
no group sees too much for a moment; then the location; and at last who may make tables over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from aws_cdk import CfnOutput, NestedStack, Stack
from aws_cdk import aws_glue as glue
from constructs import Construct

from option_a.constructs.catalog import Catalog
from option_a.constructs.functions import Functions
from option_a.constructs.lake import Lake
from option_a.constructs.lakeformation.admins import executor
from option_a.constructs.lakeformation.analysts import Analysts
from option_a.constructs.lakeformation.grants import Grants
from option_a.constructs.lakeformation.nag_suppressions import entries
from option_a.constructs.lakeformation.reconciler import Keeper
from option_a.constructs.lakeformation.registration import Registration
from option_a.constructs.nag_suppressions import acknowledge
from option_a.constructs.source_groups import SourceGroups
from option_a.constructs.switches import Switches
from option_a.ingest.config import Source
from option_a.lakeformation import grants as said
from option_a.lakeformation.groups import Group, Groups
from option_a.lakeformation.tables import table_names

MOST_IN_ROOT = 60
"""Grants to analysts that the root holds; beyond, each group has a nested stack."""


class LakeFormation(Construct):
    """Groups, their roles and workgroups, and what Lake Formation is told of them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        groups: Groups,
        sources: Mapping[str, Source],
        switches: Switches,
        lake: Lake,
        catalog: Catalog,
        functions: Functions,
        tables: SourceGroups,
    ) -> None:
        super().__init__(scope, id)
        self._catalog, self._groups, self._sources = catalog, groups, sources
        registration = Registration(self, "Registration", lake=lake, mode=switches.lakeFormation)
        self._place = registration.place
        members = self._members(lake, switches)
        self._principals = {said.group_principal(name): one.role.role_arn for name, one in members.items()}
        keeper = self._keeper(functions, switches)
        self._principals |= {
            said.EXECUTOR: executor(Stack.of(self)), said.KEEPER: keeper.arn, said.CRAWLER: catalog.crawler.role
        }  # fmt: skip
        grants = said.permissions(groups, sources, switches.lakeFormation)
        _in_order(
            [catalog.database, *(one for one in tables.node.find_all() if isinstance(one, glue.CfnTable))],
            [self._grants(self, "Pipeline", [one for one in grants if _of_pipeline(one) and not _of_place(one)])],
            self._granted(grants),
            [keeper.resource],
            [registration.location],
            [self._grants(self, "Located", [one for one in grants if _of_place(one)])],
        )
        CfnOutput(
            self, "Mode", value=switches.lakeFormation, description="Who decides who may read what"
        ).override_logical_id("LakeFormation")
        acknowledge(entries(lake, catalog, registration, keeper, list(members.values())))

    def _keeper(self, functions: Functions, switches: Switches) -> Keeper:
        return Keeper(
            self,
            "Keeper",
            catalog=self._catalog,
            functions=functions,
            switches=switches,
            opt_ins=said.opt_ins(self._groups, self._sources, switches.lakeFormation),
            principals=self._principals,
            tables=[name for source in self._sources.values() for name in table_names(source)],
        )

    def _members(self, lake: Lake, switches: Switches) -> dict[str, Analysts]:
        members = {}
        for name, group in self._groups.items():
            members[name] = Analysts(
                self,
                group.logical_id,
                group=group,
                tables=said.tables(group, self._sources),
                lake=lake,
                catalog=self._catalog,
                switches=switches,
            )
            self._outputs(group, members[name])
        return members

    def _granted(self, grants: Sequence[said.Grant]) -> list[Construct]:
        """The grants of each group; where there are many, in a nested stack of its own."""
        nested = sum(not _of_pipeline(one) for one in grants) > MOST_IN_ROOT
        made: list[Construct] = []
        for name, group in self._groups.items():
            mine = [one for one in grants if said.group_of(one.who) == name]
            home = NestedStack(self, f"{group.logical_id}Grants") if nested else self
            made.append(self._grants(home, "Grants" if nested else f"{group.logical_id}Grants", mine))
        return made

    def _grants(self, scope: Construct, id: str, some: list[said.Grant]) -> Grants:
        return Grants(
            scope, id, grants=some, principals=self._principals, database=self._catalog.name, place=self._place
        )

    def _outputs(self, group: Group, members: Analysts) -> None:
        found = {"Role": members.role.role_arn, "Workgroup": members.workgroup.name}
        for what, value in found.items():
            name = f"{what}{group.logical_id}"
            CfnOutput(self, name, value=value, description=f"Of the group {group.name}").override_logical_id(name)


def _of_pipeline(grant: said.Grant) -> bool:
    return said.group_of(grant.who) is None


def _of_place(grant: said.Grant) -> bool:
    return grant.resource == said.Location()


def _in_order(*stages: Sequence[Construct]) -> None:
    """Each stage waits for the one before, and goes before it."""
    for before, after in pairwise(stages):
        for one in after:
            one.node.add_dependency(*before)
