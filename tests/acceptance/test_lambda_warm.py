"""Bar 15. A function that is warm is invoked again and again, its API with faults: what it holds stays flat."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from option_a.ingest.config.source import DEFAULT_NAMES
from option_a.ingest.http.mock import mock_body
from option_a.ingest.task import Task
from tests.conftest import Proof
from tests.support.apis.flaky_api import FlakyApi
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.aws.lambda_stack import DAY, LambdaStack, real_http_env
from tests.support.aws.moto import moto_server
from tests.support.resources.process_usage import ONE_ARENA, ProcessUsage, unavailable_reason
from tests.support.resources.usage_series import UsageSeries


def answer(exchange: Exchange) -> bytes:
    """The mock data over HTTP."""
    parts = urlsplit(exchange.target)
    query = parse_qs(parts.query)
    return reply(mock_body(parts.path.strip("/"), query["date"][0], query["page"][0]))


@pytest.mark.bar(15)
@pytest.mark.timeout(3600)
@pytest.mark.skipif(unavailable_reason() is not None, reason=str(unavailable_reason()))
def test_a_warm_function_holds_no_more_from_invocation_to_invocation(asset: Path, runtime: Path, proof: Proof) -> None:
    held: list[ProcessUsage] = []
    faults = FlakyApi(answer, proof.rng("lambda"))
    with moto_server() as server, Server(faults) as api:
        stack = LambdaStack(server, asset, runtime)
        with stack.function("worker", **real_http_env(api), **ONE_ARENA) as worker:
            for number in range(proof.size(12, 400)):
                run = f"20240501T{number // 60:06d}Z-{number:06d}"
                source = DEFAULT_NAMES[number % len(DEFAULT_NAMES)]
                stack.queues.send([Task(source, dt.date.fromisoformat(DAY), run, fresh=True)])
                stack.drain(worker)
                held.append(ProcessUsage.of(worker.process.pid))
    UsageSeries(held).assert_flat(proof, "of a warm function")
