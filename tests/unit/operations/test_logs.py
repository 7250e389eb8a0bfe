"""What `logs` and `verify` make of manifests."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from option_a.ingest.errors import InvalidRequest
from option_a.ingest.manifest.model import Attempt, LeaseRecord, Load, Manifest
from option_a.ingest.partition import Partition
from option_a.operations.logs import log_of, read_log
from option_a.operations.verify import verify_scope
from tests.support.pipeline import source
from tests.unit.operations.memory_pipeline import NOW, RUN, TODAY, YESTERDAY, MemoryPipeline, known, summary

DIED = Attempt(RUN, NOW - 90, 1, 0)
ENDED = Attempt(RUN, NOW - 60, 1, 3, outcome="waiting", ended=NOW - 30, answered=5, message="HTTP 503")
BEFORE = YESTERDAY - dt.timedelta(days=1)


def manifest(*attempts: Attempt, leased_until: float = NOW + 10) -> Manifest:
    load = Load(RUN, "real", "shape", NOW - 90)
    return Manifest("s", TODAY, "loading", load, lease=LeaseRecord("a", leased_until, 0), attempts=list(attempts))


def test_an_ended_attempt_has_its_duration_and_its_own_responses() -> None:
    (attempt,) = log_of(manifest(ENDED), NOW).attempts
    assert (attempt.is_running, attempt.seconds, attempt.responses) == (False, 30.0, 2)


def test_the_last_attempt_is_running_while_the_partition_is_leased() -> None:
    log = log_of(manifest(DIED, ENDED, DIED), NOW)
    assert [attempt.is_running for attempt in log.attempts] == [False, False, True]
    assert (log.state, log.attempts[-1].seconds, log.attempts[-1].responses) == ("loading", None, None)
    expired = log_of(manifest(DIED, leased_until=NOW), NOW)
    assert (expired.state, expired.attempts[0].is_running) == ("incomplete", False)


def test_the_json_document_holds_the_stored_state_and_every_attempt() -> None:
    document = log_of(manifest(ENDED, leased_until=NOW), NOW).to_json()
    assert (document["state"], document["attempts"], document["restated_pages"]) == ("loading", [ENDED], [])


def test_a_missing_partition_has_no_log_and_an_unknown_source_is_refused(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, summaries=known(summary(name="gone")))
    assert read_log(pipeline, Partition("s", TODAY)) is None
    for name in ("gone", "nope"):
        with pytest.raises(InvalidRequest, match=f"no source `{name}`"):
            read_log(pipeline, Partition(name, TODAY))


def test_all_manifests_are_verified_and_missing_partitions_counted(tmp_path: Path) -> None:
    found = known(summary(TODAY, open=True), summary(YESTERDAY), summary(name="gone", state="failed"))
    pipeline = MemoryPipeline(tmp_path, [source(since=BEFORE)], found)
    scope = verify_scope(pipeline, ["s"], None, None, named=False)
    assert [str(partition) for partition in scope.partitions] == ["gone 2026-11-23", "s 2026-11-23", "s 2026-11-24"]
    assert scope.states == {"complete": 2, "missing": 1, "failed": 1}
    assert scope.whole_lake


@pytest.mark.parametrize(
    ("first", "last", "named", "count"),
    [(TODAY, None, False, 1), (None, YESTERDAY, False, 2), (YESTERDAY, YESTERDAY, True, 1), (None, None, True, 2)],
)
def test_a_filtered_verification_is_not_of_the_whole_lake(
    tmp_path: Path, first: dt.date | None, last: dt.date | None, named: bool, count: int
) -> None:
    found = known(summary(TODAY), summary(YESTERDAY), summary(name="gone"))
    scope = verify_scope(MemoryPipeline(tmp_path, summaries=found), ["s"], first, last, named=named)
    assert (len(scope.partitions), scope.whole_lake) == (count, False)
