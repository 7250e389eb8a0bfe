"""One simulated trial, entirely decided by its seed, for tests/prove/test_simulation.py.

Planner, workers, queue, lake and APIs share a virtual clock; `InvariantChecker` checks every step, and in the end
every task must be done.
"""

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
from option_a.ingest.manifest.verify import Difference, Verified, unknown_objects, verify_partition
from option_a.ingest.partition import Partition
from tests.support.inline_executor import InlineExecutor
from tests.support.queues.memory import MAX_RECEIVES
from tests.support.queues.sqlite import InspectableSqliteQueue
from tests.support.queues.sqs_like import SqsLikeQueue
from tests.support.simulation.apis import API_STYLES, SimulatedApis
from tests.support.simulation.environment import Environment, draw_source
from tests.support.simulation.faults import FaultRates
from tests.support.simulation.invariants import InvariantChecker
from tests.support.simulation.process import SimulatedProcess, SimulationContext
from tests.support.simulation.scheduler import Scheduler, SchedulerClock
from tests.support.simulation.worker import SimulatedWorker

BEGIN = 1_700_000_000.0 - 22 * 3600.0 - 800.0
MOST_STEPS = 300_000
FOLDERS = 8
"""One seed in this many has its lake in a folder, the others in a bucket."""
SETTLED = 4_000.0
"""Seconds after which every process paused in a call has resumed."""


class Outcome(msgspec.Struct):
    """What a trial did. The same seed always has the same digest."""

    seed: int
    digest: str
    seen: Counter[str]


class TrialFailed(AssertionError):
    """An invariant that did not hold, with everything needed to replay it."""


