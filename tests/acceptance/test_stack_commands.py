"""Each command says the same of one machine and of a stack: one suite, run against both."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.resilience.circuit_breaker import CircuitBreaker
from option_a.workspace.clock import SystemClock
from tests.acceptance.command import DAY, Done, Place
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, data_body, serve_api
from tests.support.aws.deployed_stack import FakeStack
from tests.support.aws.moto import MotoServer

NAMES = ["orders", "events"]
DECLARED = """
[sources.orders]
url = "{url}/orders"
date_param = "date"
pagination = {{ style = "page", total_pages = "pages" }}
[sources.events]
url = "{url}/events"
date_param = "date"
"""
LINES = [b'{"id":1}', b'{"id":2}', b'{"id":3}']
_numbers = count(1)


def healthy(asked: ApiRequest) -> bytes:
    return data_body([b'{"id":%d}' % asked.page] if asked.page <= 3 else [], pages=3)


def poisoned(asked: ApiRequest) -> ApiResponse:
    return ApiResponse(b"<html>") if asked.page == 2 and asked.name == "orders" else ApiResponse(healthy(asked))


class There:
    """Where a command's work is done, as a test sees it."""

    def __init__(self, option_a: Place, stack: FakeStack | None) -> None:
        self.option_a, self.stack = option_a, stack

    def __call__(self, *arguments: str, **env: str) -> Done:
        return self.option_a(*arguments, **env)

    def working(self) -> AbstractContextManager[None]:
        """Somebody works: on one machine the command itself."""
        if self.stack is None:
            return nullcontext()
        return self.stack.worker_running(self.option_a.folder / "sources.toml", self.option_a.env)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        if self.stack is not None:
            return self.stack.objects(prefix)
        return {key: data for key, (_, data) in self.option_a.files().items() if key.startswith(prefix)}

    def lines(self, source: str) -> list[bytes]:
        pages = self.objects(f"raw/source={source}/")
        return [line for key in sorted(pages) for line in gzip.decompress(pages[key]).splitlines()]

    def delete(self, key: str) -> None:
        if self.stack is not None:
            self.stack.delete(key)
        else:
            (self.option_a.lake / key).unlink()


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serve_api(healthy) as running:
        yield running


@pytest.fixture(params=["machine", "stack"])
def there(request: pytest.FixtureRequest, tmp_path: Path, server: MotoServer, api: FakeApi) -> There:
    text = DECLARED.format(url=api.url)
    if request.param == "machine":
        found = There(Place(tmp_path), None)
    else:
        stack = FakeStack(server, f"OptionA{next(_numbers)}")
        stack.deploy(NAMES, text)
        found = There(Place(tmp_path, **stack.env), stack)
    found.option_a.declare(text)
    return found


