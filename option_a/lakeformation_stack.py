"""The pipeline under Lake Formation: a second stack with its administrators, and who may read what in the first."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from option_a.constructs.lakeformation.admins import AdministratorsStack, administrators_name
from option_a.constructs.lakeformation.part import LakeFormation
from option_a.constructs.switches import Switches
from option_a.ingest.config import Source
from option_a.lakeformation.groups import Groups
from option_a.stack import IngestionStack


def add_lake_formation(
    app: Construct, stack: IngestionStack, *, groups: Groups, sources: Mapping[str, Source], switches: Switches
) -> AdministratorsStack:
    """Add both; the administrators are there before the pipeline, and after it."""
    administrators = AdministratorsStack(app, administrators_name(switches), switches=switches)
    stack.add_stack_dependency(administrators)
    LakeFormation(
        stack,
        "LakeFormation",
        groups=groups,
        sources=sources,
        switches=switches,
        lake=stack.lake,
        catalog=stack.catalog,
        functions=stack.functions,
        tables=stack.groups,
    )
    return administrators
