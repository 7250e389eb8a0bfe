"""The dashboard: what landed, what it took, what waits."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from option_a.constructs.alarms import Alarms
from option_a.constructs.functions import Functions
from option_a.names import queue_prefix

_WIDTH = 8
_PERIOD = Duration.minutes(5)


class Dashboard(Construct):
    """Three rows: the data, the functions, the queues."""

    def __init__(self, scope: Construct, id: str, *, functions: Functions, alarms: Alarms) -> None:
        super().__init__(scope, id)
        self._alarms = alarms
        self.board = cloudwatch.Dashboard(
            self, "Board", dashboard_name=Stack.of(self).stack_name, default_interval=Duration.days(7)
        )
        self.board.add_widgets(
            self._graph("Records landed", [self._sum("RecordsLanded")]),
            self._graph("Pages landed", [self._sum("PagesLanded")]),
            self._graph("Bytes landed", [self._sum("BytesLanded")]),
        )
        self.board.add_widgets(
            self._graph("Partitions", [self._sum("PartitionsComplete"), self._sum("PartitionsFailed")]),
            self._graph("Late", [alarms.metric("PartitionsLate", "Maximum", Duration.hours(1))]),
            self._graph("Retries", [self._sum("Retries"), self._sum("TasksSentAgain"), self._sum("NearTimeouts")]),
        )
        self.board.add_widgets(*self._function_graphs(functions))
        self.board.add_widgets(*self._queue_graphs())

    def _sum(self, name: str) -> cloudwatch.Metric:
        return self._alarms.metric(name, "Sum")

    def _graph(self, title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH, period=_PERIOD)

    def _function_graphs(self, functions: Functions) -> list[cloudwatch.GraphWidget]:
        worker = functions.worker
        duration = [worker.metric_duration(statistic=statistic) for statistic in ("p50", "p95", "Maximum")]
        loads = [self._alarms.metric("LoadSeconds", statistic) for statistic in ("p50", "p95", "Maximum")]
        trouble = [worker.metric_errors(), worker.metric_throttles(), functions.planner.metric_errors()]
        return [
            self._graph("Worker's duration (ms)", duration),
            self._graph("Load (s)", loads),
            self._graph("Errors and throttles", trouble),
        ]

    def _queue_graphs(self) -> list[cloudwatch.GraphWidget]:
        """By search, so that one graph holds any number of queues, whichever stack they are in."""
        word = queue_prefix(Stack.of(self).stack_name).rstrip("_")
        depth, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
        return [
            self._graph("Tasks that wait", [_search("SUM", depth, f"{word} NOT dead")]),
            self._graph("Oldest task (s)", [_search("MAX", age, f"{word} NOT dead")]),
            self._graph("Dead letters", [_search("SUM", depth, f"{word} dead")]),
        ]


def _search(function: str, metric: str, words: str) -> cloudwatch.MathExpression:
    # the words unquoted: in quotes they would have to be the whole name of a queue
    found = f"SEARCH('{{AWS/SQS,QueueName}} MetricName=\"{metric}\" {words}', 'Maximum', 300)"
    return cloudwatch.MathExpression(expression=f"{function}({found})", using_metrics={}, label="all queues")
