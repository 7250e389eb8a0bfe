"""When what runs: the planner at 01:00 UTC, the freshness check every hour."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from option_a.constructs.functions import Functions


class Schedule(Construct):
    """Two rules of EventBridge."""

    def __init__(self, scope: Construct, id: str, *, functions: Functions) -> None:
        super().__init__(scope, id)
        events.Rule(
            self,
            "Nightly",
            description="Every night at 01:00 UTC: plan and load",
            schedule=events.Schedule.cron(minute="0", hour="1"),
            targets=[
                targets.LambdaFunction(
                    functions.planner,
                    dead_letter_queue=functions.dead,
                    retry_attempts=8,
                    max_event_age=Duration.hours(2),
                )
            ],
        )
        events.Rule(
            self,
            "Hourly",
            # not on the hour: the alarm's windows are whole hours, and each must see exactly one check
            description="Every hour at a quarter past: is anything late?",
            schedule=events.Schedule.cron(minute="15"),
            targets=[targets.LambdaFunction(functions.freshness, retry_attempts=2, max_event_age=Duration.minutes(15))],
        )
