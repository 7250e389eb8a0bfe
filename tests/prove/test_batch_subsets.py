"""A batch of ten, whichever of them fail and however: just those are named, and none is lost, doubled or held up."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.telemetry import Telemetry
from option_a.aws.functions.worker import OUTAGE, SqsBatchHandler
from option_a.ingest.errors import LakeError
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request
from option_a.ingest.task import Task, decode_task
from tests.conftest import Proof
from tests.support.aws.event_source_mapping import FakeLambdaContext
from tests.support.pipeline import RUN, Pipeline, make_pages, numbered_pages, source
from tests.support.queues.memory import MAX_RECEIVES, MemoryQueue

SIZE = 10
KINDS = ("body", "poison", "lake", "crash")
NAMED = {"poison", "lake", "crash"}
"""What stays on the queue; a body that is none is in the dead letters already."""
FIRST = dt.date(2023, 11, 1)


class Queue(MemoryQueue):
    """The names of queues are those of sources here."""

    def source_of(self, name: str) -> str:
        return name


class Ailing(FolderLake):
    """Refuses the manifests of some dates."""

    ill: frozenset[str] = frozenset()

    def read(self, key: str) -> tuple[bytes, str] | None:
        if key in self.ill:
            raise LakeError(f"cannot read {key}")
        return super().read(key)


class Trial:
    """Ten tasks of ten dates, each with what is to befall it ('' for nothing), in the order of their delivery."""

    def __init__(self, root: Path, fates: list[str], cut: int) -> None:
        self.fates = {FIRST + dt.timedelta(days=n): fate for n, fate in enumerate(fates)}
        self.pipeline = Pipeline(root, self._answer, source())
        self.queue, self.lake = Queue(self.pipeline.clock), Ailing(root)
        self.lake.ill = frozenset(manifest_key(Partition("s", day)) for day in self.days("lake"))
        self.begun, self._cut = 0, cut
        for day, fate in self.fates.items():
            if fate == "poison":
                self.queue.send_raw("s", f"{{poison {day}".encode())
            else:
                self.queue.send([Task("s", day, RUN)])

    def days(self, fate: str) -> list[dt.date]:
        return [day for day, its in self.fates.items() if its == fate]

    def _answer(self, request: Request) -> bytes:
        fate = self.fates[dt.date.fromisoformat(request.params["date"])]
        if fate == "crash":
            raise RuntimeError("a defect")
        return b"<html>" if fate == "body" else numbered_pages(make_pages(1))(request)

    def invoke(self, shuffle: random.Random) -> set[dt.date] | None:
        """One invocation with all that is visible; the dates that its answer names, None if it raised."""
        deliveries = []
        while delivery := self.queue.receive(["s"], lease=5_400.0):
            deliveries.append(delivery)
        shuffle.shuffle(deliveries)
        self.order = [self._day(delivery.body) for delivery in deliveries]
        records = [
            {
                "messageId": day.isoformat(), "receiptHandle": delivery.receipt, "body": delivery.body.decode(),
                "attributes": {"ApproximateReceiveCount": str(delivery.receives)}, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:s",
            }
            for day, delivery in zip(self.order, deliveries, strict=True)
        ]  # fmt: skip
        if not records:
            return set()
        try:
            answer = self._handler(records)({"Records": records}, FakeLambdaContext(self._left))
        except (LakeError, RuntimeError):
            return None
        named = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for record, delivery in zip(records, deliveries, strict=True):
            if record["messageId"] not in named:
                self.queue.ack(delivery)
        return {dt.date.fromisoformat(name) for name in named}

    def _left(self) -> float:
        """The invocation's time is over when so many of its records have come to an end."""
        ended = sum(1 for event in self.pipeline.events if event.kind in ("complete", "failed", "unreadable"))
        return 900.0 if ended < self._cut else 1.0

    def _handler(self, records: list[dict[str, Any]]) -> SqsBatchHandler:
        Metrics(namespace="Test", service="test").clear_metrics()  # all instances of a process share theirs
        telemetry = Telemetry(Logger(service="test", level="CRITICAL"), Metrics(namespace="Test", service="test"))
        world = msgspec.structs.replace(
            self.pipeline.services, queue=self.queue, lake=self.lake, emit=self.pipeline.events.append
        )
        return SqsBatchHandler(world, self.queue, self.pipeline.sources, telemetry)  # type: ignore[arg-type]

    def _day(self, body: bytes) -> dt.date:
        return dt.date.fromisoformat(body[-10:].decode()) if body.startswith(b"{p") else decode_task(body).date

    def mended(self) -> None:
        """The causes are gone, time has passed, and the invocation has time."""
        self.fates = {day: fate if fate == "poison" else "" for day, fate in self.fates.items()}
        self.lake.ill, self._cut = frozenset(), 10**6
        self.pipeline.clock.time += 2 * OUTAGE + 5_400.0

    def state(self, day: dt.date) -> list[str]:
        """Where a task is: done, dead, or on the queue, the same message or a new one. It is in one place alone."""
        live = [m.body for m in self.queue.messages if self._day(m.body) == day]
        found = ["new" if b'"hop"' in body else "kept" for body in live]
        found += [f"dead: {letter.cause.kind}" for letter in self.queue.dead if self._day(letter.body) == day]
        manifest = self.lake.get(manifest_key(Partition("s", day))) if day not in self.days("lake") else None
        return found + (["complete"] if manifest is not None and b'"state":"complete"' in manifest else [])


