"""The names that a user, and `option-a --stack`, need of what was deployed."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from option_a.constructs.alarms import Alarms
from option_a.constructs.athena import Athena
from option_a.constructs.catalog import Catalog
from option_a.constructs.dashboard import Dashboard
from option_a.constructs.functions import QUEUES_URL, Functions
from option_a.constructs.lake import Lake
from option_a.constructs.switches import Switches
from option_a.names import queue_prefix


class Outputs(Construct):
    """Outputs of the stack, under exactly these names."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lake: Lake,
        catalog: Catalog,
        athena: Athena,
        functions: Functions,
        alarms: Alarms,
        dashboard: Dashboard,
        switches: Switches,
    ) -> None:
        super().__init__(scope, id)
        stays = "goes with the stack, once it is empty" if switches.destroys else "stays when the stack goes"
        found = {
            "LakeBucket": (lake.bucket.bucket_name, f"The lake; {stays}"),
            "AthenaResultsBucket": (lake.results.bucket_name, f"What Athena answers, for 14 days; {stays}"),
            "GlueDatabase": (catalog.name, "The database of the tables"),
            "Crawler": (catalog.crawler.ref, "Infers tables every night at 03:00 UTC"),
            "AthenaWorkgroup": (athena.workgroup.name, "The workgroup to query in"),
            "PlannerFunction": (functions.planner.function_name, "Invoke it with {} to load today"),
            "WorkerFunction": (functions.worker.function_name, "Loads; the queues invoke it"),
            "FreshnessFunction": (functions.freshness.function_name, "Counts what is late"),
            "QueuePrefix": (queue_prefix(Stack.of(self).stack_name), "What the queues' names begin with"),
            "QueueUrlBase": (QUEUES_URL, "What the queues' URLs begin with"),
            "AlarmTopic": (alarms.topic.topic_arn, "Where alarms are told"),
            "Dashboard": (dashboard.board.dashboard_name, "The dashboard in CloudWatch"),
        }
        for name, (value, description) in found.items():
            CfnOutput(self, name, value=value, description=description).override_logical_id(name)
