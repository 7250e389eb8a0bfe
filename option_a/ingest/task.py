"""Tasks, and the runs that they belong to."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

import msgspec

from option_a.ingest.errors import MessageError
from option_a.ingest.jsontext import UNDECODABLE
from option_a.ingest.partition import EARLIEST, LATEST, SOURCE, Partition

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z(-[A-Za-z0-9_-]{1,64})?")
_SOURCE = re.compile(SOURCE)


class Task(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Load this partition for this run. It carries no position: the manifest alone knows where the load stands."""

    source: str
    date: dt.date
    run: str
    fresh: bool = False
    """Load again what is complete, beside what is there."""
    requeues: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = msgspec.field(default=0, name="hop")
    """How often the task was sent again. A new hop is a new message: its receive count starts anew."""
    waiting_since: float | None = None
    """Epoch seconds since when the API has asked for patience; None while it answers."""

    @property
    def partition(self) -> Partition:
        """What it loads."""
        return Partition(self.source, self.date)

    @property
    def day(self) -> str:
        """The date as the lake's keys spell it."""
        return self.date.isoformat()

    def requeued(self, *, waiting_since: float | None = None) -> Task:
        """The same task for another delivery."""
        return msgspec.structs.replace(self, requeues=self.requeues + 1, waiting_since=waiting_since)


class Delivery(msgspec.Struct, frozen=True):
    """One receipt of a task from a queue. `receives` counts the receipts of this message, this one included."""

    queue: str
    receipt: str
    body: bytes
    receives: int


_TASK = msgspec.json.Decoder(Task)


def encode_task(task: Task) -> bytes:
    """The task as it travels: JSON."""
    return msgspec.json.encode(task)


def decode_task(body: bytes) -> Task:
    """The task in a message. Raises MessageError: what cannot be read is redelivered, and then dead."""
    try:
        task = _TASK.decode(body)
    except UNDECODABLE as error:
        raise MessageError(f"not a task: {error}") from None
    if not EARLIEST <= task.date <= LATEST:
        hint = f"send one of {EARLIEST} to {LATEST}"
        raise MessageError("not a task: its date is out of range", hint=hint)
    if not RUN_ID.fullmatch(task.run) or not _SOURCE.fullmatch(task.source):
        raise MessageError("not a task: its run or its source is not valid in a key")
    return task


def read_task(body: bytes) -> Task | None:
    """The task in a message; None where nobody can read it."""
    try:
        return decode_task(body)
    except MessageError:
        return None


def run_id(triggered_at: float, suffix: str) -> str:
    """The id of a run: the UTC second of its trigger, then what tells two triggers of one second apart.

    The same trigger gives the same id, so one that is delivered twice is one run; ids sort as text.
    """
    moment = dt.datetime.fromtimestamp(triggered_at, dt.UTC)
    clean = re.sub(r"[^A-Za-z0-9_-]", "-", suffix)[:64]
    return f"{moment:%Y%m%dT%H%M%SZ}" + (f"-{clean}" if clean else "")
