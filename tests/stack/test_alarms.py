"""What wakes somebody, and what is there to look at."""

from __future__ import annotations

import json
import re

import pytest

from tests.stack.assembly import DEFAULT, STACK, Resource, default, flat, synthesize
from tests.support.documents.transcript import RUNBOOK

OURS = {
    *("PagesLanded", "RecordsLanded", "BytesLanded", "PartitionsComplete", "PartitionsFailed", "Retries"),
    *("TasksSentAgain", "NearTimeouts", "LoadSeconds", "PartitionsLate"),
}


def alarms(*like: str) -> dict[str, Resource]:
    """The alarms whose logical id holds one of the words."""
    found = default().all("CloudWatch::Alarm")
    return {id: one for id, one in found.items() if not like or any(word in id for word in like)}


def alarm(like: str) -> Resource:
    (found,) = alarms(like).values()
    return found


def test_every_alarm_has_its_section_in_the_runbook_which_its_mail_names() -> None:
    """Also in a stack of more sources than one alarm can watch over."""
    many = "".join(f'[sources.s{number}]\nurl = "https://x.example"\n' for number in range(11))
    found = {**alarms(), **synthesize(many).all("CloudWatch::Alarm")}
    named = {id: re.search(r"Alarms([A-Za-z]+?)\d*[0-9A-F]{8}$", id) for id in found}
    assert {match[1] for match in named.values() if match} == set(re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE))
    for id, one in found.items():
        match = named[id]
        assert match, id
        assert flat(one["AlarmDescription"]).endswith(f" docs/runbook.md#{match[1].lower()}"), id


def test_every_alarm_says_what_to_do_and_tells_the_topic() -> None:
    topic = default().root["Outputs"]["AlarmTopic"]["Value"]
    assert len(alarms()) == 9
    for id, one in alarms().items():
        assert len(one["AlarmDescription"]) > 80, id
        assert one["AlarmActions"] == one["OKActions"] == [topic], id
        assert one["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", id
        assert one["EvaluationPeriods"] == 1, id


@pytest.mark.parametrize(
    ("like", "namespace", "metric", "statistic", "function"),
    [
        ("WorkerErrors", "AWS/Lambda", "Errors", "Sum", "WorkerFn"),
        ("WorkerThrottles", "AWS/Lambda", "Throttles", "Sum", "WorkerFn"),
        ("PlannerErrors", "AWS/Lambda", "Errors", "Sum", "PlannerFn"),
        ("WorkerNearTimeouts", "OptionA", "NearTimeouts", "Sum", None),
    ],
)
def test_an_alarm_rings_at_the_first(like: str, namespace: str, metric: str, statistic: str, function: str) -> None:
    found = alarm(like)
    assert (found["Namespace"], found["MetricName"], found["Statistic"]) == (namespace, metric, statistic)
    assert (found["Threshold"], found["TreatMissingData"]) == (1, "notBreaching")
    place = {"FunctionName": f"${{{function}}}"} if function else {"service": STACK}
    assert {one["Name"]: flat(one["Value"]) for one in found["Dimensions"]} == place


def test_an_invocation_that_takes_nearly_all_of_its_time_rings() -> None:
    found = alarm("WorkerLongest")
    assert (found["MetricName"], found["Statistic"], found["Threshold"]) == ("Duration", "Maximum", 882_000)


def test_silence_is_no_freshness() -> None:
    found = alarm("Freshness")
    assert (found["Namespace"], found["MetricName"]) == ("OptionA", "PartitionsLate")
    assert (found["Statistic"], found["Period"], found["Threshold"]) == ("Maximum", 3600, 1)
    assert found["TreatMissingData"] == "breaching"
    assert found["Dimensions"] == [{"Name": "service", "Value": STACK}]


@pytest.mark.parametrize(
    ("like", "function", "metric", "threshold", "suffix"),
    [
        ("DeadLetters1", "SUM", "ApproximateNumberOfMessagesVisible", 1, "Dead"),
        ("OldestMessage1", "MAX", "ApproximateAgeOfOldestMessage", 12 * 3600, "Queue"),
    ],
)
def test_one_alarm_is_over_the_queues_of_ten_sources(
    like: str, function: str, metric: str, threshold: int, suffix: str
) -> None:
    found = alarm(like)
    formula, *parts = found["Metrics"]
    assert formula["Expression"] == f"{function}([m0, m1, m2, m3])"
    assert formula["ReturnData"] is not False
    assert [(one["MetricStat"]["Metric"]["MetricName"], one["MetricStat"]["Stat"]) for one in parts] == [
        (metric, "Maximum")
    ] * 4
    queues = {flat(one["MetricStat"]["Metric"]["Dimensions"][0]["Value"]) for one in parts}
    assert len(queues) == 4
    assert all(re.search(rf"queue{suffix}[0-9A-F]{{8}}\.QueueName", one) for one in queues), queues
    assert found["Threshold"] == threshold


def test_triggers_that_never_reached_the_planner_ring() -> None:
    found = alarm("PlannerDeadLetters")
    assert flat(found["Dimensions"]) == [{"Name": "QueueName", "Value": "${FunctionsPlannerDeadE74B73FD.QueueName}"}]
    assert (found["Threshold"], found["Statistic"]) == (1, "Maximum")


def test_eleven_sources_have_two_alarms_of_a_kind() -> None:
    text = "".join(f'[sources.s{number}]\nurl = "https://x.example"\n' for number in range(11))
    found = synthesize(text).all("CloudWatch::Alarm")
    formulas = [
        one["Metrics"][0]["Expression"] for id, one in found.items() if "DeadLetters" in id and "Metrics" in one
    ]
    assert sorted(len(re.findall(r"m\d", formula)) for formula in formulas) == [1, 10]


def test_cloudwatch_may_publish_and_nobody_over_plain_http() -> None:
    (policy,) = default().all("SNS::TopicPolicy").values()
    statements = {one["Effect"]: one for one in flat(policy["PolicyDocument"]["Statement"])}
    assert statements["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    allowed = statements["Allow"]
    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": "${AWS::AccountId}"}


def test_an_address_is_subscribed_when_it_is_given() -> None:
    assert default().all("SNS::Subscription") == {}
    subscription = synthesize(DEFAULT, alarmEmail="night@example.com").one("SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "night@example.com")


def test_the_dashboard_shows_every_metric_of_ours_and_every_queue() -> None:
    board = default().one("CloudWatch::Dashboard")
    text = json.dumps(flat(board["DashboardBody"]))
    assert board["DashboardName"] == STACK
    assert [name for name in OURS if name not in text] == []
    for metric in ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "Duration", "Throttles"):
        assert metric in text
    searches = re.findall(r"SEARCH\('\{AWS/SQS,QueueName\} MetricName=\"(\w+)\" ([^']+)'", shown(board))
    assert {words for _, words in searches} == {f"{STACK} NOT dead", f"{STACK} dead"}


def shown(board: Resource) -> str:
    """The expressions of the widgets."""
    widgets = json.loads(flat(board["DashboardBody"]))["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    return " ".join(
        one["expression"] for metric in metrics for one in metric if isinstance(one, dict) and "expression" in one
    )
