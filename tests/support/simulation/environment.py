"""Everything in a simulated trial besides the workers: planned runs, API changes and outages, clock jumps, redrives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from random import Random

import msgspec

from option_a.aws.functions.event import read_event
from option_a.aws.functions.planner import Planner
from option_a.ingest.config.source import Source
from option_a.ingest.errors import QueueError
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import (
    Only,
    Planned,
    backfill_partitions,
    lookback_partitions,
    nightly_partitions,
    plan_tasks,
    redrive_tasks,
)
from option_a.ingest.plan.summary import Summary
from option_a.ingest.plan.summary_reader import read_summaries
from option_a.ingest.task import Task, run_id
from tests.support.inline_executor import InlineExecutor
from tests.support.queues.sqs_like import SqsLikeQueue
from tests.support.simulation.apis import API_STYLES, BASES, Outage, RefusalPeriod, base_of
from tests.support.simulation.ports import SimulatedQueue
from tests.support.simulation.process import SimulatedProcess, SimulationContext

DAY, HOUR = 86_400.0, 3_600.0
TimedEvent = tuple[float, Callable[[], None]]


class Environment:
    """Draws what happens when, and makes it happen."""

    def __init__(self, context: SimulationContext, rng: Random, nights: int) -> None:
        self._context, self._rng, self._nights = context, rng, nights
        self._sources, self._invariants, self._apis = context.sources, context.invariants, context.apis
        self._begun = context.scheduler.time
        self.process: SimulatedProcess
        self.refused: set[Partition] = set()

    def timeline(self) -> list[TimedEvent]:
        """The events of the trial in order: seconds from its beginning, and what to do."""
        rng = self._rng
        script: list[TimedEvent] = []
        for environment in range(self._nights):
            at = 4 * HOUR + environment * DAY
            event = self._event(at, f"n{environment}")
            script.append((at, self._plan_event(event)))
            if rng.random() < 0.3:  # the trigger is delivered twice
                script.append((at + rng.choice((0.1, 60.0, 3 * HOUR)), self._plan_event(event)))
        last = 4 * HOUR + self._nights * DAY
        draws: list[tuple[Callable[[float], Callable[[], None]], int]] = [
            (self._backfill_event, 1), (self._reload_event, 2), (self._redrive_event, 2), (self._restate_event, 4),
            (self._refuse_event, 2), (self._outage_event, 2), (self._clock_jump_event, 1), (self._redeclare_event, 1),
        ]  # fmt: skip
        for draw, most in draws:
            for _ in range(rng.randint(0, most)):
                # mostly just after a nightly run has begun
                begun = 4 * HOUR + DAY * rng.randrange(self._nights)
                at = min(last, begun + rng.choice((rng.random() * 120, rng.random() * HOUR, rng.random() * DAY)))
                script.append((at, draw(at)))
        return sorted(script, key=lambda happening: happening[0])

    def redrive(self) -> None:
        """Do what `option-a redrive` does: send failed partitions and dead letters again as a new run."""
        queue = self._context.queue
        letters, known = queue.dead_letters(), self._summaries()
        failed = {p for p, summary in known.items() if summary.state == "failed"}
        failed |= {letter.task.partition for letter in letters if letter.task is not None}
        planned = redrive_tasks(sorted(failed), known, letters, run_id(self._now(), "redrive"))
        self._send([item.task for item in planned])
        queue.delete_dead_letters(letters)
        self._invariants.reached["redriven"] += len(planned)

    def reload(self, partitions: Iterable[Partition]) -> None:
        """Do what `option-a backfill --only all` does."""
        known, run = self._summaries(), run_id(self._now(), "again")
        self._send(
            [item.task for item in plan_tasks(partitions, self._sources, known, run, now=self._now(), only="all")]
        )

    def _now(self) -> float:
        return self._context.scheduler.time

    def _summaries(self) -> dict[Partition, Summary]:
        return read_summaries(self._context.lake, sorted(self._invariants.manifests), InlineExecutor(1))

    def _event(self, at: float, number: str) -> dict[str, object]:
        time = dt.datetime.fromtimestamp(self._begun + at, dt.UTC)
        return {"detail-type": "Scheduled Event", "id": number, "time": f"{time:%Y-%m-%dT%H:%M:%SZ}"}

    def _plan_event(self, event: dict[str, object]) -> Callable[[], None]:
        return lambda: self._plan(event)

    def _plan(self, event: dict[str, object]) -> None:
        """Plan as the Lambda function or the command line does; retry when the queue fails."""
        if isinstance(self._context.queue, SqsLikeQueue):
            planner = Planner(self._sources, self._context.lake, SimulatedQueue(self.process), self.process)
            planned = planner.plan(read_event(event, "r", self._now()), list(self._sources.values()))[1]
        else:
            planned = self._planned_locally(event)
        self._invariants.reached.update(f"planned: {item.why}" for item in planned)
        self._send([item.task for item in planned])

    def _planned_locally(self, event: dict[str, object]) -> list[Planned]:
        now, known, sources = self._now(), self._summaries(), list(self._sources.values())
        moment = dt.datetime.fromisoformat(str(event.get("time", dt.datetime.fromtimestamp(now, dt.UTC).isoformat())))
        today, run = moment.date(), run_id(moment.timestamp(), str(event.get("id", "cli")))
        late = []
        if "from" in event:
            first, last = (dt.date.fromisoformat(str(event[key])) for key in ("from", "to"))
            partitions = backfill_partitions(sources, first, last)
        else:
            partitions = nightly_partitions(sources, today, known, now)
            late = lookback_partitions(sources, today, known)
            partitions += [partition for partition in late if partition not in partitions]
        only: Only | None = "missing" if "from" in event and not event.get("fresh") else None
        return plan_tasks(
            partitions, self._sources, known, run, now=now, fresh=bool(event.get("fresh")), only=only,
            queued=self._context.queue.queued(), late=late,
        )  # fmt: skip

    def _send(self, tasks: list[Task]) -> None:
        for _ in range(50):
            try:
                SimulatedQueue(self.process).send(tasks)
            except QueueError:
                self.process.sleep(60.0 * self._rng.random())
                continue
            self._invariants.plan(tasks)
            return
        raise AssertionError("the queue accepts nothing")

    def _some(self) -> Partition:
        """A random planned partition."""
        return self._rng.choice(sorted(self._invariants.wanted) or [Partition("s0", dt.date(2023, 11, 14))])

    def _backfill_event(self, at: float) -> Callable[[], None]:
        day = dt.datetime.fromtimestamp(self._begun + at, dt.UTC).date()
        first, last = day - dt.timedelta(days=self._rng.randint(2, 4)), day - dt.timedelta(days=1)
        return lambda: self._plan({"from": first.isoformat(), "to": last.isoformat()})

    def _reload_event(self, at: float) -> Callable[[], None]:
        def act() -> None:
            day = self._some().date.isoformat()
            self._plan({"from": day, "to": day, "fresh": True})

        return act

    def _redrive_event(self, at: float) -> Callable[[], None]:
        return self.redrive

    def _restate_event(self, at: float) -> Callable[[], None]:
        def act() -> None:
            partition = self._some()
            manifest = self._invariants.manifests.get(partition)
            loading = manifest is not None and manifest.state != "complete"
            if loading and self._rng.random() < 0.4:
                return
            if loading:
                self._invariants.mixed.add(partition)
            self._apis.restate(base_of(self._sources[partition.source]), partition, self._now())
            self._note(f"{partition} restated")

        return act

    def _refuse_event(self, at: float) -> Callable[[], None]:
        def act() -> None:
            partition = self._some()
            until = self._now() + self._rng.choice((60.0, HOUR, DAY))
            self._apis.refusals[partition] = RefusalPeriod(self._rng.choice((200, 403, 404, 401)), until)
            self.refused.add(partition)
            self._note(f"{partition} refused")

        return act

    def _outage_event(self, at: float) -> Callable[[], None]:
        def act() -> None:
            name, now = self._rng.choice(sorted(self._sources)), self._now()
            lasts = self._rng.choice((90.0, 900.0, HOUR, 4 * HOUR, 9 * HOUR))
            outage = Outage(now, now + lasts, self._rng.choice((None, 2.0, 60.0, 3600.0)))
            self._apis.outages.setdefault(name, []).append(outage)
            self._invariants.reached["outages"] += 1
            self._note(f"{name} down for {lasts} s")

        return act

    def _clock_jump_event(self, at: float) -> Callable[[], None]:
        def act() -> None:
            seconds = self._rng.choice((-40.0, -5.0, 20.0, 45.0, 600.0, 2 * HOUR))
            self._context.scheduler.skew += seconds
            self._invariants.slack += max(0.0, -seconds)
            self._invariants.reached["clock set"] += 1
            self._note(f"clock set by {seconds} s")

        return act

    def _redeclare_event(self, at: float) -> Callable[[], None]:
        """Declare a source differently: real data instead of mock, or another address."""

        def act() -> None:
            name = self._rng.choice(sorted(self._sources))
            source = self._sources[name]
            base = "real" if source.origin == "mock" else self._rng.choice(("real", "moved"))
            self._sources[name] = msgspec.structs.replace(source, url=BASES[base])
            self._invariants.reached["sources declared anew"] += 1
            self._note(f"{name} is {base} now")

        return act

    def _note(self, what: str) -> None:
        self._context.scheduler.note("events", what)


def draw_source(rng: Random, name: str, styles: dict[str, str]) -> Source:
    """Draw a source of the style given for its name."""
    fields = API_STYLES[styles[name]].fields
    origin = "mock" if rng.random() < 0.15 else "real"
    declared = {
        "name": name, "url": BASES[origin], "date_param": "date", "parallel": rng.randint(1, 4), **fields,
        "patience": rng.choice(("20m", "2h", "6h")), "lookback": rng.choice((0, 0, 1, 2)),
        "date_offset": rng.choice((0, -1, -1)),
    }  # fmt: skip
    return msgspec.convert(declared, Source)
