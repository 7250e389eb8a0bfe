"""Fuzz targets for queue messages: tasks, dead letters, planner events, deliveries to a worker."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from typing import Any

from obstore.store import MemoryStore

from option_a.aws.dead_letter import decode_dead_letter, encode_cause
from option_a.aws.functions.event import known_names, read_event
from option_a.aws.functions.planner import Planner
from option_a.ingest.config.source import Source
from option_a.ingest.errors import ConfigError, MessageError
from option_a.ingest.http.request import build_request
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.load.services import Limits, Services
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.cutoff import utc_date_end
from option_a.ingest.ports import Cause, Request, Response
from option_a.ingest.task import RUN_ID, Task, decode_task, encode_task
from tests.support.clock import NOW, FakeClock
from tests.support.fuzz.checks import check_keys, expecting
from tests.support.fuzz.engine import Target
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import RUN, source
from tests.support.queues.memory import MemoryQueue

SOURCES: dict[str, Source] = {
    "s": source(),
    "w": source(name="w", date_param=None, window={"from": "from", "to": "to", "zone": "Asia/Tokyo"}),
    "b": source(
        name="b", method="POST", date_param=None, body={"day": "{date}", "at": "{page}"}, date_format="unix_ms",
        pagination={"style": "page"},
    ),
}  # fmt: skip
TASKS = [encode_task(Task(name, dt.date(2023, 11, 1), RUN)) for name in SOURCES] + [
    encode_task(Task("s", dt.date(2023, 10, 31), RUN, fresh=True, requeues=3, waiting_since=1_699_999_000.0)),
    b'{"source":"s","date":"0001-01-01","run":"20231114T220000Z"}', b"[]", b"",
]  # fmt: skip


def task(data: bytes) -> bool:
    """A message is a task with valid keys and a request that can be built, or a MessageError."""
    with expecting(MessageError):
        read = decode_task(data)
        assert decode_task(encode_task(read)) == read
        check_keys(read.partition, read.run)
        check_keys(read.partition, read.requeued().run)
        for declared in SOURCES.values():
            assert build_request(declared, read, 1, None).url == declared.url
        assert utc_date_end(read.date) < 1e12
        return True
    return False


def letter(data: bytes) -> bool:
    """Any body, cause and count (separated by zero bytes) make a dead letter."""
    body, cause, told = [*data.split(b"\0"), b"", b""][:3]
    attributes = {"cause": {"StringValue": cause.decode(errors="replace")}, "receives": {"StringValue": _text(told)}}
    message = {
        "Body": _text(body), "ReceiptHandle": "r", "Attributes": {"SentTimestamp": "1"},
        "MessageAttributes": attributes,
    }  # fmt: skip
    found = decode_dead_letter("q", message)
    assert encode_cause(found.cause)["cause"].isascii()
    return found.task is not None or found.cause.kind != "receives"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


@cache
def _planner() -> tuple[Planner, MemoryQueue]:
    clock = FakeClock()
    queue = MemoryQueue(clock)
    return Planner(SOURCES, BucketLake(MemoryStore(), "memory"), queue, clock), queue


def event(data: bytes) -> bool:
    """An event is a trigger with a valid run id that can be planned, or a ConfigError."""
    try:
        told: Any = json.loads(data)
    except (ValueError, RecursionError):
        return False
    with expecting(ConfigError):
        trigger = read_event(told, "request 1/2", NOW)
        assert RUN_ID.fullmatch(trigger.run)
        names = known_names(trigger.plan_request, SOURCES)
        planner, _ = _planner()
        for item in planner.plan(trigger, [SOURCES[name] for name in names])[1]:
            assert decode_task(encode_task(item.task)) == item.task
        return True
    return False


class _InMemoryWorker:
    """A worker with queue and lake in memory, replaced every few hundred messages."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.queue = MemoryQueue(self.clock)
        limits = Limits(30.0, lambda: False, lambda: False)
        self.lake = BucketLake(MemoryStore(), "memory")
        self.services = Services(
            lake=self.lake, queue=self.queue, fetch=_fetch, clock=self.clock, limits=limits, executor=InlineExecutor,
            jitter=lambda: 0.5, emit=lambda event: None,
        )  # fmt: skip
        self.worker = Worker(self.services, SOURCES)
        self.handled = 0

    def handle(self, data: bytes) -> str:
        self.handled += 1
        self.queue.messages.clear()
        self.queue.send_raw("s", data)
        delivery = self.queue.receive(["s"], lease=30.0)
        assert delivery is not None
        return self.worker.handle(delivery)


def _fetch(request: Request) -> Response:
    first = request.params.get("page", "1") == "1" and request.body is None
    return Response(200, {}, b'{"data":[{"id":1}]}' if first else b'{"data":[]}')


_workers: list[_InMemoryWorker] = []


def worker(data: bytes) -> bool:
    """Whatever the message, the worker ends it with one of its outcomes."""
    if not _workers or _workers[0].handled > 200:
        _workers[:] = [_InMemoryWorker()]
    current = _workers[0]
    outcome = current.handle(data)
    assert outcome in {"complete", "done", "superseded", "leased", "requeued", "failed", "unreadable", "waiting"}, (
        outcome
    )
    assert (outcome == "unreadable") == _unreadable(data)
    return outcome != "unreadable"


def _unreadable(data: bytes) -> bool:
    try:
        decode_task(data)
    except MessageError:
        return True
    return False


_CAUSE = encode_cause(Cause("http", "the API answered 404", 3, 404, "dead/x", False))["cause"].encode()
_SCHEDULED = {
    "version": "0", "id": "53dc4d37-cffa-4f76", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {},
    "time": "2023-11-14T01:00:00Z",
}  # fmt: skip
_PLAN_REQUESTS: list[Any] = [
    {}, {"date": "2023-11-01", "sources": ["s", "w"], "fresh": True}, {"only": "failed", "sources": ["b"]},
    {"from": "2023-11-01", "to": "2023-11-03", "only": "missing"}, {"from": "2023-11-03", "to": "2023-11-01"},
]  # fmt: skip
TARGETS = [
    Target("tasks", TASKS, task, 2.0),
    Target("dead letters", [b"\0".join([TASKS[0], _CAUSE, b"5"]), b"x\0[]\0\xc2\xb2"], letter, 2.0),
    Target(
        "events",
        [
            json.dumps(request).encode()
            for request in [*_PLAN_REQUESTS, *(_SCHEDULED | {"detail": request} for request in _PLAN_REQUESTS)]
        ],
        event,
        0.2,
    ),
    Target("deliveries", TASKS, worker, 0.2),
]
