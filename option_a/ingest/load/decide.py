"""What a worker does with a delivery, decided from the manifest alone. Pure."""

from __future__ import annotations

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.manifest.cutoff import loaded_too_early
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task


class Done(msgspec.Struct, frozen=True):
    """Complete already: ack."""


class Superseded(msgspec.Struct, frozen=True):
    """A newer run has the partition: ack."""


class Leased(msgspec.Struct, frozen=True):
    """Another worker is alive on it: send the task again for after `until`, ack."""

    until: float


class RequeueFresh(msgspec.Struct, frozen=True):
    """The last delivery died but made progress: send the task again, so that its receive count starts anew; ack."""


class Failed(msgspec.Struct, frozen=True):
    """This run has failed already, and died before it could say so: bury."""

    cause: Cause


class Promote(msgspec.Struct, frozen=True):
    """A promotion was begun: finish it, whatever run asks."""


class Resume(msgspec.Struct, frozen=True):
    """Go on where the load stands; `adopt` if it was an older run's."""

    adopt: bool


class Start(msgspec.Struct, frozen=True):
    """Load from page 1; `beside` a complete load, which stays until the new one is whole."""

    keep_current: bool


Decision = Done | Superseded | Leased | RequeueFresh | Failed | Promote | Resume | Start


def decide(manifest: Manifest | None, task: Task, source: Source, delivery: Delivery, now: float) -> Decision:
    """The one right thing to do."""
    if manifest is None:
        return Start(keep_current=False)
    if manifest.state == "complete":
        return _over_complete(manifest, task, source, now)
    if task.run < manifest.load.run:
        return Superseded()
    if manifest.is_leased(now) and manifest.lease is not None and manifest.lease.holder != delivery.receipt:
        return Leased(manifest.lease.expires)
    if manifest.state == "failed" and manifest.load.run == task.run and manifest.cause is not None:
        return Failed(manifest.cause)
    if _died_with_progress(manifest, delivery):
        return RequeueFresh()
    if manifest.state == "promoting":
        return Promote()
    if _may_go_on(manifest, task, source, now):
        return Resume(adopt=manifest.load.run != task.run)
    return Start(keep_current=manifest.previous_load is not None)


def _over_complete(manifest: Manifest, task: Task, source: Source, now: float) -> Decision:
    load = manifest.load
    if task.run < load.run:
        return Superseded()
    if load.origin == source.origin and (
        load.run == task.run or not (task.fresh or loaded_too_early(load, task.date, now))
    ):
        return Done()
    return Start(keep_current=True)


def _died_with_progress(manifest: Manifest, delivery: Delivery) -> bool:
    return delivery.receives > 1 and manifest.lease is not None and manifest.load.steps > manifest.lease.steps


def _may_go_on(manifest: Manifest, task: Task, source: Source, now: float) -> bool:
    """Whether what has landed is of the same kind as what would follow it."""
    load = manifest.load
    if load.origin != source.origin or load.shape != source.fingerprint or loaded_too_early(load, task.date, now):
        return False
    if load.run == task.run:
        return True
    return not task.fresh and not (manifest.cause is not None and manifest.cause.restart)
