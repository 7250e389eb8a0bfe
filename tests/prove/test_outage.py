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
from tests.support.aws.moto import Aws, aws
from tests.support.queues.sqlite import SeenQueue
from tests.support.simulation.outage import Answers, Down, within_a_minute
from tests.support.simulation.process import Watched
from tests.support.simulation.sqs import SqsLike
from tests.support.simulation.wire import WireQueue

pytestmark = pytest.mark.bar(10)

WAYS = {
    "503": Answers("the API answered 503"),
    "503, Retry-After 2": Answers("the API answered 503", wish=2.0),
    "503, Retry-After 3600": Answers("the API answered 503", wish=3600.0),
    "429": Answers("the API answered 429"),
    "429, Retry-After 60": Answers("the API answered 429", wish=60.0),
    "reset": Answers("connection reset"),
}
Made = Callable[[Clock, Random], Watched]
OPENING = THRESHOLD + 2
"""Faults that open a breaker, and two of deliveries that were asked to stop; beside them two a worker are under way."""


def sqlite(clock: Clock, rng: Random) -> Watched:
    return SeenQueue(Path(":memory:"), clock)


def sqs(clock: Clock, rng: Random) -> Watched:
    return SqsLike(clock, rng, again=0.002, old_receipts=True)


def show(trial: Down, proof: Proof, tasks: int, workers: int, case: str) -> None:
    """The figures of an outage within patience."""
    again = f"{case} (--seed {proof.seed})"
    assert trial.queue.dead_letters() == [], again
    assert trial.landed == tasks, again
    asked = [trial.asked(name) for name in trial.sources]
    first, later = max(len(before) for before, _ in asked), max(within_a_minute(after) for _, after in asked)
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
        answers = Answers(down.what, down.wish, hours=4.0, after=after / workers)
        trial = Down(seed, answers, queue, workers=workers, tasks=tasks, lambdas=queue is sqs).run()
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
        down = Answers("the API answered 503", hours=9.0)
        trial = Down(seed, down, queue, workers=4, tasks=20, lambdas=queue is sqs).run()
        letters = trial.queue.dead_letters()
        told = {(x.cause.kind, "503" in x.cause.message, "patience of 6h" in x.cause.message) for x in letters}
        assert told == {("patience", True, True)}, (number, told)
        assert {letter.task.partition for letter in letters if letter.task} == {task.partition for task in trial.tasks}
        assert trial.failed() == sorted(task.partition for task in trial.tasks)
        assert trial.settled < trial.over
        busiest = max(within_a_minute(trial.asked(name)[1]) for name in trial.sources)
        proof.figure("requests a source in any minute after that", float(busiest), most=1.0)
        proof.figure("beyond patience: dead letters with their cause", len(letters), least=20)
        proof.figure("beyond patience: landed by one redrive", trial.redriven().landed, least=20)
        assert trial.queue.dead_letters() == []


@pytest.fixture(scope="module")
def cloud() -> Iterator[Aws]:
    with aws() as served:
        yield served


def test_so_it_is_over_the_wire(cloud: Aws, proof: Proof) -> None:
    """The SQS client that is deployed, against a server with its receive counts, delays and dead-letter queues."""
    hours, tasks = proof.size(1, 4), proof.size(2, 30)
    stack = "Outage"
    cloud.make_queues(stack, ("s0", "s1"))

    def made(clock: Clock, rng: Random) -> Watched:
        return WireQueue(cloud, stack, ("s0", "s1"), clock)

    down = Answers("the API answered 503", hours=float(hours))
    trial = Down(proof.seed, down, made, workers=proof.size(2, 5), tasks=tasks, lambdas=True).run()
    show(trial, proof, tasks, 5, "over the wire")


def hash_of(proof: Proof, *case: object) -> int:
    """A seed of its own for each case."""
    return proof.rng(*case).getrandbits(48)
