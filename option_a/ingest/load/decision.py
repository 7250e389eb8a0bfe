"""Decides what a worker does with a delivery, from the manifest alone. Pure."""

from __future__ import annotations

import msgspec

from option_a.ingest.config import Source
from option_a.ingest.manifest import Manifest, loaded_too_early
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task


class Done(msgspec.Struct, frozen=True):
    """The partition is complete: ack."""


class Superseded(msgspec.Struct, frozen=True):
    """A newer run owns the partition: ack."""


class Leased(msgspec.Struct, frozen=True):
    """Another worker holds the lease: requeue the task for after `until`."""

    until: float


class RequeueFresh(msgspec.Struct, frozen=True):
    """The last delivery died after making progress: requeue the task, so that its receive count starts at zero."""


class Failed(msgspec.Struct, frozen=True):
    """This run has failed, and its worker died before it sent the dead letter: send it now."""

    cause: Cause


class Promote(msgspec.Struct, frozen=True):
    """A promotion was begun: finish it, whichever run asks."""


class Resume(msgspec.Struct, frozen=True):
    """Go on where the load stopped; `adopt` if it belonged to an older run."""

    adopt: bool


class Start(msgspec.Struct, frozen=True):
    """Load from page 1; `keep_current`: beside a complete load, which stays readable until the new one is whole."""

    keep_current: bool


WithManifest = Done | Superseded | Leased | RequeueFresh | Failed | Promote | Resume
Decision = WithManifest | Start
"""Without a manifest the decision is always to start."""


def decide(manifest: Manifest | None, task: Task, source: Source, delivery: Delivery, now: float) -> Decision:
    """What to do with the delivery; `now` in epoch seconds."""
    if manifest is None:
        return Start(keep_current=False)
    if manifest.state == "complete":
        return _decide_complete(manifest, task, source, now)
    if task.run < manifest.load.run:
        return Superseded()
    if manifest.is_leased(now) and manifest.lease is not None and manifest.lease.holder != delivery.receipt:
        return Leased(manifest.lease.expires)
    if manifest.state == "failed" and manifest.load.run == task.run and manifest.cause is not None:
        return Failed(manifest.cause)
    # before Resume: five crashes with progress must not exhaust the receive count
    if _died_with_progress(manifest, delivery):
        return RequeueFresh()
    if manifest.state == "promoting":  # raw/ is half old and half new: this comes before anything else
        return Promote()
    if _may_resume(manifest, task, source, now):
        return Resume(adopt=manifest.load.run != task.run)
    return Start(keep_current=manifest.previous_load is not None)


def _decide_complete(manifest: Manifest, task: Task, source: Source, now: float) -> Decision:
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


def _may_resume(manifest: Manifest, task: Task, source: Source, now: float) -> bool:
    """Whether the pages that landed may be followed by new ones: same origin, same shape, and the date is over."""
    load = manifest.load
    if load.origin != source.origin or load.shape != source.fingerprint or loaded_too_early(load, task.date, now):
        return False
    if load.run == task.run:
        return True
    # a fresh load was asked for, or the cause of the failure said that the cursor is no longer accepted
    return not task.fresh and not (manifest.cause is not None and manifest.cause.restart)
