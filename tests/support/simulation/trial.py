"""One seed, from what it draws to the proof at its end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import msgspec
from obstore.store import MemoryStore

from option_a.ingest.events import Event
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import STAGING
from option_a.ingest.manifest.verify import Difference, Verified, unknown_objects, verify
from option_a.ingest.partition import Partition
from tests.support.inline_executor import InlineExecutor
from tests.support.queues.sqlite import SeenQueue
from tests.support.simulation.api import SERVED, Apis
from tests.support.simulation.faults import Faults
from tests.support.simulation.law import Law
from tests.support.simulation.night import Night, drawn_source
from tests.support.simulation.process import Process, Setting
from tests.support.simulation.sqs import MAX_RECEIVES, SqsLike
from tests.support.simulation.stage import Stage, StageClock
from tests.support.simulation.worker import Life

BEGIN = 1_700_000_000.0 - 22 * 3600.0 - 800.0
MOST_STEPS = 300_000
FOLDERS = 8
"""One seed in so many has its lake in a folder, the others in a bucket."""
SETTLED = 4_000.0
"""Seconds after which whoever slept in a call has woken up."""


class Outcome(msgspec.Struct):
    """What a seed did: the same seed, the same digest."""

    seed: int
    digest: str
    seen: Counter[str]


class Failed(AssertionError):
    """A law that did not hold, with all that replays it."""


class Trial:
    """A world that one seed decides."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        rng = Random(seed)
        on_disk = seed % FOLDERS == 0
        self.stage = Stage(rng, BEGIN, most=MOST_STEPS)
        self.faults = Faults.drawn(rng)
        styles = {f"s{n}": rng.choice(list(SERVED)) for n in range(rng.randint(1, 4))}
        self.apis = Apis(rng, styles)
        sources = {name: drawn_source(rng, name, styles) for name in styles}
        self.lambdas = rng.random() < 0.5
        again = rng.choice((0.0, 0.01, 0.04))
        self.queue = (
            SqsLike(StageClock(self.stage), rng, again=again, old_receipts=rng.random() < 0.5)
            if self.lambdas
            else SeenQueue(Path(":memory:"), StageClock(self.stage))
        )
        lake = FolderLake(folder) if on_disk else BucketLake(MemoryStore(), "memory")
        self.law = Law(self.stage, self.queue, self.apis, sources)
        self.events: Counter[str] = Counter()
        self.setting = Setting(
            self.stage, self.faults, self.law, lake, self.queue, self.apis, sources,
            slow=rng.choice((0.2, 2.0, 20.0)), tell=self._tell, folder=on_disk,
        )  # fmt: skip
        self.outcomes: Counter[str] = Counter()
        self.night = Night(self.setting, rng, rng.randint(1, 4))
        self.lives = [Life(self.setting, self._span(rng), self.outcomes) for _ in range(rng.randint(2, 3))]

    def run(self) -> Outcome:
        """Raises Failed with the seed, the step and what came before it."""
        director = self.stage.spawn("night", self._direct)
        still = msgspec.structs.replace(self.faults, death=0.0, pause=0.0)
        self.night.process = Process(msgspec.structs.replace(self.setting, faults=still), director)
        for number, life in enumerate(self.lives):
            life.actor = self.stage.spawn(f"worker{number}", life.play)
        try:
            self.stage.run()
        except BaseException as error:
            raise Failed(self._told(error)) from error
        finally:
            if isinstance(self.queue, SeenQueue):
                self.queue.close()
        return Outcome(self.seed, self.stage.digest, self._seen())

    def _direct(self) -> None:
        """What happens, then the end: no fault any more, and all that is owed is done."""
        begun = self.stage.time
        for at, happen in self.night.happenings():
            self._wait_until(begun + at)
            happen()
        self.faults.on = self.night.process.faults.on = False
        self._quiet()
        self._explained()
        self._mended()
        for life in self.lives:
            life.over = True

    def _wait_until(self, moment: float) -> None:
        for life in self.lives:
            life.look_at = moment
        self.stage.wait(self.night.process.actor, max(0.0, moment - self.stage.time))

    def _quiet(self) -> None:
        """Until no task is left, and every sleeper has woken up."""
        while self.queue.next_visible() is not None:
            self._wait_until(self.stage.time + 300.0)
        self._wait_until(self.stage.time + SETTLED)
        assert self.queue.next_visible() is None, "a task that nobody has sent"

    def _mended(self) -> None:
        """The causes are gone: a redrive lands everything."""
        self.apis.refusals.clear()
        self.apis.outages.clear()
        self.night.redrive()
        self._quiet()
        self._begun_anew()
        assert self.queue.dead_letters() == [], self.queue.dead_letters()
        for partition, tasks in self.law.wanted.items():
            manifest = self.law.manifests[partition]
            assert all(self.law.satisfied(manifest, task) for task in tasks), f"{partition} is not done: {manifest}"
            assert (manifest.state, manifest.lease) == ("complete", None), f"{partition}: {manifest}"
        if self.law.fenced:
            self._clean()
            return
        damaged = {partition for partition in self.law.manifests if self._differences(partition)}
        self.law.saw["damaged by a sleeper, found by verify"] += len(damaged)
        self.law.fenced = True
        self.night.reload(sorted(damaged))
        self._quiet()
        self._verified()

    def _begun_anew(self) -> None:
        """Where the API changed amid a load, going on may fail once more: the redrive after that begins anew."""
        letters, mixed = self.queue.dead_letters(), self.law.mixed
        again = [x for x in letters if x.cause.restart and x.task is not None and x.task.partition in mixed]
        if letters and again == letters:
            self.law.saw["redriven twice"] += len(again)
            self.night.redrive()
            self._quiet()

    def _clean(self) -> None:
        """All is as it should be, and nothing else is there."""
        self._verified()
        left = [entry.key for entry in self.setting.lake.entries(STAGING)]
        assert left == [], f"left over: {left}"

    def _explained(self) -> None:
        """Every task that was owed is done, or a dead letter whose cause was drawn."""
        for partition, tasks in self.law.wanted.items():
            manifest, letters = self.law.manifests.get(partition), self.law.letters(partition)
            for task in tasks:
                done = manifest is not None and self.law.satisfied(manifest, task)
                dead = [letter.task.run for letter in letters if letter.task and letter.task.run >= task.run]
                assert done or dead, f"{task} is lost: {manifest}"
            for letter in letters:
                assert letter.cause.kind in self._causes(partition), f"{partition}: {letter.cause}"
                self.law.saw[f"dead letters: {letter.cause.kind}"] += 1
        if self.law.fenced:
            self._verified()

    def _causes(self, partition: Partition) -> set[str]:
        """What a task of a partition may have died of in this trial."""
        causes = {"stalled"} if self.lambdas else set()
        if self.faults.reset or self.apis.outages.get(partition.source):
            causes.add("patience")
        if partition in self.night.refused:
            causes |= {"http", "body"}
        if partition in self.law.mixed:
            causes |= {"http", "total", "pagination"}
        if self.faults.seen.total() + getattr(self.queue, "repeated", 0) >= MAX_RECEIVES:
            causes.add("receives")
        if not self.lambdas and (self.faults.refused or self.faults.no_answer):
            causes.add("lake")
        return causes

    def _verified(self) -> None:
        """The lake read again as `option-a verify` reads it."""
        for partition, manifest in sorted(self.law.manifests.items(), key=lambda item: item[0]):
            if manifest.state == "promoting" and self.law.letters(partition):
                continue  # amid a promotion a day is neither the old one nor the new; its letter says so
            found = self._differences(partition)
            assert found == [], found
        strange = list(unknown_objects(self.setting.lake, set(self.law.manifests)))
        assert strange == [], strange

    def _differences(self, partition: Partition) -> list[Difference]:
        return list(verify(self.setting.lake, partition, Verified(), InlineExecutor(1)))

    def _span(self, rng: Random) -> float | None:
        return rng.choice((40.0, 120.0, 900.0)) if self.lambdas else None

    def _tell(self, event: Event) -> None:
        self.events[event.kind] += 1

    def _seen(self) -> Counter[str]:
        seen = self.law.saw + self.faults.seen
        seen.update({f"delivery: {kind}": count for kind, count in self.outcomes.items()})
        seen.update({f"told: {kind}": count for kind, count in self.events.items()})
        seen["folder lakes"] += self.setting.folder
        seen.update({"SQS repeats": getattr(self.queue, "repeated", 0), "steps": 0})
        seen["steps"] = self.stage.steps
        return seen

    def _told(self, error: BaseException) -> str:
        tail = "\n".join(self.stage.tail)
        return (
            f"{tail}\nseed {self.seed}, step {self.stage.steps}: {type(error).__name__}: {error}\n"
            f"again: python -m tests.support.simulation {self.seed}"
        )
