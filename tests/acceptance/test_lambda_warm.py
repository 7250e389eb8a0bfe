"""Bar 15. A function that is warm is invoked again and again, its API with faults: what it holds stays flat."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from option_a.ingest.config.source import DEFAULT_NAMES
from option_a.ingest.http.mock import body_of
from option_a.ingest.task import Task
from tests.conftest import Proof
from tests.support.apis.faulty_server import Faulty
from tests.support.apis.server import Exchange, Server, reply
from tests.support.aws.lambda_stack import DAY, Stack, pointing_to
from tests.support.aws.moto import aws
from tests.support.resources.flat import Series
from tests.support.resources.held import ONE_ARENA, Held, why_not


def answer(exchange: Exchange) -> bytes:
    """The mock data over HTTP."""
    parts = urlsplit(exchange.target)
    query = parse_qs(parts.query)
    return reply(body_of(parts.path.strip("/"), query["date"][0], query["page"][0]))


@pytest.mark.bar(15)
@pytest.mark.timeout(3600)
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_a_warm_function_holds_no_more_from_invocation_to_invocation(asset: Path, runtime: Path, proof: Proof) -> None:
    held: list[Held] = []
    faults = Faulty(answer, proof.rng("lambda"))
    with aws() as server, Server(faults) as api:
        stack = Stack(server, asset, runtime)
        with stack.function("worker", **pointing_to(api), **ONE_ARENA) as worker:
            for number in range(proof.size(12, 400)):
                run = f"20240501T{number // 60:06d}Z-{number:06d}"
                source = DEFAULT_NAMES[number % len(DEFAULT_NAMES)]
                stack.queues.send([Task(source, dt.date.fromisoformat(DAY), run, fresh=True)])
                stack.drain(worker)
                held.append(Held.of(worker.process.pid))
    Series(held).stays_flat(proof, "of a warm function")
