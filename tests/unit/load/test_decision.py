"""What a worker does with a delivery: a table of every branch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.source import Source
from option_a.ingest.load.decision import (
    Decision,
    Done,
    Failed,
    Leased,
    Promote,
    RequeueFresh,
    Resume,
    Start,
    Superseded,
    decide,
)
from option_a.ingest.manifest.cutoff import utc_date_end
from option_a.ingest.manifest.model import LeaseRecord, Load, Manifest, State
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task
from tests.support.pipeline import source

DAY = dt.date(2026, 11, 23)
OVER = utc_date_end(DAY)
NOW = OVER + 3600
OLD, RUN, NEW = "20261124T000000Z-a", "20261124T010000Z-a", "20261124T020000Z-a"
REAL = source()
MOCK = source(url="mock://s")
CAUSE = Cause("http", "the API answered 401", status=401)
BROKEN = Cause("pagination", "page 3 repeats page 2", restart=True)
ALIVE, MINE, GONE = LeaseRecord("other", NOW + 9, 2), LeaseRecord("mine", NOW + 9, 2), LeaseRecord("other", NOW, 2)


def load(**fields: Any) -> Load:
    return Load(**{"run": RUN, "origin": "real", "shape": REAL.fingerprint, "started": OVER + 60, "pages": 2, **fields})


def manifest(state: State, *, landed: Load | None = None, claim: LeaseRecord | None = None, **fields: Any) -> Manifest:
    cause = fields.pop("cause", None)
    return Manifest("s", DAY, state, load(**fields), previous_load=landed, lease=claim, cause=cause)


def decided(
    stored: Manifest | None,
    run: str = RUN,
    *,
    fresh: bool = False,
    of: Source = REAL,
    receives: int = 1,
    now: float = NOW,
) -> Decision:
    return decide(stored, Task("s", DAY, run, fresh), of, Delivery("s", "mine", b"", receives), now)


when = partial(partial, decided)
"""To be decided in the test, not when the table is read: `make mutants` changes the code in between."""
EARLY: dict[str, Any] = {"started": OVER - 1}
RESHAPED: dict[str, Any] = {"shape": "another"}
TABLE: dict[str, tuple[Callable[[], Decision], Decision]] = {
    "nothing there": (when(None), Start(keep_current=False)),
    "nothing there, fresh": (when(None, fresh=True), Start(keep_current=False)),
    # over a complete load
    "complete, this run": (when(manifest("complete")), Done()),
    "complete, this run, fresh": (when(manifest("complete"), fresh=True), Done()),
    "complete, newer run": (when(manifest("complete"), OLD), Superseded()),
    "complete, older run": (when(manifest("complete"), NEW), Done()),
    "complete, older run, fresh": (when(manifest("complete"), NEW, fresh=True), Start(keep_current=True)),
    "complete, older run, shape changed": (when(manifest("complete", **RESHAPED), NEW), Done()),
    "complete too early": (when(manifest("complete", **EARLY), NEW), Start(keep_current=True)),
    "complete too early, this run": (when(manifest("complete", **EARLY)), Done()),
    "complete too early, day not over": (when(manifest("complete", **EARLY), NEW, now=OVER - 0.5), Done()),
    "complete snapshot": (when(manifest("complete", snapshot=True, **EARLY), NEW), Done()),
    "complete mock, real now": (when(manifest("complete", origin="mock"), NEW), Start(keep_current=True)),
    "complete real, mock now": (when(manifest("complete"), NEW, of=MOCK), Start(keep_current=True)),
    "complete mock, real now, this run": (when(manifest("complete", origin="mock")), Start(keep_current=True)),
    "complete mock too early": (when(manifest("complete", origin="mock", **EARLY), NEW, of=MOCK), Done()),
    # over an unfinished one
    "loading, newer run": (when(manifest("loading"), OLD), Superseded()),
    "loading, newer run alive": (when(manifest("loading", claim=ALIVE), OLD), Superseded()),
    "loading, claimed": (when(manifest("loading", claim=ALIVE)), Leased(NOW + 9)),
    "loading, claimed, redelivered": (when(manifest("loading", claim=ALIVE), receives=2), Leased(NOW + 9)),
    "loading, claimed, newer run fresh": (when(manifest("loading", claim=ALIVE), NEW, fresh=True), Leased(NOW + 9)),
    "loading, claimed by this delivery": (when(manifest("loading", claim=MINE)), Resume(adopt=False)),
    "loading, claim run out": (when(manifest("loading", claim=GONE)), Resume(adopt=False)),
    "loading, died with progress": (when(manifest("loading", claim=GONE, pages=3), receives=2), RequeueFresh()),
    "loading, died with an empty page": (when(manifest("loading", claim=GONE, empty=1), receives=2), RequeueFresh()),
    "loading, died without": (when(manifest("loading", claim=GONE), receives=2), Resume(adopt=False)),
    "loading, progress, first receipt": (when(manifest("loading", claim=GONE, pages=3)), Resume(adopt=False)),
    "loading, given back": (when(manifest("loading", pages=3), receives=2), Resume(adopt=False)),
    "loading, this run": (when(manifest("loading")), Resume(adopt=False)),
    "loading, this run, fresh": (when(manifest("loading"), fresh=True), Resume(adopt=False)),
    "loading, older run": (when(manifest("loading"), NEW), Resume(adopt=True)),
    "loading, older run, fresh": (when(manifest("loading"), NEW, fresh=True), Start(keep_current=False)),
    "beside, older run, fresh": (when(manifest("loading", landed=load()), NEW, fresh=True), Start(keep_current=True)),
    "loading, shape changed": (when(manifest("loading", **RESHAPED)), Start(keep_current=False)),
    "beside, shape changed": (when(manifest("loading", landed=load(), **RESHAPED)), Start(keep_current=True)),
    "loading, origin changed": (when(manifest("loading", origin="mock")), Start(keep_current=False)),
    "loading too early": (when(manifest("loading", **EARLY), NEW), Start(keep_current=False)),
    "loading too early, this run": (when(manifest("loading", **EARLY)), Start(keep_current=False)),
    "loading, day not over": (when(manifest("loading", **EARLY), NEW, now=OVER - 0.5), Resume(adopt=True)),
    # over a promotion
    "promoting, this run": (when(manifest("promoting", landed=load())), Promote()),
    "promoting, older run": (when(manifest("promoting", landed=load()), NEW, fresh=True), Promote()),
    "promoting, newer run": (when(manifest("promoting", landed=load()), OLD), Superseded()),
    "promoting, claimed": (when(manifest("promoting", landed=load(), claim=ALIVE), NEW), Leased(NOW + 9)),
    "promoting, shape changed": (when(manifest("promoting", landed=load(), **RESHAPED), NEW), Promote()),
    # over a failed one
    "failed, this run": (when(manifest("failed", cause=CAUSE)), Failed(CAUSE)),
    "failed, this run, redelivered": (when(manifest("failed", cause=CAUSE), receives=2), Failed(CAUSE)),
    "failed, newer run": (when(manifest("failed", cause=CAUSE), OLD), Superseded()),
    "failed, older run": (when(manifest("failed", cause=CAUSE), NEW), Resume(adopt=True)),
    "failed, older run, fresh": (when(manifest("failed", cause=CAUSE), NEW, fresh=True), Start(keep_current=False)),
    "failed, older run, restart": (when(manifest("failed", cause=BROKEN), NEW), Start(keep_current=False)),
    "failed beside, restart": (when(manifest("failed", landed=load(), cause=BROKEN), NEW), Start(keep_current=True)),
    "failed beside, older run": (when(manifest("failed", landed=load(), cause=CAUSE), NEW), Resume(adopt=True)),
    "failed, shape changed": (when(manifest("failed", cause=CAUSE, **RESHAPED), NEW), Start(keep_current=False)),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_the_one_right_thing_is_done(case: str) -> None:
    decide_now, right = TABLE[case]
    assert decide_now() == right


def test_the_table_has_every_decision() -> None:
    made = {type(right) for _, right in TABLE.values()}
    assert made == {Done, Superseded, Leased, RequeueFresh, Failed, Promote, Resume, Start}


manifests = st.builds(
    manifest,
    st.sampled_from(["loading", "promoting", "complete", "failed"]),
    landed=st.none() | st.just(load()),
    claim=st.sampled_from([None, ALIVE, MINE, GONE]),
    run=st.sampled_from([OLD, RUN, NEW]),
    origin=st.sampled_from(["mock", "real"]),
    shape=st.sampled_from([REAL.fingerprint, "another"]),
    started=st.sampled_from([OVER - 1, OVER + 1]),
    pages=st.integers(0, 3),
    cause=st.sampled_from([None, CAUSE, BROKEN]),
)


@given(manifests, st.sampled_from([OLD, RUN, NEW]), st.booleans(), st.sampled_from([REAL, MOCK]), st.integers(1, 5))
def test_whatever_is_stored_an_older_run_changes_nothing_and_a_live_claim_is_respected(
    stored: Manifest, run: str, fresh: bool, of: Source, receives: int
) -> None:
    before = msgspec.json.encode(stored)
    decision = decided(stored, run, fresh=fresh, of=of, receives=receives)
    assert msgspec.json.encode(stored) == before
    if run < stored.load.run:
        assert decision == Superseded()
    elif stored.state != "complete" and stored.lease is ALIVE:
        assert decision == Leased(ALIVE.expires)
    if isinstance(decision, Start):
        assert decision.keep_current == (stored.readable is not None)
    if isinstance(decision, Resume):
        assert (stored.load.origin, stored.load.shape) == (of.origin, of.fingerprint)
    if isinstance(decision, Done):
        assert stored.load.origin == of.origin
