"""What the pipeline says, as structured log lines and as metrics of CloudWatch (EMF)."""

from __future__ import annotations

import threading
from typing import Any, Literal

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from option_a.ingest.events import Event, Kind

_LEVELS: dict[Kind, Literal["debug", "warning", "error"]] = {
    "landed": "debug",
    "retrying": "warning",
    "waiting": "warning",
    "restarted": "warning",
    "lease-lost": "warning",
    "unreadable": "error",
    "failed": "error",
}
_COUNTED: dict[Kind, str] = {
    "retrying": "Retries",
    "waiting": "TasksSentAgain",
    "leased": "TasksSentAgain",
    "requeued": "TasksSentAgain",
    "out-of-time": "TasksSentAgain",
    "complete": "PartitionsComplete",
    "failed": "PartitionsFailed",
}
_Landed = tuple[int, int, int]


class Telemetry:
    """Satisfies `EventSink`. What landed is added up and published once, by `publish`; threads may share it."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger, self._metrics = logger, metrics
        self._lock = threading.Lock()
        self._seen: dict[tuple[object, ...], _Landed] = {}
        self._landed: _Landed = (0, 0, 0)

    def __call__(self, event: Event) -> None:
        write = getattr(self._logger, _LEVELS.get(event.kind, "info"))
        write(event.kind, extra=fields(event))
        with self._lock:
            self._add_up(event)
            if event.kind in _COUNTED:
                self._metrics.add_metric(_COUNTED[event.kind], MetricUnit.Count, 1)

    def publish(self, seconds: float, *, near_timeout: bool) -> None:
        """The figures of one invocation."""
        with self._lock:
            pages, records, size = self._landed
            self._landed, self._seen = (0, 0, 0), {}
        self._metrics.add_metric("PagesLanded", MetricUnit.Count, pages)
        self._metrics.add_metric("RecordsLanded", MetricUnit.Count, records)
        self._metrics.add_metric("BytesLanded", MetricUnit.Bytes, size)
        self._metrics.add_metric("LoadSeconds", MetricUnit.Seconds, seconds)
        self._metrics.add_metric("NearTimeouts", MetricUnit.Count, int(near_timeout))

    def _add_up(self, event: Event) -> None:
        """Events tell what a load holds by now; what it held when this invocation began is not counted again."""
        key, now = (event.source, event.date, event.run), (event.pages, event.records, event.bytes)
        if event.kind in ("started", "resumed", "adopted"):
            self._seen[key] = now
        elif event.kind == "landed":
            before = self._seen.get(key, (0, 0, 0))
            if now[0] < before[0]:  # it began again at page 1
                before = (0, 0, 0)
            self._seen[key] = now
            pages, records, size = self._landed
            self._landed = (pages + now[0] - before[0], records + now[1] - before[1], size + now[2] - before[2])


def place(*, run: str = "", source: str = "", date: object = None, page: int | None = None) -> dict[str, Any]:
    """What every log line carries; the logger leaves null out, so what is not known is `-`, and page 0."""
    return {"run": run or "-", "source": source or "-", "date": str(date or "-"), "page": page or 0}


def fields(event: Event) -> dict[str, Any]:
    """Its place, then what is known."""
    figures = {"last": event.last, "pages": event.pages, "records": event.records, "bytes": event.bytes}
    details = {"detail": event.message or None, "seconds": event.seconds}
    where = place(run=event.run, source=event.source, date=event.date, page=event.page)
    return where | {key: value for key, value in (figures | details).items() if value is not None}
