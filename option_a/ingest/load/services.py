"""The ports and settings that every job of a worker shares."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

import msgspec

from option_a.ingest.errors import SecretError
from option_a.ingest.events import EventSink
from option_a.ingest.lake import Lake
from option_a.ingest.ports import Clock, Fetch, Queue, Secrets
from option_a.ingest.secrets import Reference


def no_secrets(wanted: Reference) -> str:
    """The secrets of a worker that was given none."""
    raise SecretError(f"{wanted.scheme}:{wanted.name} cannot be read here", hint="this worker was given no secrets")


class Limits(msgspec.Struct, frozen=True):
    """When a worker must let go. `lease`: seconds for which lease and visibility last beyond a checkpoint."""

    lease: float
    out_of_time: Callable[[], bool] = lambda: False
    stopping: Callable[[], bool] = lambda: False
    checkpoint_interval: float | None = None
    """Seconds between checkpoints, where they are not a third of the lease."""

    @property
    def heartbeat(self) -> float:
        """Seconds between checkpoints: two may fail before the lease expires."""
        return self.checkpoint_interval or self.lease / 3


class Services(msgspec.Struct, frozen=True):
    """What a worker works with."""

    lake: Lake
    queue: Queue
    fetch: Fetch
    clock: Clock
    limits: Limits
    executor: Callable[[int], Executor]
    """Makes a pool of that many threads for the pages of one load."""
    jitter: Callable[[], float]
    emit: EventSink
    secrets: Secrets = no_secrets
    """Reads the salt of hashed fields; credentials are read by the fetch itself."""
