"""What wakes somebody: one topic, and alarms that each say what to do."""

from __future__ import annotations

from string import digits

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from option_a.constructs.functions import WORKER_TIMEOUT, Functions
from option_a.constructs.roles import arn
from option_a.constructs.switches import Switches
from option_a.names import NAMESPACE

_FIVE_MINUTES, _HOUR = Duration.minutes(5), Duration.hours(1)
_NEARLY_ALL = 0.98
_RUNBOOK = "docs/runbook.md"
"""Has a section for each alarm, under its name."""
_MISSING = cloudwatch.TreatMissingData


class Alarms(Construct):
    """The topic, and the alarms of the three functions. Those of the queues stand beside their queues."""

    def __init__(self, scope: Construct, id: str, *, functions: Functions, switches: Switches) -> None:
        super().__init__(scope, id)
        self.stack = Stack.of(self).stack_name
        self.topic = self._topic(switches.alarmEmail)
        self._worker(functions.worker)
        self._planner(functions)
        self._freshness()

    def alarm(
        self,
        id: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: float = 1,
        missing: cloudwatch.TreatMissingData = _MISSING.NOT_BREACHING,
        scope: Construct | None = None,
    ) -> None:
        """One that rings when the metric reaches the threshold once, and tells when it is well again."""
        made = cloudwatch.Alarm(
            scope or self,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing,
            alarm_description=f"{description} The whole procedure: {_RUNBOOK}#{id.rstrip(digits).lower()}",
        )
        action = actions.SnsAction(self.topic)
        made.add_alarm_action(action)
        made.add_ok_action(action)

    def metric(self, name: str, statistic: str, period: Duration = _FIVE_MINUTES) -> cloudwatch.Metric:
        """A metric that the functions publish."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            statistic=statistic,
            period=period,
            dimensions_map={"service": self.stack},
        )

    def _topic(self, email: str | None) -> sns.Topic:
        topic = sns.Topic(self, "Topic", display_name=f"{self.stack} alarms", enforce_ssl=True)
        # a policy of its own replaces the default one, by which CloudWatch might publish
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": arn("cloudwatch", "alarm:*")},
                },
            )
        )
        for address in [email] if email else []:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _worker(self, worker: lambda_.Function) -> None:
        self.alarm(
            "WorkerErrors",
            worker.metric_errors(statistic="Sum", period=_FIVE_MINUTES),
            "The worker crashed or ran out of time. Its task is delivered again by itself; if this goes on, read "
            f"`option-a logs SOURCE DATE --stack {self.stack}` and raise `-c memory=` if it ran out of memory.",
        )
        self.alarm(
            "WorkerThrottles",
            worker.metric_throttles(statistic="Sum", period=_FIVE_MINUTES),
            "The account has no concurrency left for the worker, and throttled receipts count towards the dead "
            "letters. Lower `concurrency` in sources.toml, or ask for a higher quota of Lambda.",
        )
        self.alarm(
            "WorkerNearTimeouts",
            self.metric("NearTimeouts", "Sum"),
            "An invocation ended with less than 20 s left: its last requests took longer than it had allowed for. "
            "Nothing is lost; if it goes on, lower the `timeout` or the `parallel` of the source that its log names.",
        )
        self.alarm(
            "WorkerLongest",
            worker.metric_duration(statistic="Maximum", period=_FIVE_MINUTES),
            "An invocation took nearly all of the function's 15 minutes: it did not stop in time by itself. Lower the "
            "source's `timeout`, which the worker's log names.",
            threshold=_NEARLY_ALL * float(WORKER_TIMEOUT.to_milliseconds()),
        )

    def _planner(self, functions: Functions) -> None:
        self.alarm(
            "PlannerErrors",
            functions.planner.metric_errors(statistic="Sum", period=_FIVE_MINUTES),
            "The planner failed: a night may be missing. It is tried twice more by itself; read its log, mend the "
            f"cause, then `option-a run --stack {self.stack}`.",
        )
        self.alarm(
            "PlannerDeadLetters",
            functions.dead.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_FIVE_MINUTES),
            "A trigger never reached the planner, or failed three times. Plan the night by hand: "
            f"`option-a run --stack {self.stack}`, then purge the queue that ends in PlannerDead.",
        )

    def _freshness(self) -> None:
        self.alarm(
            "Freshness",
            self.metric("PartitionsLate", "Maximum", _HOUR),
            "A source's newest partition is not complete by its `due`, or the hourly check itself is silent. "
            f"`option-a status --stack {self.stack}` names the sources and the cause.",
            missing=_MISSING.BREACHING,
        )
