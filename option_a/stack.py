"""The stack: EventBridge, planner, a queue a source, worker, S3, Glue, Athena, alarms."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from constructs import Construct

from option_a.constructs.alarms import Alarms
from option_a.constructs.athena import Athena
from option_a.constructs.catalog import Catalog
from option_a.constructs.dashboard import Dashboard
from option_a.constructs.functions import Code, Functions
from option_a.constructs.lake import Lake
from option_a.constructs.nag_suppressions import NagSuppressions
from option_a.constructs.outputs import Outputs
from option_a.constructs.schedule import Schedule
from option_a.constructs.source_groups import SourceGroups
from option_a.constructs.switches import Switches
from option_a.ingest.config import Source


class IngestionStack(Stack):
    """What `cdk deploy` makes of a sources.toml."""

    def __init__(self, scope: Construct, id: str, *, sources: Sequence[Source], switches: Switches, code: Code) -> None:
        super().__init__(scope, id, description="Option A: every page of your REST APIs, every night, in a data lake")
        lake = Lake(self, "Lake", switches=switches)
        functions = Functions(self, "Functions", lake=lake, sources=sources, switches=switches, code=code)
        Schedule(self, "Schedule", functions=functions)
        catalog = Catalog(self, "Catalog", lake=lake)
        athena = Athena(self, "Athena", lake=lake, catalog=catalog, sources=sources, switches=switches)
        alarms = Alarms(self, "Alarms", functions=functions, switches=switches)
        groups = SourceGroups(
            self,
            "Sources",
            sources=sources,
            nested=switches.nested,
            lake=lake,
            catalog=catalog,
            functions=functions,
            alarms=alarms,
        )
        dashboard = Dashboard(self, "Dashboard", functions=functions, alarms=alarms)
        Outputs(
            self,
            "Outputs",
            lake=lake,
            catalog=catalog,
            athena=athena,
            functions=functions,
            alarms=alarms,
            dashboard=dashboard,
            switches=switches,
        )
        NagSuppressions(self, "Evidence", lake=lake, functions=functions, catalog=catalog)
        # what access to the lake is built on
        self.lake, self.catalog, self.functions, self.groups = lake, catalog, functions, groups
