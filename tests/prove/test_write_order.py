"""Bar 7. The order of writes as the kernel sees it: page, then the manifest that names it, then the ack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from option_a.ingest.lake.keys import page_key, raw_prefix, segment_key
from option_a.ingest.manifest.rows import SEGMENT
from option_a.ingest.partition import Partition
from tests.acceptance.command import DAY, Place, command
from tests.conftest import Proof
from tests.support.apis.changing_api import MAX_PAGES, NAMES, WORKER_VARIABLE, ChangingApi, sources_toml
from tests.support.apis.page_server import serve_api
from tests.support.crashes.queue_replay import AckedTask, QueueReplay
from tests.support.crashes.strace import trace_command, unavailable_reason
from tests.support.crashes.write_order import ManifestHistory, WriteOrder, unexpected_raw_writes

SECONDS = 0.002
PARTITIONS = [Partition(name, dt.date.fromisoformat(DAY)) for name in NAMES]


class Traced:
    """A command that was traced from its first call to its last."""

    def __init__(self, option_a: Place, *arguments: str) -> None:
        durable, before = "--durable" in arguments, _files(option_a.lake)
        replay, queue = (
            QueueReplay(_made(option_a.folder / "replay"), _files(option_a.home)),
            ("--home", str(option_a.home)),
        )
        arguments = (*arguments, "--date", DAY, "--lake", str(option_a.lake), *queue)
        env = option_a.env | {WORKER_VARIABLE: "traced"}
        calls = trace_command(option_a.folder / "trace", command(*arguments), option_a.folder, env)
        self.order = WriteOrder(calls, option_a.lake, before, durable=durable)
        self.history = [ManifestHistory(self.order, partition) for partition in PARTITIONS]
        self.acked_tasks = replay.acked_tasks(calls)

    def named(self) -> Iterator[tuple[str, bool]]:
        """Every page that a manifest names; whether it was safe before."""
        for history in self.history:
            yield from history.pages()

    def acked_early(self) -> Iterator[AckedTask]:
        """Acks that may survive where the manifest that says `complete` may not."""
        for gone in self.acked_tasks:
            [history] = [history for history in self.history if history.partition.source == gone.source]
            complete = history.first_in_state("complete")
            if complete is None or complete.safe >= gone.call.begun:
                yield gone


def _files(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def option_a(tmp_path: Path) -> Place:
    if reason := unavailable_reason(tmp_path):
        pytest.skip(reason)
    return Place(tmp_path)


@pytest.fixture
def days(option_a: Place, proof: Proof) -> Iterator[ChangingApi]:
    """An API whose day changes, declared."""
    api = ChangingApi([DAY], proof.rng("days"), seconds=SECONDS)
    with serve_api(api) as server:
        api.url = server.url
        option_a.declare(sources_toml(server.url))
        yield api


@pytest.mark.bar(7)
@pytest.mark.parametrize("durable", [True, False], ids=["durable", "process alone"])
def test_a_page_is_safe_before_its_manifest_and_that_before_the_ack(
    option_a: Place, days: ChangingApi, durable: bool, proof: Proof
) -> None:
    for load in range(proof.size(2, 12)):
        days.add_versions()
        run = Traced(option_a, "run", "--fresh", *(["--durable"] if durable else []))
        assert [option_a.lines(name, DAY) for name in NAMES] == [days.lines(name, DAY) for name in NAMES]
        lands_in_order(run, proof, acks=len(NAMES))
        if durable:
            unsafe = [
                gone for gone in run.acked_tasks if not run.order.synced_before_next_write(gone.log, gone.call.ended)
            ]
            proof.figure("acks that were not synced at once", len(unsafe), most=0)
        if load:
            promotes_in_order(run, proof)


@pytest.mark.bar(7)
def test_so_it_is_where_the_ledger_has_segments(option_a: Place, days: ChangingApi, proof: Proof) -> None:
    days.add_long_version("told", DAY, SEGMENT + 20)
    run = Traced(option_a, "run", "--source", "told", "--durable")
    assert run.order.versions(segment_key(PARTITIONS[0], 1, 1))
    lands_in_order(run, proof, acks=1)


def lands_in_order(run: Traced, proof: Proof, *, acks: int) -> None:
    """Every page is safe before a manifest that names it can be seen, and `complete` before the ack can be."""
    named = dict(run.named())
    early = [page for page, safe in named.items() if not safe]
    proof.figure("pages named by a manifest", len(named))
    proof.figure("of them named before they were safe", len(early), most=0)
    proof.figure("acks", len(run.acked_tasks), least=acks)
    proof.figure("acks before `complete` was safe", len(list(run.acked_early())), most=0)
    proof.figure("written below raw/ that is no whole page", len(unexpected_raw_writes(run.order)), most=0)


def promotes_in_order(run: Traced, proof: Proof) -> None:
    """`promoting` is safe, then raw/ changes; once all of that is safe, there is `complete`; then staging goes."""
    for history in run.history:
        promoting, complete = history.first_in_state("promoting"), history.first_in_state("complete")
        assert promoting is not None
        assert complete is not None
        prefix = raw_prefix(history.partition)
        copied = [
            (landing.seen, landing.safe)
            for number in range(1, MAX_PAGES + 1)
            for landing in run.order.versions(page_key(prefix, number))
            if landing.seen >= 0
        ]
        deleted = [(seen, safe) for _, seen, safe in run.order.removals(prefix)]
        wrong = [seen for seen, safe in (*copied, *deleted) if not promoting.safe < seen <= safe < complete.seen]
        proof.figure("pages promoted", len(copied))
        proof.figure("surplus pages deleted", len(deleted))
        proof.figure("promoted or deleted outside `promoting`", len(wrong), most=0)
        left = [seen for key, seen, _ in run.order.removals("staging") if history.partition.path in key]
        assert all(seen > complete.safe for seen in left)
