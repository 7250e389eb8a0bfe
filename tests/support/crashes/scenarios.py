"""What a worker may be in the midst of when it dies: first loads, re-loads, failures, waits, every kind of source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.http.auth import Authenticated
from option_a.ingest.ports import Request, Response
from tests.support.crashes.port_crash import Doom, live_until
from tests.support.pipeline import Ground, Pipeline, days_of, numbered, source

NEXT = "20231114T230000Z-b"
THIRD = "20231114T233000Z-c"
DECLARED: dict[str, object] = {"style": "page", "total_pages": "total_pages"}
SECONDS = 6.0
"""What an answer takes: some pages land between two checkpoints."""
Pages = list[list[dict[str, object]]]
Scenario = Callable[[Path | Ground], Pipeline]


class Day:
    """An API of declared pages, whose content a scenario changes; each answer takes some seconds."""

    def __init__(self, pages: Pages, *, seconds: float = SECONDS) -> None:
        self.pages, self.seconds = pages, seconds
        self.broken: set[int] = set()
        self.down_until = 0.0
        self.pipeline: Pipeline

    def __call__(self, request: Request) -> bytes | Response:
        self.pipeline.clock.time += self.seconds
        if self.pipeline.clock.time < self.down_until:
            raise TransientError("the API answered 503")
        if int(request.params["page"]) in self.broken:
            return b"<html>no</html>"
        return self.page(request)

    def page(self, request: Request) -> bytes:
        """A page that is none of the broken ones."""
        return numbered(self.pages, total_pages=len(self.pages))(request)

    def begin(self, root: Path | Ground, *sources: Source) -> Pipeline:
        self.pipeline = Pipeline(root, self, *(sources or [source(pagination=DECLARED, parallel=2)]))
        self.pipeline.send()
        return self.pipeline


def with_gap(pages: Pages) -> Pages:
    """The same with an empty page in their midst."""
    return [*pages[:2], [], *pages[2:]]


def first_load(root: Path | Ground) -> Pipeline:
    return Day(with_gap(days_of(6))).begin(root)


def page_after_page(root: Path | Ground) -> Pipeline:
    class UntilEmpty(Day):
        def page(self, request: Request) -> bytes:
            return numbered(self.pages)(request)

    return UntilEmpty(days_of(4)).begin(root, source())


def resumed_load(root: Path | Ground) -> Pipeline:
    pipeline = first_load(root)
    assert live_until(pipeline, Doom(4, of="put raw"))
    assert 0 < pipeline.manifest().load.answered < 7
    return pipeline


def shrunk(root: Path | Ground) -> Pipeline:
    """Two pages landed that no manifest knows, and then the API has them no more."""
    day = Day(days_of(6), seconds=4.0)
    pipeline = day.begin(root)
    assert live_until(pipeline, Doom(5, of="put raw", after=True))
    assert pipeline.manifest().load.answered == 3
    day.pages = days_of(3)
    return pipeline


def adopted_load(root: Path | Ground) -> Pipeline:
    """What an older run left behind goes on under this one."""
    pipeline = resumed_load(root)
    pipeline.queue.messages.clear()
    pipeline.clock.time += 60.0
    pipeline.send(NEXT)
    return pipeline


def complete(root: Path | Ground, before: Pages) -> tuple[Pipeline, Day]:
    """A day that has landed, and a task to load it again."""
    day = Day(before)
    pipeline = day.begin(root)
    assert pipeline.drain()[0] == "complete"
    pipeline.send(NEXT, fresh=True)
    return pipeline, day


def longer_then_shorter(root: Path | Ground) -> Pipeline:
    pipeline, day = complete(root, days_of(6))
    day.pages = [*days_of(2), [], *days_of(4, word="b")[3:]]
    return pipeline


def shorter_then_longer(root: Path | Ground) -> Pipeline:
    pipeline, day = complete(root, with_gap(days_of(2)))
    day.pages = days_of(5, word="b")
    return pipeline


def emptied(root: Path | Ground) -> Pipeline:
    pipeline, day = complete(root, days_of(3))
    day.pages = [[]]
    return pipeline


def failing_again(root: Path | Ground) -> Pipeline:
    pipeline, day = complete(root, days_of(3))
    day.pages, day.broken = days_of(5, word="b"), {4}
    return pipeline


def after_a_failed_one(root: Path | Ground) -> Pipeline:
    pipeline = failing_again(root)
    assert pipeline.drain()[0] == "failed"
    pipeline.queue.dead.clear()
    day = pipeline.api
    assert isinstance(day, Day)
    day.broken = set()
    pipeline.send(THIRD, fresh=True)
    return pipeline


def promotion_of_an_older_run(root: Path | Ground) -> Pipeline:
    """A promotion that was begun is finished before the newer run loads."""
    pipeline, day = complete(root, days_of(3))
    day.pages = days_of(5, word="b")
    assert live_until(pipeline, Doom(1, of="copy raw"))
    assert pipeline.manifest().state == "promoting"
    pipeline.queue.messages.clear()
    pipeline.clock.time += 60.0
    day.pages = days_of(2, word="c")
    pipeline.send(THIRD, fresh=True)
    return pipeline


def permanent_failure(root: Path | Ground) -> Pipeline:
    day = Day(days_of(5))
    day.broken = {4}
    return day.begin(root)


def out_of_time(root: Path | Ground) -> Pipeline:
    pipeline = first_load(root)
    pipeline.budget = 3
    return pipeline


def outage(root: Path | Ground) -> Pipeline:
    """An API that is down at first: the breaker opens, and the task is sent away again and again."""
    day = Day(days_of(4))
    pipeline = day.begin(root)
    day.down_until = pipeline.clock.time + 400.0
    return pipeline


def total_mended(root: Path | Ground) -> Pipeline:
    """The declared total is one too many until the load is begun once more."""

    class Recounted(Day):
        def page(self, request: Request) -> bytes:
            return numbered(self.pages, total=7 - self.pipeline.manifest().load.restarts)(request)

    counted = {"style": "page", "total_records": "total", "size": 2}
    return Recounted(days_of(3)).begin(root, source(pagination=counted, parallel=2))


def csv_pages(root: Path | Ground) -> Pipeline:
    class Tables(Day):
        def page(self, request: Request) -> bytes:
            number = int(request.params["page"])
            rows = "".join(f"{record['id']},{record['word']}\r\n" for record in days_of(5)[number - 1])
            return f"id,word\r\n{rows}".encode() if number < 5 else b""

    return Tables([]).begin(root, source(format="csv"))


def json_lines(root: Path | Ground) -> Pipeline:
    class Lines(Day):
        def page(self, request: Request) -> bytes:
            number = int(request.params["page"])
            return b"".join(msgspec.json.encode(record) + b"\n" for record in days_of(5)[number - 1] if number < 5)

    return Lines([]).begin(root, source(format="ndjson"))


def window_of_time(root: Path | Ground) -> Pipeline:
    span = {"from": "since", "to": "until", "zone": "Europe/Warsaw"}
    return Day(days_of(4)).begin(root, source(date_param=None, window=span, pagination=DECLARED))


class Guarded(Day):
    """An API that takes its newest token alone. Each process asks for one of its own."""

    token_url = "https://login.test/token"

    def __init__(self, pages: Pages) -> None:
        super().__init__(pages)
        self.given, self.process = 0, object()

    def __call__(self, request: Request) -> bytes | Response:
        if self.process is not self.pipeline.worker:
            self.process, world = self.pipeline.worker, self.pipeline.world
            self.ask = Authenticated(self.serve, self.pipeline.sources, world.secrets, world.clock)
        return self.ask(request)

    def serve(self, request: Request) -> Response:
        if request.url == self.token_url:
            self.given += 1
            return Response(200, {}, msgspec.json.encode({"access_token": f"token-{self.given}"}))
        if request.headers.get("Authorization") != f"Bearer token-{self.given}":
            raise HttpError("the API answered 401", status=401)
        answer = super().__call__(request)
        assert isinstance(answer, bytes)
        return Response(200, {}, answer)


def secrets_and_salt(root: Path | Ground) -> Pipeline:
    """A token for each process, and a field that is hashed with a salt."""
    auth = {"style": "oauth2", "token_url": Guarded.token_url, "client_id": "us", "client_secret": "env:SECRET"}
    fields = {"hash": ["word"], "salt": "env:SALT"}
    pipeline = Guarded(days_of(5)).begin(root, source(auth=auth, fields=fields, pagination=DECLARED, parallel=2))
    pipeline.world = msgspec.structs.replace(pipeline.world, secrets=lambda wanted: f"the {wanted.name}")
    return pipeline


LOADS: list[Scenario] = [
    first_load, page_after_page, resumed_load, shrunk, adopted_load, out_of_time, outage, total_mended,
]  # fmt: skip
RELOADS: list[Scenario] = [
    longer_then_shorter, shorter_then_longer, emptied, failing_again, after_a_failed_one, promotion_of_an_older_run,
]  # fmt: skip
SOURCES: list[Scenario] = [csv_pages, json_lines, window_of_time, secrets_and_salt]
SCENARIOS: list[Scenario] = [*LOADS, *RELOADS, permanent_failure, *SOURCES]
