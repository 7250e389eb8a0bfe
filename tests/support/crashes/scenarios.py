"""Pipelines in the middle of something, for crash tests: first loads, reloads, failures, waits, all kinds of source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from option_a.ingest.ports import Request
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.crashes.scenario_api import DECLARED, Pages, ScenarioApi, TokenProtectedApi
from tests.support.pipeline import Backend, Pipeline, make_pages, numbered_pages, source

NEXT = "20231114T230000Z-b"
THIRD = "20231114T233000Z-c"
Scenario = Callable[[Path | Backend], Pipeline]


def with_gap(pages: Pages) -> Pages:
    """The same pages with an empty one in the middle."""
    return [*pages[:2], [], *pages[2:]]


def first_load(root: Path | Backend) -> Pipeline:
    return ScenarioApi(with_gap(make_pages(6))).begin(root)


def page_after_page(root: Path | Backend) -> Pipeline:
    class UntilEmpty(ScenarioApi):
        def page(self, request: Request) -> bytes:
            return numbered_pages(self.pages)(request)

    return UntilEmpty(make_pages(4)).begin(root, source())


def resumed_load(root: Path | Backend) -> Pipeline:
    pipeline = first_load(root)
    assert run_until_crash(pipeline, CrashPoint(4, of="put raw"))
    assert 0 < pipeline.manifest().load.answered < 7
    return pipeline


def shrunk(root: Path | Backend) -> Pipeline:
    """Two pages landed that no manifest knows, and then the API drops them."""
    day = ScenarioApi(make_pages(6), seconds=4.0)
    pipeline = day.begin(root)
    assert run_until_crash(pipeline, CrashPoint(5, of="put raw", after=True))
    assert pipeline.manifest().load.answered == 3
    day.pages = make_pages(3)
    return pipeline


def adopted_load(root: Path | Backend) -> Pipeline:
    """A newer run continues what an older one left."""
    pipeline = resumed_load(root)
    pipeline.queue.messages.clear()
    pipeline.clock.time += 60.0
    pipeline.send(NEXT)
    return pipeline


def complete(root: Path | Backend, before: Pages) -> tuple[Pipeline, ScenarioApi]:
    """A day that has landed, and a task to load it again."""
    day = ScenarioApi(before)
    pipeline = day.begin(root)
    assert pipeline.drain()[0] == "complete"
    pipeline.send(NEXT, fresh=True)
    return pipeline, day


def longer_then_shorter(root: Path | Backend) -> Pipeline:
    pipeline, day = complete(root, make_pages(6))
    day.pages = [*make_pages(2), [], *make_pages(4, word="b")[3:]]
    return pipeline


def shorter_then_longer(root: Path | Backend) -> Pipeline:
    pipeline, day = complete(root, with_gap(make_pages(2)))
    day.pages = make_pages(5, word="b")
    return pipeline


def emptied(root: Path | Backend) -> Pipeline:
    pipeline, day = complete(root, make_pages(3))
    day.pages = [[]]
    return pipeline


def failing_again(root: Path | Backend) -> Pipeline:
    pipeline, day = complete(root, make_pages(3))
    day.pages, day.broken = make_pages(5, word="b"), {4}
    return pipeline


def after_a_failed_one(root: Path | Backend) -> Pipeline:
    pipeline = failing_again(root)
    assert pipeline.drain()[0] == "failed"
    pipeline.queue.dead.clear()
    day = pipeline.api
    assert isinstance(day, ScenarioApi)
    day.broken = set()
    pipeline.send(THIRD, fresh=True)
    return pipeline


def promotion_of_an_older_run(root: Path | Backend) -> Pipeline:
    """A promotion that was begun is finished before the newer run loads."""
    pipeline, day = complete(root, make_pages(3))
    day.pages = make_pages(5, word="b")
    assert run_until_crash(pipeline, CrashPoint(1, of="copy raw"))
    assert pipeline.manifest().state == "promoting"
    pipeline.queue.messages.clear()
    pipeline.clock.time += 60.0
    day.pages = make_pages(2, word="c")
    pipeline.send(THIRD, fresh=True)
    return pipeline


def permanent_failure(root: Path | Backend) -> Pipeline:
    day = ScenarioApi(make_pages(5))
    day.broken = {4}
    return day.begin(root)


def out_of_time(root: Path | Backend) -> Pipeline:
    pipeline = first_load(root)
    pipeline.budget = 3
    return pipeline


def outage(root: Path | Backend) -> Pipeline:
    """An API that is down at first: the circuit breaker opens, and the task is requeued repeatedly."""
    day = ScenarioApi(make_pages(4))
    pipeline = day.begin(root)
    day.down_until = pipeline.clock.time + 400.0
    return pipeline


def total_corrected(root: Path | Backend) -> Pipeline:
    """The declared total is one too many until the load is restarted."""

    class Recounted(ScenarioApi):
        def page(self, request: Request) -> bytes:
            return numbered_pages(self.pages, total=7 - self.pipeline.manifest().load.restarts)(request)

    counted = {"style": "page", "total_records": "total", "size": 2}
    return Recounted(make_pages(3)).begin(root, source(pagination=counted, parallel=2))


def csv_pages(root: Path | Backend) -> Pipeline:
    class Tables(ScenarioApi):
        def page(self, request: Request) -> bytes:
            number = int(request.params["page"])
            rows = "".join(f"{record['id']},{record['word']}\r\n" for record in make_pages(5)[number - 1])
            return f"id,word\r\n{rows}".encode() if number < 5 else b""

    return Tables([]).begin(root, source(format="csv"))


def json_lines(root: Path | Backend) -> Pipeline:
    class Lines(ScenarioApi):
        def page(self, request: Request) -> bytes:
            number = int(request.params["page"])
            return b"".join(msgspec.json.encode(record) + b"\n" for record in make_pages(5)[number - 1] if number < 5)

    return Lines([]).begin(root, source(format="ndjson"))


def window_of_time(root: Path | Backend) -> Pipeline:
    span = {"from": "since", "to": "until", "zone": "Europe/Warsaw"}
    return ScenarioApi(make_pages(4)).begin(root, source(date_param=None, window=span, pagination=DECLARED))


def secrets_and_salt(root: Path | Backend) -> Pipeline:
    """A token for each process, and a field hashed with a salt."""
    auth = {
        "style": "oauth2",
        "token_url": TokenProtectedApi.token_url,
        "client_id": "us",
        "client_secret": "env:SECRET",
    }
    fields = {"hash": ["word"], "salt": "env:SALT"}
    pipeline = TokenProtectedApi(make_pages(5)).begin(
        root, source(auth=auth, fields=fields, pagination=DECLARED, parallel=2)
    )
    pipeline.replace_services(secrets=lambda wanted: f"the {wanted.name}")
    return pipeline


LOADS: list[Scenario] = [
    first_load, page_after_page, resumed_load, shrunk, adopted_load, out_of_time, outage, total_corrected,
]  # fmt: skip
RELOADS: list[Scenario] = [
    longer_then_shorter, shorter_then_longer, emptied, failing_again, after_a_failed_one, promotion_of_an_older_run,
]  # fmt: skip
SOURCES: list[Scenario] = [csv_pages, json_lines, window_of_time, secrets_and_salt]
SCENARIOS: list[Scenario] = [*LOADS, *RELOADS, permanent_failure, *SOURCES]
