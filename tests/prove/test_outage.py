"""APIs that are down for four hours: hardly asked meanwhile, no dead letter, and then everything lands unaided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random

import pytest

from option_a.ingest.ports import Clock
from option_a.ingest.resilience.circuit_breaker import THRESHOLD
from tests.conftest import Proof
from tests.support.aws.moto import MotoServer, moto_server
from tests.support.queues.moto_sqs import MotoSqsQueue
from tests.support.queues.sqlite import InspectableSqliteQueue
from tests.support.queues.sqs_like import SqsLikeQueue
from tests.support.simulation.outage import OutageKind, OutageTrial, most_per_minute
from tests.support.simulation.process import InspectableQueue

pytestmark = pytest.mark.bar(10)

WAYS = {
    "503": OutageKind("the API answered 503"),
    "503, Retry-After 2": OutageKind("the API answered 503", retry_after=2.0),
    "503, Retry-After 3600": OutageKind("the API answered 503", retry_after=3600.0),
    "429": OutageKind("the API answered 429"),
    "429, Retry-After 60": OutageKind("the API answered 429", retry_after=60.0),
    "reset": OutageKind("connection reset"),
}
Made = Callable[[Clock, Random], InspectableQueue]
OPENING = THRESHOLD + 2
"""Faults that open a breaker, and two of deliveries that were asked to stop; beside them two a worker are under way."""


def sqlite(clock: Clock, rng: Random) -> InspectableQueue:
    return InspectableSqliteQueue(Path(":memory:"), clock)


def sqs(clock: Clock, rng: Random) -> InspectableQueue:
    return SqsLikeQueue(clock, rng, again=0.002, old_receipts=True)


def show(trial: OutageTrial, proof: Proof, tasks: int, workers: int, case: str) -> None:
    """The figures of an outage within patience."""
    again = f"{case} (--seed {proof.seed})"
    assert trial.queue.dead_letters() == [], again
    assert trial.landed == tasks, again
    asked = [trial.asked(name) for name in trial.sources]
    first, later = max(len(before) for before, _ in asked), max(most_per_minute(after) for _, after in asked)
    assert later, again
    proof.figure("outages", 1)
    proof.figure("tasks", tasks)
    proof.figure("landed unaided", trial.landed, least=tasks)
    proof.figure("dead letters", 0, most=0)
    proof.figure("requests until a source's breaker was open to all", float(first), most=float(2 * workers + OPENING))
    proof.figure("requests a source in any minute after that", float(later), most=1.0)
    waited = (trial.settled - trial.over) / 60.0
    proof.figure("minutes from the end of an outage until all had landed", round(waited, 1), most=40.0)


@pytest.mark.parametrize("queue", [sqlite, sqs])
@pytest.mark.parametrize("name", WAYS)
def test_an_outage_within_patience(name: str, queue: Made, proof: Proof) -> None:
    down = WAYS[name]
    trials = list(product((1, 3, 10), (0.0, 15.0), range(proof.size(1, 5))))
    for workers, after, number in trials if proof.full else trials[-2:-1]:
        seed, tasks = hash_of(proof, name, workers, after, number), 30
        answers = OutageKind(down.what, down.retry_after, hours=4.0, after=after / workers)
        trial = OutageTrial(seed, answers, queue, workers=workers, tasks=tasks, lambdas=queue is sqs).run()
        show(
            trial,
            proof,
            tasks,
            workers,
            f"{name}, {workers} workers, outage from second {after / workers}, trial {number}",
        )


@pytest.mark.parametrize("queue", [sqlite, sqs])
def test_beyond_patience_every_task_is_a_dead_letter_with_its_cause_and_a_redrive_lands_it(
    queue: Made, proof: Proof
) -> None:
    for number in range(proof.size(1, 10)):
        seed = hash_of(proof, "beyond", queue is sqs, number)
        down = OutageKind("the API answered 503", hours=9.0)
        trial = OutageTrial(seed, down, queue, workers=4, tasks=20, lambdas=queue is sqs).run()
        letters = trial.queue.dead_letters()
        told = {(x.cause.kind, "503" in x.cause.message, "patience of 6h" in x.cause.message) for x in letters}
        assert told == {("patience", True, True)}, (number, told)
        assert {letter.task.partition for letter in letters if letter.task} == {task.partition for task in trial.tasks}
        assert trial.failed() == sorted(task.partition for task in trial.tasks)
        assert trial.settled < trial.over
        busiest = max(most_per_minute(trial.asked(name)[1]) for name in trial.sources)
        proof.figure("requests a source in any minute after that", float(busiest), most=1.0)
        proof.figure("beyond patience: dead letters with their cause", len(letters), least=20)
        proof.figure("beyond patience: landed by one redrive", trial.redrive_failed().landed, least=20)
        assert trial.queue.dead_letters() == []


@pytest.fixture(scope="module")
def cloud() -> Iterator[MotoServer]:
    with moto_server() as served:
        yield served


def test_so_it_is_over_the_wire(cloud: MotoServer, proof: Proof) -> None:
    """The SQS client that is deployed, against a server with its receive counts, delays and dead-letter queues."""
    hours, tasks = proof.size(1, 4), proof.size(2, 30)
    stack = "Outage"
    cloud.make_queues(stack, ("s0", "s1"))

    def made(clock: Clock, rng: Random) -> InspectableQueue:
        return MotoSqsQueue(cloud, stack, ("s0", "s1"), clock)

    down = OutageKind("the API answered 503", hours=float(hours))
    trial = OutageTrial(proof.seed, down, made, workers=proof.size(2, 5), tasks=tasks, lambdas=True).run()
    show(trial, proof, tasks, 5, "over the wire")


def hash_of(proof: Proof, *case: object) -> int:
    """A seed of its own for each case."""
    return proof.rng(*case).getrandbits(48)