def figures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of partitions, less what differs from run to run."""
    return [{key: row[key] for key in row if key not in ("run", "started", "finished")} for row in rows]


ROWS = [
    {"source": "events", "date": DAY, "state": "complete", "origin": "real", "pages": 3, "records": 3, "restated": 0},
    {"source": "orders", "date": DAY, "state": "complete", "origin": "real", "pages": 3, "records": 3, "restated": 0},
]


def test_run_loads_and_says_what_landed(there: There) -> None:
    with there.working():
        done = there("run", "--date", DAY)
    assert done.code == 0, done.err
    for name in NAMES:
        assert f"{name} {DAY}: complete, 3 pages, 3 records" in done.err
        assert there.lines(name) == LINES
    assert "2 partitions to load" in done.err
    assert "2 partitions, 6 pages, 6 records" in done.out
    assert there("dead").out == "0 dead letters\n"


def test_rows_of_run_and_status_are_the_same_everywhere(there: There) -> None:
    with there.working():
        answer = there("run", "--date", DAY, "--json").json()
    assert (answer["worked"], answer["ok"]) == (True, True)
    rows = sorted(figures(answer["partitions"]), key=lambda row: row["source"])
    assert [{key: row[key] for key in ROWS[0]} for row in rows] == ROWS
    assert {"bytes", "cause", "cause_kind", "message", "restated_pages"} | ROWS[0].keys() == rows[0].keys()
    status = there("status", "--json").json()
    assert figures([row for row in status["partitions"] if row["date"] == DAY]) == rows
    assert status["queues"] == []


def test_a_second_run_does_nothing(there: There, api: FakeApi) -> None:
    with there.working():
        there("run", "--date", DAY)
        asked, before = len(api.asked), there.objects()
        done = there("run", "--date", DAY)
    assert done.code == 0
    assert "Nothing to do: every requested partition is complete." in done.out
    assert (len(api.asked), there.objects()) == (asked, before)


def test_verify_finds_all_well_and_then_what_is_gone(there: There) -> None:
    with there.working():
        there("run", "--date", DAY)
    assert there("verify").out.endswith("all as the manifest has it\n")
    there.delete(f"raw/source=orders/ingestion_date={DAY}/page=000002.json.gz")
    done = there("verify", "--json")
    assert done.code == 1
    (difference,) = done.json()["differences"]
    assert (difference["what"], difference["message"]) == (
        "missing",
        f"orders {DAY} page 2: the object is missing",
    )


def test_a_fresh_run_restates_what_changed(there: There, api: FakeApi) -> None:
    with there.working():
        there("run", "--date", DAY)
        api.pages = lambda asked: data_body([b'{"id":%d}' % (asked.page + 7)] if asked.page <= 3 else [], pages=3)
        done = there("run", "--date", DAY, "--source", "orders", "--fresh", "--json")
    assert done.code == 0, done.err
    assert [row["restated"] for row in done.json()["partitions"]] == [3]
    assert there.lines("orders") == [b'{"id":8}', b'{"id":9}', b'{"id":10}']
    assert there.lines("events") == LINES
    assert there.objects("staging/") == {}


def test_backfill_loads_every_date(there: There) -> None:
    with there.working():
        done = there("backfill", "--from", "2024-04-29", "--to", DAY, "--json")
    assert done.code == 0, done.err
    rows = done.json()["partitions"]
    assert sorted({row["date"] for row in rows}) == ["2024-04-29", "2024-04-30", DAY]
    assert {row["state"] for row in rows} == {"complete"}
    assert len(rows) == 6


@pytest.mark.bar(5)
def test_a_failing_source_fails_alone_and_lands_after_redrive(there: There, api: FakeApi) -> None:
    api.pages = poisoned
    with there.working():
        done = there("run", "--date", DAY)
        assert done.code == 1
        assert f"error: orders {DAY} page 2: " in done.err
        assert f"events {DAY}: complete" in done.err
        (letter,) = there("dead", "--json").json()
        assert (letter["source"], letter["date"], letter["cause"]["kind"]) == ("orders", DAY, "body")
        assert "1 dead letter. When the cause is fixed: option-a redrive" in there("dead").out
        (queue,) = there("status", "--json").json()["queues"]
        assert (queue["queue"], queue["dead"], queue["visible"]) == ("orders", 1, 0)
        logs = there("logs", "orders", DAY, "--json").json()
        assert (logs["state"], [attempt["outcome"] for attempt in logs["attempts"]]) == ("failed", ["failed"])
        api.pages = healthy
        done = there("redrive")
    assert done.code == 0, done.err
    assert there.lines("orders") == LINES
    assert there("dead").out == "0 dead letters\n"
    assert there("redrive").out == "Nothing to do.\n"
    assert there("verify").code == 0


def test_redrive_of_what_is_still_ill_fails_again_and_keeps_one_letter(there: There, api: FakeApi) -> None:
    api.pages = poisoned
    with there.working():
        there("run", "--date", DAY)
        done = there("redrive", "--cause", "body")
    assert done.code == 1
    assert f"error: orders {DAY} page 2: " in done.err
    assert len(there("dead", "--json").json()) == 1


def test_plan_and_check_look_and_touch_nothing(there: There) -> None:
    planned = there("plan", "--date", DAY, "--json").json()
    assert [(task["source"], task["why"]) for task in planned] == [("orders", "missing"), ("events", "missing")]
    assert [(row["name"], row["origin"]) for row in there("check", "--json").json()] == [
        ("orders", "real"),
        ("events", "real"),
    ]
    assert there.objects() == {}


def test_status_shows_a_source_that_is_down_and_until_when_it_is_not_asked(there: There) -> None:
    lake = there.stack.lake() if there.stack is not None else FolderLake(there.option_a.lake)
    now = time.time()
    CircuitBreaker(lake, "orders", SystemClock()).failed("the API answered 503", 600.0)
    (down,) = there("status", "--json").json()["breakers"]
    assert (down["source"], down["failures"], down["why"]) == ("orders", 1, "the API answered 503")
    assert now + 600 <= down["until"] <= time.time() + 600
    shown = there("status").out.partition("Down, so not requested for now:")[2].splitlines()
    assert [line.split()[0] for line in shown if "the API answered 503" in line] == ["orders"]
    other = there("status", "--source", "events")
    assert ("Down" in other.out, other.code) == (False, 0)


def test_logs_of_nothing_say_so(there: There) -> None:
    done = there("logs", "orders", DAY)
    assert done.code == 1
    assert f"orders {DAY}: not started" in done.err


def test_cancel_of_nothing_takes_nothing_back(there: There) -> None:
    assert there("cancel", "orders", "--from", DAY, "--to", DAY).out == "0 tasks removed from the queue\n"
    done = there("cancel", "nobody", "--from", DAY, "--to", DAY)
    assert (done.code, "no source `nobody`" in done.err) == (2, True)
