"""Death at any call over a bucket and a queue like SQS, over S3 on the wire, and two deaths in a row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore, S3Store

from option_a.ingest.lake.bucket import BucketLake
from tests.conftest import Proof
from tests.support.aws.moto import REGION, Aws, aws
from tests.support.crashes.port_crash import Doom, live_until
from tests.support.crashes.scenarios import SCENARIOS, Scenario, first_load, longer_then_shorter
from tests.support.crashes.trial import Trial, result
from tests.support.pipeline import Ground, Pipeline
from tests.support.queues.unreliable import SqsLike

BUCKETS = itertools.count()


def bucket() -> Ground:
    """A bucket in memory with conditional puts, and a queue that SQS may be."""
    return Ground(BucketLake(MemoryStore(), "memory://lake"), SqsLike)


def undisturbed(scenario: Scenario, root: Path | Ground) -> tuple[Pipeline, list[str]]:
    """The pipeline at its end, and every point to die at on the way."""
    pipeline, doom = scenario(root), Doom(everywhere=True)
    assert not live_until(pipeline, doom)
    assert pipeline.differences() == []
    return pipeline, doom.points


@pytest.mark.bar(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_call_over_a_bucket_whose_queue_knows_no_task(scenario: Scenario, proof: Proof) -> None:
    calm, points = undisturbed(scenario, bucket())
    expected, tried = result(calm), 0
    for at, after in itertools.product(range(1, len(points) + 1), (False, True)):
        trial = Trial(scenario(bucket()), calm)
        assert trial.die(Doom(at, after=after, everywhere=True)), (at, after)
        trial.end(expected)
        assert trial.beyond == 0, (at, after)
        tried += 1
    proof.figure("crash points over a bucket and a queue like SQS", tried, least=2 * len(points))


@pytest.fixture(scope="module")
def server() -> Iterator[Aws]:
    with aws() as running:
        yield running


def wired(server: Aws) -> Ground:
    """A new bucket of an S3 over the wire."""
    name = f"points-{next(BUCKETS)}"
    server.client("s3").create_bucket(Bucket=name)
    store = S3Store(
        name, endpoint=server.endpoint, region=REGION, access_key_id="testing", secret_access_key="testing",
        client_options={"allow_http": True},
    )  # fmt: skip
    return Ground(BucketLake(store, f"s3://{name}"), SqsLike)


@pytest.mark.bar(2)
def test_so_it_is_over_s3_on_the_wire(server: Aws, proof: Proof) -> None:
    step = proof.size(9, 1)
    for scenario in SCENARIOS if proof.full else (first_load, longer_then_shorter):
        calm, points = undisturbed(scenario, wired(server))
        expected, tried = result(calm), range(1, len(points) + 1, step)
        for at in tried:
            trial = Trial(scenario(wired(server)), calm)
            assert trial.die(Doom(at, after=at // step % 2 == 0, everywhere=True)), (scenario, at)
            trial.end(expected)
        proof.figure("crash points over S3 on the wire", len(tried), least=len(points) // step)


@pytest.mark.bar(2)
def test_two_deaths_in_a_row_anywhere_leave_the_same_lake(tmp_path: Path, proof: Proof) -> None:
    calm = [undisturbed(scenario, tmp_path / str(n)) for n, scenario in enumerate(SCENARIOS)]
    expected = [result(pipeline) for pipeline, _ in calm]
    twice = 0
    for pair in range(proof.size(50, 2_400)):
        rng = proof.rng("pair", pair)
        which = rng.randrange(len(SCENARIOS))
        pipeline, points = calm[which]
        root = tmp_path / f"pair-{pair}" if rng.random() < 0.5 else bucket()
        trial = Trial(SCENARIOS[which](root), pipeline)
        deaths = [Doom(rng.randint(1, len(points)), after=rng.random() < 0.5, everywhere=True) for _ in range(2)]
        died = [trial.die(doom) for doom in deaths]
        assert died[0], (proof.seed, pair)
        trial.end(expected[which])
        assert trial.beyond == 0, (proof.seed, pair)
        twice += all(died)
    proof.figure("pairs of deaths", proof.size(50, 2_400))
    proof.figure("of them two before the end", twice, least=proof.size(20, 1_200))
