"""A poison page fails its own partition at once, a poison message after five receives; mended, all of it lands."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from option_a.ingest.errors import HttpError
from option_a.ingest.ports import Request
from option_a.ingest.task import Task, encode_task
from tests.conftest import Proof
from tests.support.aws.moto import MotoServer, moto_server
from tests.support.crashes.port_crash import Crash
from tests.support.crashes.scenario_api import DECLARED
from tests.support.crashes.scenarios import NEXT
from tests.support.pipeline import DATE, RUN, ApiFunction, make_pages, numbered_pages, source
from tests.support.queues.harness import MemoryQueueHarness, QueueHarness, SqliteQueueHarness, SqsHarness

PAGES = 5
HEALTHY = numbered_pages(make_pages(PAGES), total_pages=PAGES)
Poison = tuple[int, Callable[[Request], bytes], str]


def refused(status: int) -> Callable[[Request], bytes]:
    def answer(request: Request) -> bytes:
        raise HttpError(f"the API answered {status}", status=status)

    return answer


def killing(request: Request) -> bytes:
    raise Crash


CAUSES: dict[str, tuple[Callable[[Request], bytes], str]] = {
    "html": (lambda request: b"<html>no</html>", "body"),
    "404": (refused(404), "http"),
    "cut short": (lambda request: HEALTHY(request)[:-9], "body"),
    "not UTF-8": (lambda request: HEALTHY(request).replace(b'"a"', b'"\xff"'), "body"),
    "empty": (lambda request: b"", "body"),
    "no list": (lambda request: b'{"error":"quota","total_pages":5}', "body"),
    "401": (refused(401), "http"),
    "403": (refused(403), "http"),
    "410": (refused(410), "http"),
    "no promise": (lambda request: HEALTHY(request).replace(b"total_pages", b"pages_total"), "pagination"),
}
UNREADABLE = [
    b"{poison", b"null", b"[]", b"\xe2\x98\x83 no task", b'{"source":"s"}', b'"s"', b"{}", b"[" * 5_000, b"0",
    b'{"source":"../s","date":"2023-11-01","run":"20231114T220000Z-a"}',
    b'{"source":"s","date":"2023-11-31","run":"20231114T220000Z-a"}',
    b'{"source":"s","date":"2023-11-01","run":"20231114T220000Z-a","page":3}',
]  # fmt: skip


def day(number: int) -> dt.date:
    return DATE - dt.timedelta(days=number)


class Poisoned:
    """An API whose dates have each a poison of their own, until they are mended. Source `t` has none."""

    def __init__(self, poisons: list[Poison]) -> None:
        self.poisons = {day(2 * number).isoformat(): poison for number, poison in enumerate(poisons)}
        self.asked: Counter[tuple[str, str, int]] = Counter()
        self.mended = False

    def __call__(self, request: Request) -> bytes:
        date, page = request.params["date"], int(request.params["page"])
        self.asked[request.source, date, page] += 1
        poison = self.poisons.get(date)
        if self.mended or request.source == "t" or poison is None or page != poison[0]:
            return HEALTHY(request)
        return poison[1](request)


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as running:
        yield running


class Place(NamedTuple):
    """Makes a post of one kind, with two sources; `few` is how much is tried there in short."""

    make: Callable[[ApiFunction], QueueHarness]
    few: int


@pytest.fixture(params=["memory", "SQLite", "SQS"])
def place(request: pytest.FixtureRequest, tmp_path: Path, server: MotoServer) -> Place:
    declared = [source(pagination=DECLARED, parallel=3, records="data"), source(name="t", url="https://api.test/t")]
    made: dict[str, Callable[[ApiFunction], QueueHarness]] = {
        "memory": lambda api: MemoryQueueHarness(tmp_path, api, *declared),
        "SQLite": lambda api: SqliteQueueHarness(tmp_path, api, *declared),
        "SQS": lambda api: SqsHarness(tmp_path, server, api, *declared),
    }
    return Place(made[request.param], 3 if request.param == "SQS" else 12)


def states(post: QueueHarness, tasks: list[Task]) -> list[str]:
    return [post.pipeline.manifest(task.source, task.date).state for task in tasks]


def assert_all_landed(post: QueueHarness, tasks: list[Task]) -> int:
    """How many of these partitions are complete, whole, and as the manifest has them."""
    assert states(post, tasks) == ["complete"] * len(tasks)
    for task in tasks:
        pages = post.pipeline.pages(task.source, task.date)
        assert sum(map(len, pages.values())) == 2 * PAGES
        assert post.pipeline.differences(task.source, task.date) == []
    return len(tasks)


@pytest.mark.bar(5)
def test_a_poison_page_fails_its_partition_at_once_and_lands_when_it_is_mended(place: Place, proof: Proof) -> None:
    every = [(page, answer, kind) for page in range(1, PAGES + 1) for answer, kind in CAUSES.values()]
    poisons = proof.rng("pages").sample(every, proof.size(place.few, len(every)))
    api = Poisoned(poisons)
    post = place.make(api)
    ill = [Task("s", day(2 * number), RUN) for number in range(len(poisons))]
    neighbours = [Task("s", day(2 * number + 1), RUN) for number in range(len(poisons))]
    neighbours += [Task("t", task.date, RUN) for task in ill]
    post.send([task for three in zip(ill, neighbours, neighbours[len(ill) :], strict=False) for task in three])
    post.drain()
    landed = assert_all_landed(post, neighbours)
    letters = {letter.task: letter for letter in post.dead_letters()}
    assert set(letters) == set(ill)
    for task, (page, _, kind) in zip(ill, poisons, strict=True):
        manifest, letter = post.pipeline.manifest(task.source, task.date), letters[task]
        assert (manifest.state, manifest.cause) == ("failed", letter.cause), task
        assert (letter.cause.kind, letter.cause.page) == (kind, page), task
        assert post.receive_counts[encode_task(task)] == letter.receives == 1, task
        assert api.asked[task.source, task.day, page] == 1, task
    api.mended = True
    post.redrive(NEXT)
    again = assert_all_landed(post, ill)
    assert post.dead_letters() == []
    proof.figure("poison pages", len(ill))
    proof.figure("most receives of one", float(max(post.receive_counts.values())), most=1)
    proof.figure("neighbours complete", landed, least=len(neighbours))
    proof.figure("landed after redrive", again, least=len(ill))


@pytest.mark.bar(5)
def test_a_poison_message_is_dead_after_five_receives_and_its_neighbours_land(place: Place, proof: Proof) -> None:
    post = place.make(Poisoned([]))
    poison = proof.rng("messages").sample(UNREADABLE, proof.size(place.few, len(UNREADABLE)))
    neighbours = [Task(name, day(number), RUN) for name in "st" for number in range(len(poison))]
    for body, task in zip(poison, neighbours, strict=False):
        post.put_raw("s", body)
        post.send([task])
    post.send(neighbours[len(poison) :])
    post.drain()
    assert_all_landed(post, neighbours)
    letters = post.dead_letters()
    assert {letter.body for letter in letters} == set(poison)
    assert {(letter.cause.kind, letter.task) for letter in letters} == {("receives", None)}
    receives = {post.receive_counts[body] for body in poison}
    assert receives == {5}
    proof.figure("messages that nobody can read", len(poison))
    proof.figure("receives until they are dead", float(max(receives)), least=5, most=5)
    proof.figure("neighbours complete", len(neighbours), least=len(neighbours))


@pytest.mark.bar(5)
@pytest.mark.parametrize("at", ["receipt", "page"])
def test_a_worker_that_dies_of_a_task_is_followed_five_times_and_the_task_lands_when_it_is_mended(
    at: str, place: Place, proof: Proof
) -> None:
    count = proof.size(2, 10)
    api = Poisoned([(1, killing, "receives")] * count if at == "page" else [])
    post = place.make(api)
    deadly = [Task("s", day(2 * number), RUN) for number in range(count)]
    neighbours = [Task("s", day(2 * number + 1), RUN) for number in range(count)]
    post.crash_on = {encode_task(task) for task in deadly} if at == "receipt" else set()
    post.send([*deadly, *neighbours])
    post.drain()
    assert_all_landed(post, neighbours)
    assert {(letter.task, letter.cause.kind) for letter in post.dead_letters()} == {
        (task, "receives") for task in deadly
    }
    receives = {post.receive_counts[encode_task(task)] for task in deadly}
    assert receives == {5}
    api.mended = True
    post.redrive(NEXT)
    proof.figure("tasks that kill their worker", count)
    proof.figure("receives until they are dead", float(max(receives)), least=5, most=5)
    proof.figure("landed after redrive", assert_all_landed(post, deadly), least=count)
    assert post.dead_letters() == []
