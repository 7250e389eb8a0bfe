"""Fuzz: whatever bytes come from a queue, a file, a lake or an API: the answer is a value or an error of ours."""

from __future__ import annotations

import gc
import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from option_a.ingest.errors import PermanentError, TransientError
from option_a.ingest.http.client import HttpFetch
from option_a.ingest.ports import Request
from tests.conftest import Proof
from tests.faults.http.test_broken_answers import ANSWERS
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.clock import FakeClock
from tests.support.fuzz.checks import check_error
from tests.support.fuzz.engine import HANG, FuzzFailure, Target, fuzz
from tests.support.fuzz.manifest import folder
from tests.support.fuzz.targets import TARGETS

pytestmark = pytest.mark.bar(12)

SHORT, FULL = 400, 48_000
"""Inputs of a target whose share is 1."""
MILLION, SHARES = 1_000_000, 0.2 + sum(target.share for target in TARGETS.values())
"""What there must be of them in all, and the parts that it is made of: those of a folder and of HTTP are 0.1 each."""
GUIDED = [
    "tasks", "dead letters", "row filters", "environment", "segments", "keys", "gzip bodies", "CSV bodies", "headers",
    "addresses",
    "what answers tell", "JSON bodies",
]  # fmt: skip
NO_ATHERIS = "atheris is not installed: pip install --require-hashes -r requirements-prove.txt (Linux on x86_64)"


def tried(target: Target, proof: Proof) -> None:
    """So many inputs of a target, as figures."""
    tally = fuzz(target, max(1, int(proof.size(SHORT, FULL) * target.share)), proof.seed)
    assert tally.taken
    proof.figure("inputs", tally.inputs, least=proof.size(1, math.ceil(MILLION * target.share / SHARES)))
    proof.figure("inputs by target", f"{target.name} {tally.inputs:_} ({tally.taken:_} taken)")
    proof.figure("crashes", 0, most=0)
    proof.figure("hangs", 0, most=0)
    proof.figure("slowest input, ms of CPU", round(tally.slowest * 1_000, 1))


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_bytes_come_they_are_taken_or_refused(name: str, proof: Proof) -> None:
    tried(TARGETS[name], proof)


def test_whatever_a_key_is_it_stays_in_the_folder(proof: Proof, tmp_path: Path) -> None:
    tried(folder(tmp_path), proof)


# urllib3 leaves an answer whose Content-Length contradicts itself to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whatever_a_server_sends_is_a_response_or_an_error(proof: Proof) -> None:
    said = [b""]

    def behave(exchange: Exchange) -> None:
        exchange.send(said[0])
        exchange.close()

    with Server(behave) as server:
        fetch = HttpFetch(FakeClock())

        def run(data: bytes) -> bool:
            said[0] = data
            try:
                return fetch(Request("s", server.url, timeout=HANG, max_body=10_000)).status == 200
            except (TransientError, PermanentError) as error:
                check_error(error)
                return False

        seeds = [*ANSWERS.values(), reply(b"", 302, {"Location": "/x"}), reply(b"no", 429, {"Retry-After": "9"})]
        words = [
            b"\r\n",
            b"\r\n\r\n",
            b"HTTP/1.1 ",
            b"Content-Length: ",
            b"Transfer-Encoding: chunked\r\n",
            b"100",
            b": ",
            b"gzip",
        ]
        tried(Target("HTTP", seeds, run, 0.1, words), proof)
    gc.collect()  # here, and not in whatever test is next


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason=NO_ATHERIS)
def test_nor_does_coverage_guided_fuzzing_find_anything(proof: Proof) -> None:
    for name in proof.rng("guided").sample(GUIDED, proof.size(2, len(GUIDED))):
        guided(name, proof)


def guided(name: str, proof: Proof) -> None:
    """One target under libFuzzer."""
    runs = proof.size(200, 10_000)
    command = [
        sys.executable,
        "-m",
        "tests.support.fuzz.coverage",
        name,
        "--runs",
        str(runs),
        "--seed",
        str(proof.seed),
    ]
    done = subprocess.run(command, capture_output=True, timeout=3_600, cwd=Path(__file__).parents[2])
    told = done.stderr.decode(errors="replace")[-3_000:]
    assert done.returncode == 0, f"{name} --seed {proof.seed}: {done.stdout.decode(errors='replace')[-3_000:]}\n{told}"
    (found,) = re.findall(r"Done (\d+) runs", told)
    proof.figure("coverage-guided inputs", int(found), least=runs)


def test_an_input_without_an_end_is_told_too() -> None:
    def run(data: bytes) -> bool:
        while b"9" * 30 in data:
            pass
        return True

    with pytest.raises(FuzzFailure, match=r"the test's own, input \d+ of --seed 7: no end\n.*999"):
        fuzz(Target("the test's own", [b"x"], run), 5_000, 7, hang=0.4)


def test_a_fault_is_told_with_its_input_and_how_to_replay_it() -> None:
    def run(data: bytes) -> bool:
        if b"9" * 30 in data:
            raise ZeroDivisionError
        return True

    target = Target("the test's own", [b"x"], run)
    with pytest.raises(
        FuzzFailure, match=r"the test's own, input \d+ of --seed 7: ZeroDivisionError\(\)\n.*999"
    ) as one:
        fuzz(target, 5_000, 7)
    with pytest.raises(FuzzFailure) as two:
        fuzz(target, 5_000, 7)
    assert str(one.value) == str(two.value)
