"""Following a stack: what its manifests and letters say, told as a worker on this machine would tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from option_a.aws.stack.follow import Follow
from option_a.ingest.events import Event
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.manifest.model import Attempt, Load, Manifest, State
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause, DeadLetter
from option_a.ingest.task import Task
from tests.support.clock import FakeClock
from tests.support.pipeline import DATE, source

OLD, RUN = "20231114T210000Z-a", "20231114T220000Z-a"
S = Partition("s", DATE)
Step = Callable[[], object]


class Watched(FolderLake):
    """A lake that keeps what is read."""

    looked: list[str]

    def read(self, key: str) -> tuple[bytes, str] | None:
        self.looked.append(key)
        return super().read(key)


class Scene(FakeClock):
    """A lake in which something happens at each sleep of the one who follows."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.lake = Watched(folder / "lake")
        self.lake.looked = []
        self.steps: list[Step] = []
        self.letters: list[DeadLetter] = []
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.stop = False

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        assert len(self.slept) < 500, "nobody ends this"
        if self.steps:
            self.steps.pop(0)()

    def write(self, state: State, run: str = RUN, pages: int = 0, partition: Partition = S, **more: object) -> Step:
        """At its turn, the manifest stands like this."""

        def now() -> None:
            declared = source(name=partition.source)
            load = Load(
                run, "real", declared.fingerprint, self.time, high_water_mark=pages, pages=pages, records=2 * pages
            )
            manifest = Manifest(partition.source, partition.date, state, load)
            for name, value in more.items():
                setattr(manifest, name, value)
            ledger = ManifestStore(self.lake, partition)
            ledger.read()
            ledger.write(manifest)

        return now

    def follow(self, *tasks: Task | None) -> list[str]:
        wanted = {S if task is None else task.partition: task for task in tasks}
        sources = {partition.source: source(name=partition.source) for partition in wanted}
        follow = Follow(self.lake, sources, self, self.events.append, lambda names: self.letters, self.notes.append)
        follow.until_ended(wanted, lambda: self.stop)
        return [event.kind for event in self.events]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def task(run: str = RUN, *, fresh: bool = False, partition: Partition = S) -> Task:
    return Task(partition.source, partition.date, run, fresh=fresh)


def test_a_load_is_told_from_its_start_to_its_end(scene: Scene) -> None:
    scene.steps = [
        scene.write("loading"),
        scene.write("loading", pages=2),
        scene.write("loading", pages=2),
        scene.write("complete", pages=3),
    ]
    assert scene.follow(task()) == ["started", "landed", "complete"]
    assert [(event.pages, event.records) for event in scene.events] == [(0, 0), (2, 4), (3, 6)]


def test_a_failure_is_told_with_its_cause_and_page(scene: Scene) -> None:
    scene.steps = [scene.write("failed", cause=Cause("body", "s: no JSON", 2))]
    assert scene.follow(task()) == ["failed"]
    assert (scene.events[0].message, scene.events[0].page) == ("s: no JSON", 2)


def test_what_failed_before_is_not_the_end_of_the_new_task(scene: Scene) -> None:
    scene.write("failed", OLD, cause=Cause("body", "s: no JSON"))()
    scene.steps = [lambda: None, scene.write("loading", pages=1), scene.write("complete", pages=3)]
    assert scene.follow(task()) == ["started", "complete"]


def test_what_was_complete_before_satisfies_a_task_that_is_not_fresh(scene: Scene) -> None:
    scene.write("complete", OLD, pages=3)()
    assert scene.follow(task()) == ["complete"]
    assert scene.slept == []


def test_what_was_complete_before_is_not_the_end_of_a_fresh_load(scene: Scene) -> None:
    scene.write("complete", OLD, pages=3)()
    scene.steps = [lambda: None, scene.write("loading", pages=1), scene.write("complete", pages=4)]
    assert scene.follow(task(fresh=True)) == ["started", "complete"]


def test_a_newer_run_takes_over_and_its_end_is_the_end(scene: Scene) -> None:
    newer = "20231114T230000Z-a"
    scene.steps = [scene.write("loading", newer, 1), scene.write("complete", newer, 3)]
    assert scene.follow(task()) == ["started", "complete"]


def test_what_somebody_else_has_in_hand_is_followed_without_a_task(scene: Scene) -> None:
    scene.write("loading", OLD, 1)()
    scene.steps = [scene.write("loading", OLD, 2), scene.write("failed", OLD, cause=Cause("http", "s: 404"))]
    assert scene.follow(None) == ["started", "landed", "failed"]


def test_a_task_that_waits_for_the_api_is_told_with_the_reason(scene: Scene) -> None:
    waits = [Attempt(RUN, 0.0, 1, 0, outcome="waiting", ended=1.0, message="s: 503")]
    scene.steps = [scene.write("loading", attempts=waits), scene.write("complete", pages=1)]
    assert scene.follow(task()) == ["waiting", "complete"]
    assert scene.events[0].message == "s: 503"


def test_a_letter_ends_what_no_manifest_will_end(scene: Scene) -> None:
    cause = Cause("receives", "received 5 times and never done")
    scene.letters = [
        DeadLetter("s", "1", b"", 0.0, 5, Cause("body", "an older one"), task(OLD)),
        DeadLetter("s", "2", b"?", 0.0, 5, Cause("body", "unreadable"), None),
        DeadLetter("s", "3", b"", 0.0, 5, cause, task()),
    ]
    assert scene.follow(task()) == ["failed"]
    assert scene.events[0].message == cause.message
    assert scene.time - 1_700_000_000 < 40


def test_a_manifest_that_cannot_be_read_is_a_failure(scene: Scene) -> None:
    scene.lake.put(manifest_key(S), b"{")
    assert scene.follow(task()) == ["failed"]
    assert "cannot be read" in scene.events[0].message


def test_when_nothing_moves_it_is_said_once_what_waits(scene: Scene) -> None:
    scene.steps = [lambda: None] * 150 + [scene.write("complete", pages=1)]
    assert scene.follow(task()) == ["complete"]
    assert scene.notes == [f"nothing has moved for 3 minutes; still waiting for s {DATE}"]
    assert max(scene.slept) <= 3.0


def test_it_stops_when_asked_to(scene: Scene) -> None:
    def stop() -> None:
        scene.stop = True

    scene.steps = [scene.write("loading", pages=1), stop]
    assert scene.follow(task()) == ["started"]


def test_a_long_backfill_is_looked_at_in_turns_and_ends_whole(scene: Scene) -> None:
    days = [Partition("s", DATE + dt.timedelta(days=day)) for day in range(300)]
    ends = [scene.write("complete", pages=1, partition=partition) for partition in days]

    def all_at_once() -> None:
        for end in ends:
            end()
        scene.lake.looked.clear()

    scene.steps = [all_at_once]
    assert scene.follow(*(task(partition=partition) for partition in days)) == ["complete"] * 300
    assert sorted(event.date for event in scene.events if event.date) == [partition.date for partition in days]
    assert len(scene.lake.looked) == 300, "each is read once more, and none in vain"
