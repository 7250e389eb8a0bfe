"""Death at any call over a bucket and a queue like SQS, over S3 on the wire, and two deaths in a row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore, S3Store

from option_a.ingest.lake.bucket import BucketLake
from tests.conftest import Proof
from tests.support.aws.moto import REGION, MotoServer, moto_server
from tests.support.crashes.crash_trial import CrashTrial, end_state
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.crashes.scenarios import SCENARIOS, Scenario, first_load, longer_then_shorter
from tests.support.pipeline import Backend, Pipeline
from tests.support.queues.duplicating import DuplicatingQueue

BUCKETS = itertools.count()


def bucket() -> Backend:
    """A bucket in memory with conditional puts, and a queue that SQS may be."""
    return Backend(BucketLake(MemoryStore(), "memory://lake"), DuplicatingQueue)


def undisturbed(scenario: Scenario, root: Path | Backend) -> tuple[Pipeline, list[str]]:
    """The pipeline at its end, and every point to die at on the way."""
    pipeline, crash_point = scenario(root), CrashPoint(every_call=True)
    assert not run_until_crash(pipeline, crash_point)
    assert pipeline.differences() == []
    return pipeline, crash_point.points


@pytest.mark.bar(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_call_over_a_bucket_whose_queue_knows_no_task(scenario: Scenario, proof: Proof) -> None:
    calm, points = undisturbed(scenario, bucket())
    expected, tried = end_state(calm), 0
    for at, after in itertools.product(range(1, len(points) + 1), (False, True)):
        trial = CrashTrial(scenario(bucket()), calm)
        assert trial.crash(CrashPoint(at, after=after, every_call=True)), (at, after)
        trial.finish(expected)
        assert trial.excess_fetches == 0, (at, after)
        tried += 1
    proof.figure("crash points over a bucket and a queue like SQS", tried, least=2 * len(points))


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as running:
        yield running


def wired(server: MotoServer) -> Backend:
    """A new bucket of an S3 over the wire."""
    name = f"points-{next(BUCKETS)}"
    server.client("s3").create_bucket(Bucket=name)
    store = S3Store(
        name, endpoint=server.endpoint, region=REGION, access_key_id="testing", secret_access_key="testing",
        client_options={"allow_http": True},
    )  # fmt: skip
    return Backend(BucketLake(store, f"s3://{name}"), DuplicatingQueue)


@pytest.mark.bar(2)
def test_so_it_is_over_s3_on_the_wire(server: MotoServer, proof: Proof) -> None:
    step = proof.size(9, 1)
    for scenario in SCENARIOS if proof.full else (first_load, longer_then_shorter):
        calm, points = undisturbed(scenario, wired(server))
        expected, tried = end_state(calm), range(1, len(points) + 1, step)
        for at in tried:
            trial = CrashTrial(scenario(wired(server)), calm)
            assert trial.crash(CrashPoint(at, after=at // step % 2 == 0, every_call=True)), (scenario, at)
            trial.finish(expected)
        proof.figure("crash points over S3 on the wire", len(tried), least=len(points) // step)


@pytest.mark.bar(2)
def test_two_deaths_in_a_row_anywhere_leave_the_same_lake(tmp_path: Path, proof: Proof) -> None:
    calm = [undisturbed(scenario, tmp_path / str(n)) for n, scenario in enumerate(SCENARIOS)]
    expected = [end_state(pipeline) for pipeline, _ in calm]
    twice = 0
    for pair in range(proof.size(50, 2_400)):
        rng = proof.rng("pair", pair)
        which = rng.randrange(len(SCENARIOS))
        pipeline, points = calm[which]
        root = tmp_path / f"pair-{pair}" if rng.random() < 0.5 else bucket()
        trial = CrashTrial(SCENARIOS[which](root), pipeline)
        deaths = [CrashPoint(rng.randint(1, len(points)), after=rng.random() < 0.5, every_call=True) for _ in range(2)]
        died = [trial.crash(crash_point) for crash_point in deaths]
        assert died[0], (proof.seed, pair)
        trial.finish(expected[which])
        assert trial.excess_fetches == 0, (proof.seed, pair)
        twice += all(died)
    proof.figure("pairs of deaths", proof.size(50, 2_400))
    proof.figure("of them two before the end", twice, least=proof.size(20, 1_200))