class SimulationTrial:
    """Everything that one seed decides."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        rng = Random(seed)
        on_disk = seed % FOLDERS == 0
        self.scheduler = Scheduler(rng, BEGIN, most=MOST_STEPS)
        self.faults = FaultRates.drawn(rng)
        styles = {f"s{n}": rng.choice(list(API_STYLES)) for n in range(rng.randint(1, 4))}
        self.apis = SimulatedApis(rng, styles)
        sources = {name: draw_source(rng, name, styles) for name in styles}
        self.lambdas = rng.random() < 0.5
        again = rng.choice((0.0, 0.01, 0.04))
        self.queue = (
            SqsLikeQueue(SchedulerClock(self.scheduler), rng, again=again, old_receipts=rng.random() < 0.5)
            if self.lambdas
            else InspectableSqliteQueue(Path(":memory:"), SchedulerClock(self.scheduler))
        )
        lake = FolderLake(folder) if on_disk else BucketLake(MemoryStore(), "memory")
        self.invariants = InvariantChecker(self.scheduler, self.queue, self.apis, sources)
        self.events: Counter[str] = Counter()
        self.context = SimulationContext(
            self.scheduler, self.faults, self.invariants, lake, self.queue, self.apis, sources,
            request_seconds=rng.choice((0.2, 2.0, 20.0)), emit=self._count_event, folder=on_disk,
        )  # fmt: skip
        self.outcomes: Counter[str] = Counter()
        self.environment = Environment(self.context, rng, rng.randint(1, 4))
        self.workers = [
            SimulatedWorker(self.context, self._draw_invocation_seconds(rng), self.outcomes)
            for _ in range(rng.randint(2, 3))
        ]

    def run(self) -> Outcome:
        """Raises TrialFailed with the seed, the step and the steps before it."""
        director = self.scheduler.spawn("night", self._run_script)
        still = msgspec.structs.replace(self.faults, death=0.0, pause=0.0)
        self.environment.process = SimulatedProcess(msgspec.structs.replace(self.context, faults=still), director)
        for number, worker in enumerate(self.workers):
            worker.actor = self.scheduler.spawn(f"worker{number}", worker.run)
        try:
            self.scheduler.run()
        except BaseException as error:
            raise TrialFailed(self._replay_message(error)) from error
        finally:
            if isinstance(self.queue, InspectableSqliteQueue):
                self.queue.close()
        return Outcome(self.seed, self.scheduler.digest, self._seen())

    def _run_script(self) -> None:
        """Run the timeline, then stop all faults and let everything finish."""
        begun = self.scheduler.time
        for at, act in self.environment.timeline():
            self._wait_until(begun + at)
            act()
        self.faults.on = self.environment.process.faults.on = False
        self._wait_until_idle()
        self._check_tasks_explained()
        self._redrive_lands_everything()
        for worker in self.workers:
            worker.over = True

    def _wait_until(self, moment: float) -> None:
        for worker in self.workers:
            worker.next_event_at = moment
        self.scheduler.wait(self.environment.process.actor, max(0.0, moment - self.scheduler.time))

    def _wait_until_idle(self) -> None:
        """Until no task is left and every paused process has resumed."""
        while self.queue.next_visible() is not None:
            self._wait_until(self.scheduler.time + 300.0)
        self._wait_until(self.scheduler.time + SETTLED)
        assert self.queue.next_visible() is None, "a task that nobody sent"

    def _redrive_lands_everything(self) -> None:
        """The causes are gone: a redrive must land everything."""
        self.apis.refusals.clear()
        self.apis.outages.clear()
        self.environment.redrive()
        self._wait_until_idle()
        self._redrive_restarted()
        assert self.queue.dead_letters() == [], self.queue.dead_letters()
        for partition, tasks in self.invariants.wanted.items():
            manifest = self.invariants.manifests[partition]
            assert all(self.invariants.satisfied(manifest, task) for task in tasks), (
                f"{partition} is not done: {manifest}"
            )
            assert (manifest.state, manifest.lease) == ("complete", None), f"{partition}: {manifest}"
        if self.invariants.fenced:
            self._assert_clean()
            return
        damaged = {partition for partition in self.invariants.manifests if self._differences(partition)}
        self.invariants.reached["damaged by a sleeper, found by verify"] += len(damaged)
        self.invariants.fenced = True
        self.environment.reload(sorted(damaged))
        self._wait_until_idle()
        self._assert_verified()

    def _redrive_restarted(self) -> None:
        """If the API changed during a load, resuming may fail once more; the redrive after that restarts the load."""
        letters, mixed = self.queue.dead_letters(), self.invariants.mixed
        again = [x for x in letters if x.cause.restart and x.task is not None and x.task.partition in mixed]
        if letters and again == letters:
            self.invariants.reached["redriven twice"] += len(again)
            self.environment.redrive()
            self._wait_until_idle()

    def _assert_clean(self) -> None:
        """The lake is correct, and nothing is left in staging."""
        self._assert_verified()
        left = [entry.key for entry in self.context.lake.entries(STAGING)]
        assert left == [], f"left over: {left}"

    def _check_tasks_explained(self) -> None:
        """Every planned task is done, or a dead letter with a cause this trial can produce."""
        for partition, tasks in self.invariants.wanted.items():
            manifest, letters = self.invariants.manifests.get(partition), self.invariants.letters(partition)
            for task in tasks:
                done = manifest is not None and self.invariants.satisfied(manifest, task)
                dead = [letter.task.run for letter in letters if letter.task and letter.task.run >= task.run]
                assert done or dead, f"{task} is lost: {manifest}"
            for letter in letters:
                assert letter.cause.kind in self._causes(partition), f"{partition}: {letter.cause}"
                self.invariants.reached[f"dead letters: {letter.cause.kind}"] += 1
        if self.invariants.fenced:
            self._assert_verified()

    def _causes(self, partition: Partition) -> set[str]:
        """The causes of dead letters that this trial can produce for a partition."""
        causes = {"stalled"} if self.lambdas else set()
        if self.faults.reset or self.apis.outages.get(partition.source):
            causes.add("patience")
        if partition in self.environment.refused:
            causes |= {"http", "body"}
        if partition in self.invariants.mixed:
            causes |= {"http", "total", "pagination"}
        if self.faults.seen.total() + getattr(self.queue, "repeated", 0) >= MAX_RECEIVES:
            causes.add("receives")
        if not self.lambdas and (self.faults.refused or self.faults.no_answer):
            causes.add("lake")
        return causes

    def _assert_verified(self) -> None:
        """`option-a verify` finds no difference."""
        for partition, manifest in sorted(self.invariants.manifests.items(), key=lambda item: item[0]):
            if manifest.state == "promoting" and self.invariants.letters(partition):
                continue  # stopped during promotion: neither the old day nor the new; the dead letter says so
            found = self._differences(partition)
            assert found == [], found
        strange = list(unknown_objects(self.context.lake, set(self.invariants.manifests)))
        assert strange == [], strange

    def _differences(self, partition: Partition) -> list[Difference]:
        return list(verify_partition(self.context.lake, partition, Verified(), InlineExecutor(1)))

    def _draw_invocation_seconds(self, rng: Random) -> float | None:
        return rng.choice((40.0, 120.0, 900.0)) if self.lambdas else None

    def _count_event(self, event: Event) -> None:
        self.events[event.kind] += 1

    def _seen(self) -> Counter[str]:
        seen = self.invariants.reached + self.faults.seen
        seen.update({f"delivery: {kind}": count for kind, count in self.outcomes.items()})
        seen.update({f"told: {kind}": count for kind, count in self.events.items()})
        seen["folder lakes"] += self.context.folder
        seen.update({"SQS repeats": getattr(self.queue, "repeated", 0), "steps": 0})
        seen["steps"] = self.scheduler.steps
        return seen

    def _replay_message(self, error: BaseException) -> str:
        tail = "\n".join(self.scheduler.tail)
        return (
            f"{tail}\nseed {self.seed}, step {self.scheduler.steps}: {type(error).__name__}: {error}\n"
            f"again: python -m tests.support.simulation {self.seed}"
        )
