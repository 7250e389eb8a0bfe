"""One partition's attempts, from its manifest."""

from __future__ import annotations

from typing import Any

import msgspec

from option_a.ingest.manifest import Attempt, Load, Manifest, ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.plan import PartitionState, partition_state, summarize
from option_a.operations.requests import resolve_sources
from option_a.workspace.pipeline import Pipeline


class AttemptLog(msgspec.Struct, frozen=True):
    """One delivery of the partition's task. `seconds` and `responses` are None until it ends."""

    attempt: Attempt
    is_running: bool
    seconds: float | None
    responses: int | None


class PartitionLog(msgspec.Struct, frozen=True):
    """A partition's manifest, its derived state and its attempts, oldest first."""

    manifest: Manifest
    state: PartitionState
    attempts: list[AttemptLog]

    @property
    def load(self) -> Load:
        """The readable load, or else the unfinished one."""
        return self.manifest.readable or self.manifest.load

    def to_json(self) -> dict[str, Any]:
        """The document of --json."""
        manifest, load = self.manifest, self.load
        return {
            "source": manifest.source, "date": manifest.date, "state": manifest.state, "cause": manifest.cause,
            "restated": load.restated, "restated_pages": load.restated_pages, "attempts": manifest.attempts,
        }  # fmt: skip


def read_log(pipeline: Pipeline, partition: Partition) -> PartitionLog | None:
    """The log of a partition; None if it is missing.

    Raises InvalidRequest if it is missing and its source is not declared.
    """
    in_lake = partition.source in {other.source for other in pipeline.summaries()}
    manifest = ManifestStore(pipeline.lake, partition).read() if in_lake else None
    if manifest is None:
        resolve_sources(pipeline.sources, [partition.source])
        return None
    return log_of(manifest, pipeline.clock.now())


def log_of(manifest: Manifest, now: float) -> PartitionLog:
    """The log in a manifest."""
    leased = manifest.is_leased(now)
    last = len(manifest.attempts) - 1
    attempts = [
        _attempt_log(attempt, is_running=leased and number == last) for number, attempt in enumerate(manifest.attempts)
    ]
    return PartitionLog(manifest, partition_state(summarize(manifest), now), attempts)


def _attempt_log(attempt: Attempt, *, is_running: bool) -> AttemptLog:
    if attempt.ended is None:
        return AttemptLog(attempt, is_running, None, None)
    responses = max(0, attempt.answered - attempt.answered_before)
    return AttemptLog(attempt, False, attempt.ended - attempt.started, responses)
