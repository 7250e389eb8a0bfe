"""What one delivery does about an API that gives no answer: when it sleeps, and what it tells the breaker."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from option_a.ingest.errors import TransientError
from option_a.ingest.lake.keys import breaker_key
from option_a.ingest.ports import Request
from option_a.ingest.resilience.retry import ATTEMPTS
from tests.support.pipeline import DATE, Pipeline


def down(tmp_path: Path, wish: float | None = None) -> Pipeline:
    def answer(request: Request) -> bytes:
        raise TransientError("the API answered 503", retry_after=wish)

    pipeline = Pipeline(tmp_path, answer)
    pipeline.send()
    return pipeline


def test_one_that_is_out_of_time_sleeps_out_no_wait(tmp_path: Path) -> None:
    pipeline = down(tmp_path)
    begun, pipeline.budget = pipeline.clock.now(), 1
    pipeline.step()
    assert (len(pipeline.requests), pipeline.clock.now()) == (1, begun)


def test_of_the_faults_of_one_request_all_but_the_first_are_counted(tmp_path: Path) -> None:
    pipeline = down(tmp_path)
    assert pipeline.step() == "waiting"
    state = pipeline.lake.get(breaker_key("s"))
    assert state is not None
    assert (len(pipeline.requests), json.loads(state)["failures"]) == (ATTEMPTS, ATTEMPTS - 1)


def test_a_long_wish_of_an_api_keeps_the_tasks_of_its_other_dates_away_too(tmp_path: Path) -> None:
    pipeline = down(tmp_path, wish=60.0)
    pipeline.send(date=DATE - dt.timedelta(days=1))
    assert [pipeline.step(), pipeline.step()] == ["waiting", "waiting"]
    assert len(pipeline.requests) == 1
