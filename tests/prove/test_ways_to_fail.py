"""APIs' own ways to fail: each ends as it must, says so, and is never taken for the end of the data."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from option_a.ingest.partition import Partition
from tests.conftest import Proof
from tests.support.apis.failing_pagination import PAGINATION_FAILURES
from tests.support.apis.failing_responses import RESPONSE_FAILURES
from tests.support.apis.partition_api import PartitionApi, PartitionLoads, partition_loads

pytestmark = pytest.mark.bar(9)

FAILURE_MODES = RESPONSE_FAILURES | PAGINATION_FAILURES
NAMES = {name: f"w{number}" for number, name in enumerate(FAILURE_MODES)}
COMMON = {"patience": "10m", "timeout": 5.0, "parallel": 1}
Loaded = tuple[PartitionLoads, dict[str, Partition]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Every way met once."""
    answering = PartitionApi()
    partitions = {name: answering.add(NAMES[name], failure.act) for name, failure in FAILURE_MODES.items()}
    declared = {
        NAMES[name]: {**COMMON, "pagination": dict(failure.pagination), **failure.more}
        for name, failure in FAILURE_MODES.items()
    }  # fmt: skip
    with partition_loads(tmp_path_factory.mktemp("ways"), answering, **declared) as met:
        met.load()
        yield met, partitions


@pytest.mark.parametrize("name", FAILURE_MODES)
def test_it_ends_as_it_must_and_says_so(name: str, loaded: Loaded, proof: Proof) -> None:
    met, partitions = loaded
    failure, partition = FAILURE_MODES[name], partitions[name]
    assert [told for told in met.tracebacks if told.startswith(f"{partition}:")] == []
    manifest = met.manifest(partition)
    cause = manifest.cause
    letters = [one.cause for one in met.pipeline.queue.dead if one.task and one.task.partition == partition]
    if failure.error_kind:
        assert (manifest.state, cause and cause.kind) == ("failed", failure.error_kind), cause
        assert cause is not None
        assert failure.message_part in cause.message
        assert cause.message.startswith(str(partition))
        assert letters == [cause]
    else:
        assert (manifest.state, cause, letters) == ("complete", None, [])
        assert [json.loads(line)["id"] for line in met.lines(partition)] == failure.ids
    assert met.pipeline.differences(partition.source, partition.date) == []
    proof.figure("ways to fail", 1)
    proof.figure("tracebacks", len(met.tracebacks), most=0)
