"""What happens beside the workers: runs are planned, APIs change and fall, somebody redrives."""

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
from option_a.ingest.plan.plan import Only, Planned, backfill, lookback, nightly_partitions, plan, redrive
from option_a.ingest.plan.read_summaries import read_summaries
from option_a.ingest.plan.summary import Summary
from option_a.ingest.task import Task, run_id
from tests.support.inline_executor import InlineExecutor
from tests.support.simulation.api import BASES, SERVED, Outage, Refusal, base_of
from tests.support.simulation.process import Process, Setting
from tests.support.simulation.sqs import SqsLike
from tests.support.simulation.stepped import SteppedQueue

DAY, HOUR = 86_400.0, 3_600.0
Happening = tuple[float, Callable[[], None]]


class Night:
    """Draws what happens when, and does it."""

    def __init__(self, setting: Setting, rng: Random, nights: int) -> None:
        self._setting, self._rng, self._nights = setting, rng, nights
        self._sources, self._law, self._apis = setting.sources, setting.law, setting.apis
        self._begun = setting.stage.time
        self.process: Process
        self.refused: set[Partition] = set()

    def happenings(self) -> list[Happening]:
        """The script of the trial, in order: seconds from its beginning, and what to do."""
        rng = self._rng
        script: list[Happening] = []
        for night in range(self._nights):
            at = 4 * HOUR + night * DAY
            event = self._event(at, f"n{night}")
            script.append((at, self._planning(event)))
            if rng.random() < 0.3:  # the trigger is delivered twice
                script.append((at + rng.choice((0.1, 60.0, 3 * HOUR)), self._planning(event)))
        last = 4 * HOUR + self._nights * DAY
        draws: list[tuple[Callable[[float], Callable[[], None]], int]] = [
            (self._backfilling, 1), (self._reloading, 2), (self._redriving, 2), (self._restating, 4),
            (self._refusing, 2), (self._falling, 2), (self._jumping, 1), (self._moving, 1),
        ]  # fmt: skip
        for draw, most in draws:
            for _ in range(rng.randint(0, most)):
                # most of it just after a night's run has begun
                begun = 4 * HOUR + DAY * rng.randrange(self._nights)
                at = min(last, begun + rng.choice((rng.random() * 120, rng.random() * HOUR, rng.random() * DAY)))
                script.append((at, draw(at)))
        return sorted(script, key=lambda happening: happening[0])

    def redrive(self) -> None:
        """As `option-a redrive` has it: what failed, by the manifests and by the letters, as a new run."""
        queue = self._setting.queue
        letters, known = queue.dead_letters(), self._summaries()
        failed = {p for p, summary in known.items() if summary.state == "failed"}
        failed |= {letter.task.partition for letter in letters if letter.task is not None}
        planned = redrive(sorted(failed), known, letters, run_id(self._now(), "redrive"))
        self._send([item.task for item in planned])
        queue.delete_dead_letters(letters)
        self._law.saw["redriven"] += len(planned)

    def reload(self, partitions: Iterable[Partition]) -> None:
        """As `option-a backfill --only all` has it."""
        known, run = self._summaries(), run_id(self._now(), "again")
        self._send([item.task for item in plan(partitions, self._sources, known, run, now=self._now(), only="all")])

    def _now(self) -> float:
        return self._setting.stage.time

    def _summaries(self) -> dict[Partition, Summary]:
        return read_summaries(self._setting.lake, sorted(self._law.manifests), InlineExecutor(1))

    def _event(self, at: float, number: str) -> dict[str, object]:
        time = dt.datetime.fromtimestamp(self._begun + at, dt.UTC)
        return {"detail-type": "Scheduled Event", "id": number, "time": f"{time:%Y-%m-%dT%H:%M:%SZ}"}

    def _planning(self, event: dict[str, object]) -> Callable[[], None]:
        return lambda: self._plan(event)

    def _plan(self, event: dict[str, object]) -> None:
        """Plan as the Lambda does, or as the command line does; a queue that refuses is tried again."""
        if isinstance(self._setting.queue, SqsLike):
            planner = Planner(self._sources, self._setting.lake, SteppedQueue(self.process), self.process)
            planned = planner.plan(read_event(event, "r", self._now()), list(self._sources.values()))[1]
        else:
            planned = self._planned_here(event)
        self._law.saw.update(f"planned: {item.why}" for item in planned)
        self._send([item.task for item in planned])

    def _planned_here(self, event: dict[str, object]) -> list[Planned]:
        now, known, sources = self._now(), self._summaries(), list(self._sources.values())
        moment = dt.datetime.fromisoformat(str(event.get("time", dt.datetime.fromtimestamp(now, dt.UTC).isoformat())))
        today, run = moment.date(), run_id(moment.timestamp(), str(event.get("id", "cli")))
        late = []
        if "from" in event:
            first, last = (dt.date.fromisoformat(str(event[key])) for key in ("from", "to"))
            partitions = backfill(sources, first, last)
        else:
            partitions = nightly_partitions(sources, today, known, now)
            late = lookback(sources, today, known)
            partitions += [partition for partition in late if partition not in partitions]
        only: Only | None = "missing" if "from" in event and not event.get("fresh") else None
        return plan(
            partitions, self._sources, known, run, now=now, fresh=bool(event.get("fresh")), only=only,
            queued=self._setting.queue.queued(), late=late,
        )  # fmt: skip

    def _send(self, tasks: list[Task]) -> None:
        for _ in range(50):
            try:
                SteppedQueue(self.process).send(tasks)
            except QueueError:
                self.process.sleep(60.0 * self._rng.random())
                continue
            self._law.plan(tasks)
            return
        raise AssertionError("the queue takes nothing")

    def _some(self) -> Partition:
        """A partition that is or was to be loaded."""
        return self._rng.choice(sorted(self._law.wanted) or [Partition("s0", dt.date(2023, 11, 14))])

    def _backfilling(self, at: float) -> Callable[[], None]:
        day = dt.datetime.fromtimestamp(self._begun + at, dt.UTC).date()
        first, last = day - dt.timedelta(days=self._rng.randint(2, 4)), day - dt.timedelta(days=1)
        return lambda: self._plan({"from": first.isoformat(), "to": last.isoformat()})

    def _reloading(self, at: float) -> Callable[[], None]:
        def happen() -> None:
            day = self._some().date.isoformat()
            self._plan({"from": day, "to": day, "fresh": True})

        return happen

    def _redriving(self, at: float) -> Callable[[], None]:
        return self.redrive

    def _restating(self, at: float) -> Callable[[], None]:
        def happen() -> None:
            partition = self._some()
            manifest = self._law.manifests.get(partition)
            amid = manifest is not None and manifest.state != "complete"
            if amid and self._rng.random() < 0.4:
                return
            if amid:
                self._law.mixed.add(partition)
            self._apis.restate(base_of(self._sources[partition.source]), partition, self._now())
            self._note(f"{partition} restated")

        return happen

    def _refusing(self, at: float) -> Callable[[], None]:
        def happen() -> None:
            partition = self._some()
            until = self._now() + self._rng.choice((60.0, HOUR, DAY))
            self._apis.refusals[partition] = Refusal(self._rng.choice((200, 403, 404, 401)), until)
            self.refused.add(partition)
            self._note(f"{partition} refused")

        return happen

    def _falling(self, at: float) -> Callable[[], None]:
        def happen() -> None:
            name, now = self._rng.choice(sorted(self._sources)), self._now()
            lasts = self._rng.choice((90.0, 900.0, HOUR, 4 * HOUR, 9 * HOUR))
            outage = Outage(now, now + lasts, self._rng.choice((None, 2.0, 60.0, 3600.0)))
            self._apis.outages.setdefault(name, []).append(outage)
            self._law.saw["outages"] += 1
            self._note(f"{name} down for {lasts} s")

        return happen

    def _jumping(self, at: float) -> Callable[[], None]:
        def happen() -> None:
            seconds = self._rng.choice((-40.0, -5.0, 20.0, 45.0, 600.0, 2 * HOUR))
            self._setting.stage.skew += seconds
            self._law.slack += max(0.0, -seconds)
            self._law.saw["clock set"] += 1
            self._note(f"clock set by {seconds} s")

        return happen

    def _moving(self, at: float) -> Callable[[], None]:
        """Another declaration: real data for mock, or another address."""

        def happen() -> None:
            name = self._rng.choice(sorted(self._sources))
            source = self._sources[name]
            base = "real" if source.origin == "mock" else self._rng.choice(("real", "moved"))
            self._sources[name] = msgspec.structs.replace(source, url=BASES[base])
            self._law.saw["sources declared anew"] += 1
            self._note(f"{name} is {base} now")

        return happen

    def _note(self, what: str) -> None:
        self._setting.stage.note("night", what)


def drawn_source(rng: Random, name: str, styles: dict[str, str]) -> Source:
    """A source of the style that was drawn for it."""
    fields = SERVED[styles[name]].fields
    origin = "mock" if rng.random() < 0.15 else "real"
    declared = {
        "name": name, "url": BASES[origin], "date_param": "date", "parallel": rng.randint(1, 4), **fields,
        "patience": rng.choice(("20m", "2h", "6h")), "lookback": rng.choice((0, 0, 1, 2)),
        "date_offset": rng.choice((0, -1, -1)),
    }  # fmt: skip
    return msgspec.convert(declared, Source)
