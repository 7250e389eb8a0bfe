"""Bar 15. One process that runs and backfills without a pause, against an API with faults: what it holds stays flat."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from tests.acceptance.command import Place
from tests.conftest import Proof
from tests.prove.chart import draw
from tests.prove.table import DOCUMENT
from tests.support.apis.changing_api import NAMES, WORKER_VARIABLE, ChangingApi, sources_toml
from tests.support.apis.flaky_api import FlakyApi
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.apis.page_server import ApiRequest
from tests.support.resources.process_usage import ONE_ARENA, ProcessUsage, unavailable_reason
from tests.support.resources.usage_series import UsageSeries

DAYS = [f"2024-05-{day:02d}" for day in range(1, 4)]
CHART = DOCUMENT.with_name("reliability-soak.svg")


class Soak:
    """The process, told what to do a round at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def round(self, *commands: tuple[str, ...]) -> ProcessUsage:
        """Let it call the commands; what it holds then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(commands), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the process has ended"
        codes, held = msgspec.json.decode(answer, type=tuple[list[int], ProcessUsage])
        assert codes == [0] * len(commands), (codes, commands)
        return held


@contextmanager
def soaking(option_a: Place) -> Iterator[Soak]:
    """A process that lives as long as the block."""
    command = [sys.executable, "-m", "tests.support.resources.soak"]
    with subprocess.Popen(
        command, cwd=option_a.folder, env=option_a.env | ONE_ARENA | {WORKER_VARIABLE: "soak"}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield Soak(process)
        finally:
            process.kill()


@contextmanager
def faulty(option_a: Place, proof: Proof) -> Iterator[tuple[ChangingApi, FlakyApi]]:
    """An API whose days change and which often fails, declared."""
    api = ChangingApi(DAYS, proof.rng("days"), seconds=0.0)

    def answer(exchange: Exchange) -> bytes:
        parts = urlsplit(exchange.target)
        found = api(ApiRequest(parts.path, dict(parse_qsl(parts.query))))
        return reply(found.body, headers=found.headers)

    behaviour = FlakyApi(answer, proof.rng("faults"))
    with Server(behaviour) as server:
        api.url = server.url
        option_a.declare(sources_toml(server.url))
        yield api, behaviour


@pytest.mark.bar(15)
@pytest.mark.timeout(3600)
@pytest.mark.skipif(unavailable_reason() is not None, reason=str(unavailable_reason()))
def test_a_process_that_loads_without_a_pause_holds_no_more_from_round_to_round(tmp_path: Path, proof: Proof) -> None:
    option_a, seconds = Place(tmp_path), proof.size(10, 1800)
    rounds: list[ProcessUsage] = []
    with faulty(option_a, proof) as (api, server), soaking(option_a) as soak:
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(rounds) < 6:
            day = DAYS[len(rounds) % len(DAYS)]
            every = ("backfill", "--from", DAYS[0], "--to", DAYS[-1], "--only", "all")
            rounds.append(soak.round(("run", "--date", day, "--fresh"), every, ("redrive",), ("status",)))
            for name in NAMES:
                assert option_a.lines(name, day) == api.lines(name, day), (name, day, f"--seed {proof.seed}")
            api.add_versions()
        faults = server.seen.total() - server.seen["answers"]
    if proof.full:
        CHART.write_text(draw(rounds, seconds / 60), "utf-8")
    print([(h.memory, h.files, h.threads) for h in rounds], server.seen)
    UsageSeries(rounds).assert_flat(proof, "of one process")
    proof.figure("answers", server.seen["answers"])
    proof.figure("faults", faults)
