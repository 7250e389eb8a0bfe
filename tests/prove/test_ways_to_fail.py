"""APIs' own ways to fail: each ends as it must, says so, and is never taken for the end of the data."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from option_a.ingest.partition import Partition
from tests.conftest import Proof
from tests.support.apis.failure_modes import WAYS
from tests.support.apis.many_sources import Answering, Landing, landing

pytestmark = pytest.mark.bar(9)

NAMES = {name: f"w{number}" for number, name in enumerate(WAYS)}
COMMON = {"patience": "10m", "timeout": 5.0, "parallel": 1}
Loaded = tuple[Landing, dict[str, Partition]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Every way met once."""
    answering = Answering()
    partitions = {name: answering.add(NAMES[name], way.act) for name, way in WAYS.items()}
    declared = {
        NAMES[name]: {**COMMON, "pagination": dict(way.pagination), **way.more} for name, way in WAYS.items()
    }  # fmt: skip
    with landing(tmp_path_factory.mktemp("ways"), answering, **declared) as met:
        met.load()
        yield met, partitions


@pytest.mark.parametrize("name", WAYS)
def test_it_ends_as_it_must_and_says_so(name: str, loaded: Loaded, proof: Proof) -> None:
    met, partitions = loaded
    way, partition = WAYS[name], partitions[name]
    assert [told for told in met.tracebacks if told.startswith(f"{partition}:")] == []
    manifest = met.manifest(partition)
    cause = manifest.cause
    letters = [one.cause for one in met.pipeline.queue.dead if one.task and one.task.partition == partition]
    if way.ends:
        assert (manifest.state, cause and cause.kind) == ("failed", way.ends), cause
        assert cause is not None
        assert way.says in cause.message
        assert cause.message.startswith(str(partition))
        assert letters == [cause]
    else:
        assert (manifest.state, cause, letters) == ("complete", None, [])
        assert [json.loads(line)["id"] for line in met.lines(partition)] == way.ids
    assert met.pipeline.differences(partition.source, partition.date) == []
    proof.figure("ways to fail", 1)
    proof.figure("tracebacks", len(met.tracebacks), most=0)