def expected(trial: Trial, cut: int) -> tuple[set[dt.date], dict[dt.date, list[str]]]:
    """Which dates are named, and where each task is, after records in that order and an end of time after `cut`."""
    named, places, ended = set(), {}, 0
    for day in trial.order:
        fate, late = trial.fates[day], ended >= cut
        ended += fate in ("", "body", "poison") and not (late and fate != "poison")
        if late and fate != "poison":
            places[day] = ["new"]
        else:
            named |= {day} if fate in NAMED else set()
            places[day] = {"": ["complete"], "body": ["dead: body"]}.get(fate, ["kept"])
    return named, places


def fates_of(mask: int, rng: random.Random) -> list[str]:
    return [rng.choice(KINDS) if mask >> n & 1 else "" for n in range(SIZE)]


@pytest.mark.bar(4)
def test_of_every_subset_of_ten_just_those_that_fail_are_named(
    tmp_path: Path, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    every = list(range(2**SIZE))
    masks = every if proof.full else [0, *sorted(proof.rng("masks").sample(every[1:-1], 30)), every[-1]]
    kinds: dict[str, int] = {}
    for mask in masks:
        rng = proof.rng("subset", mask)
        fates, cut = fates_of(mask, rng), rng.choice([10**6, 10**6, 10**6, rng.randrange(1, SIZE)])
        case = f"subset {mask:010b} with {fates}, out of time after {cut}, --seed {proof.seed}"
        trial = Trial(tmp_path / str(mask), fates, cut)
        named = trial.invoke(rng)
        wanted, places = expected(trial, cut)
        nothing_works = len(wanted) == SIZE and "poison" not in fates
        assert named == (None if nothing_works else wanted), case
        assert {day: trial.state(day) for day in trial.order} == places, case
        settled(trial, case)
        for fate in fates:
            kinds[fate or "none"] = kinds.get(fate or "none", 0) + 1
    proof.figure("subsets of 2^10", len(masks), least=len(every) if proof.full else 1)
    proof.figure("kinds of failure", ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items())))


def settled(trial: Trial, case: str) -> None:
    """What was kept lands once its cause is gone, and what had landed is not asked for again."""
    done = {day for day in trial.fates if trial.state(day) == ["complete"]}
    asked = len(trial.pipeline.requests)
    for _ in range(MAX_RECEIVES + 1):
        trial.mended()
        trial.invoke(random.Random(0))
    assert not trial.queue.messages, case
    for day, fate in trial.fates.items():
        place = trial.state(day)
        assert place == (["dead: receives"] if fate == "poison" else place), case
        assert place in (["complete"], ["dead: body"], ["dead: receives"]), case
    assert not done & {dt.date.fromisoformat(r.params["date"]) for r in trial.pipeline.requests[asked:]}, case
