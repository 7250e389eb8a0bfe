"""Sees a stack do its work: reads the manifests of some partitions until each of them has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from option_a.ingest.config import Source
from option_a.ingest.errors import ManifestError
from option_a.ingest.events import Event, EventSink, Kind
from option_a.ingest.lake import Lake
from option_a.ingest.load import Done, Failed, Superseded, decide
from option_a.ingest.manifest import Manifest, ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause, Clock, DeadLetter
from option_a.ingest.task import Delivery, Task

_READERS = 16
_AT_ONCE = 64
"""Manifests that one look reads, beside those of partitions that are known to be in work."""
_SOON, _LATE = 0.5, 3.0
"""Seconds between looks: the least, and the most while nothing moves."""
_LETTERS = 30.0
_QUIET = 180.0
"""Seconds without any movement after which it is said what waits."""
_NAMED = 5

Letters = Callable[[list[str]], Iterable[DeadLetter]]
Mark = tuple[int, int, int]


class Follow:
    """Tells of each partition what a worker on this machine would tell. `letters` looks at dead letters of sources."""

    def __init__(
        self, lake: Lake, sources: Mapping[str, Source], clock: Clock, tell: EventSink, letters: Letters,
        note: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._lake, self._sources, self._clock, self._tell = lake, sources, clock, tell
        self._letters, self._note = letters, note
        self._waiting: dict[Partition, Task | None] = {}
        self._turn: deque[Partition] = deque()
        self._marks: dict[Partition, Mark] = {}
        self._moved = 0.0

    def until_ended(self, tasks: Mapping[Partition, Task | None], stopping: Callable[[], bool]) -> None:
        """Look until every partition has ended, or somebody asks to stop. No task: whatever is in work there."""
        self._waiting, self._turn = dict(tasks), deque(tasks)
        self._moved = now = self._clock.now()
        letters_due, pause, said = now + _LETTERS, _SOON, False
        with ThreadPoolExecutor(_READERS) as readers:
            while self._waiting and not stopping():
                before = self._moved
                self._look(readers)
                now = self._clock.now()
                if now >= letters_due and self._waiting:
                    self._read_letters()
                    letters_due = now + _LETTERS
                if now - self._moved > _QUIET and not said:
                    self._say_what_waits()
                    said = True
                pause = _SOON if self._moved > before else min(_LATE, pause * 1.3)
                if self._waiting:
                    self._clock.sleep(pause)

    def _look(self, readers: ThreadPoolExecutor) -> None:
        batch = self._batch()
        for partition, found in zip(batch, readers.map(self._read, batch), strict=True):
            if isinstance(found, Manifest):
                self._take_in(partition, found)
            elif found is not None:
                self._end(partition, "failed", Cause(found.kind, str(found)))

    def _batch(self) -> list[Partition]:
        """Those in work, and the next ones of the rest in turn: a long backfill is not read whole each time."""
        batch = list(islice((partition for partition in self._turn if partition in self._waiting), _AT_ONCE))
        self._turn.rotate(-len(batch))
        return list(dict.fromkeys([*(partition for partition in self._marks if partition in self._waiting), *batch]))

    def _read(self, partition: Partition) -> Manifest | ManifestError | None:
        try:
            return ManifestStore(self._lake, partition).read()
        except ManifestError as error:
            return error

    def _take_in(self, partition: Partition, manifest: Manifest) -> None:
        task = self._waiting[partition] or Task(partition.source, partition.date, manifest.load.run)
        if self._ended(manifest, task):
            self._end(partition, "failed" if manifest.state == "failed" else "complete", manifest.cause, manifest)
        elif manifest.load.run >= task.run:
            self._tell_progress(partition, manifest)

    def _ended(self, manifest: Manifest, task: Task) -> bool:
        """Whether a worker that received the task now would find nothing to do."""
        if manifest.state not in ("complete", "failed"):
            return False
        delivery = Delivery(task.source, "", b"", 1)
        verdict = decide(manifest, task, self._sources[task.source], delivery, self._clock.now())
        return isinstance(verdict, Done | Superseded | Failed)

    def _tell_progress(self, partition: Partition, manifest: Manifest) -> None:
        load, attempts = manifest.load, manifest.attempts
        ended = sum(attempt.ended is not None for attempt in attempts)
        mark, before = (load.number, load.answered, ended), self._marks.get(partition)
        if mark == before:
            return
        self._marks[partition], self._moved = mark, self._clock.now()
        waits = bool(attempts) and attempts[-1].ended is not None and attempts[-1].outcome == "waiting"
        kind: Kind = "waiting" if waits else "landed" if before else "started"
        self._tell(_event(kind, partition, manifest, attempts[-1].message if waits else ""))

    def _read_letters(self) -> None:
        """A task may die with no word in the manifest: nobody could read that, or its worker died five times."""
        for letter in self._letters(sorted({partition.source for partition in self._waiting})):
            task = letter.task
            if task is None or task.partition not in self._waiting:
                continue
            mine = self._waiting[task.partition]
            if mine is None or task.run >= mine.run:
                self._end(task.partition, "failed", letter.cause)

    def _end(self, partition: Partition, kind: Kind, cause: Cause | None, manifest: Manifest | None = None) -> None:
        del self._waiting[partition]
        self._marks.pop(partition, None)
        self._turn.remove(partition)
        self._moved = self._clock.now()
        message, page = (cause.message, cause.page) if cause is not None and kind == "failed" else ("", None)
        self._tell(
            _event(kind, partition, manifest, message, page)
            if manifest is not None
            else Event(kind, partition.source, partition.date, message=message)
        )

    def _say_what_waits(self) -> None:
        named = ", ".join(map(str, islice(self._waiting, _NAMED)))
        more = f" and {len(self._waiting) - _NAMED} more" if len(self._waiting) > _NAMED else ""
        self._note(f"nothing has moved for {_QUIET / 60:.0f} minutes; still waiting for {named}{more}")


def _event(kind: Kind, partition: Partition, manifest: Manifest, message: str, page: int | None = None) -> Event:
    load = manifest.load
    return Event(
        kind, partition.source, partition.date, load.run, page, load.last, load.pages, load.records, load.bytes,
        message=message,
    )  # fmt: skip
