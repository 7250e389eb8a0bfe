"""The three functions, made of one asset: planner, worker, freshness. Each with its log and its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from option_a.constructs import roles as access
from option_a.constructs.lake import Lake
from option_a.constructs.switches import Switches
from option_a.ingest.config import Source
from option_a.names import NAMESPACE, queue_prefix

WORKER_TIMEOUT = Duration.seconds(900)
"""The longest that Lambda gives; the other functions have it too and never need it."""
QUEUES_URL = f"https://sqs.{Aws.REGION}.{Aws.URL_SUFFIX}/{Aws.ACCOUNT_ID}/"
"""The URL of a queue, less its name."""
_SMALL = 512
ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_TRIGGER_LIVES = Duration.hours(6)


class Code(NamedTuple):
    """What the functions are made of."""

    asset: str
    """The folder of their code."""
    digest: str
    """The SHA-256 of the sources.toml that was deployed."""
    environment: Mapping[str, str]
    """What of the deployer's environment they get."""


class Functions(Construct):
    """What runs. `dead` holds the triggers that the planner could not be given, or could not plan."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lake: Lake,
        sources: Sequence[Source],
        switches: Switches,
        code: Code,
    ) -> None:
        super().__init__(scope, id)
        stack, self._switches = Stack.of(self).stack_name, switches
        self.code = lambda_.Code.from_asset(code.asset)
        self._environment = {**_shared(lake, stack), **code.environment}
        self.dead = self._dead_letters(stack)
        log = self._log("Planner")
        self.planner = self._function("Planner", log, access.planner(lake.bucket, log, stack))
        self.planner.configure_async_invoke(
            retry_attempts=2, max_event_age=_TRIGGER_LIVES, on_failure=destinations.SqsDestination(self.dead)
        )
        log = self._log("Freshness")
        self.freshness = self._function("Freshness", log, access.freshness(lake.bucket, log))
        log = self._log("Worker")
        self.worker = self._function(
            "Worker",
            log,
            access.worker(lake.bucket, log, stack, sources),
            memory=switches.memory,
            reserved=switches.reservedConcurrency,
            # a continuation feeds the queue that it came from; Lambda would stop that after some 16 hops
            recursive_loop=lambda_.RecursiveLoop.ALLOW,
        )
        self.worker.add_environment("OPTION_A_SOURCES_SHA256", code.digest)

    def _dead_letters(self, stack: str) -> sqs.Queue:
        return sqs.Queue(
            self,
            "PlannerDead",
            queue_name=f"{queue_prefix(stack)}PlannerDead",  # a capital: no source's queue can be called so
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )

    def _log(self, name: str) -> logs.LogGroup:
        group = logs.LogGroup(self, f"{name}Log", removal_policy=RemovalPolicy.DESTROY)
        cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = self._switches.logRetention
        return group

    def _function(
        self,
        name: str,
        log: logs.ILogGroup,
        rights: list[iam.PolicyStatement],
        *,
        memory: int = _SMALL,
        reserved: int | None = None,
        recursive_loop: lambda_.RecursiveLoop | None = None,
    ) -> lambda_.Function:
        role = access.role(
            self, f"{name}Role", service=access.LAMBDA, description=f"What the {name.lower()} may do", statements=rights
        )
        function = lambda_.Function(
            self,
            name,
            code=self.code,
            handler=f"{name.lower()}.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[self._switches.architecture],
            description=_DESCRIPTIONS[name],
            memory_size=memory,
            timeout=WORKER_TIMEOUT,
            role=role,
            log_group=log,
            environment=self._environment,
            recursive_loop=recursive_loop,
            reserved_concurrent_executions=reserved,
        )
        resource = cast(lambda_.CfnFunction, function.node.default_child)
        resource.override_logical_id(f"{name}Fn")
        resource.add_deletion_override("DependsOn")  # the role's ARN says it already
        return function


def _shared(lake: Lake, stack: str) -> dict[str, str]:
    """The environment of every function."""
    return {
        "OPTION_A_LAKE": f"s3://{lake.bucket.bucket_name}",
        "OPTION_A_STACK": stack,
        "OPTION_A_QUEUES": QUEUES_URL,
        "POWERTOOLS_SERVICE_NAME": stack,
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


_DESCRIPTIONS = {
    "Planner": "Plans the partitions of a night, or of a request, and sends their tasks to the queues",
    "Worker": "Loads one partition a delivery: pages to the lake, the manifest at each checkpoint",
    "Freshness": "Counts, every hour, the partitions that should be complete by now and are not",
}
