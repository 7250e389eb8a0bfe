"""Death at each write, read and deletion of a ledger's segments, of which there is one for every thousand pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.support.crashes.crash_trial import CrashTrial, end_state
from tests.support.crashes.port_crash import CrashPoint
from tests.support.crashes.scenario_api import ScenarioApi
from tests.support.crashes.scenarios import NEXT
from tests.support.pipeline import Pipeline, make_pages

NEAR = {"put manifest", "read manifest", "entries manifest", "delete manifest", "compare_and_swap manifest"}


def begun(root: Path, pages: int) -> Pipeline:
    return ScenarioApi(make_pages(pages, size=1), seconds=0.1).begin(root)


def begun_again(root: Path, pages: int) -> Pipeline:
    """A re-load that restates some pages, and whose segments take the place of the first load's."""
    pipeline = begun(root, pages)
    assert pipeline.drain() == ["complete"]
    day = pipeline.api
    assert isinstance(day, ScenarioApi)
    day.pages = [*make_pages(20, size=1, word="b"), *make_pages(pages - 5, size=1)[20:]]
    pipeline.send(NEXT, fresh=True)
    return pipeline


@pytest.mark.bar(2)
def test_a_crash_at_any_call_for_a_segment_leaves_the_ledger_whole(tmp_path: Path, proof: Proof) -> None:
    pages, most = proof.size(1_010, 2_010), proof.size(2, 20)
    for scenario in (begun, begun_again) if proof.full else (begun_again,):
        calm, whole = scenario(tmp_path / "calm" / scenario.__name__, pages), CrashPoint(every_call=True)
        CrashTrial(calm, calm).crash(whole)
        expected = end_state(calm)
        near = [at for at, point in enumerate(whole.points, 1) if point in NEAR]
        assert NEAR - set(whole.points) == ({"delete manifest"} if scenario is begun else set())
        tried = proof.rng(scenario.__name__).sample(near, min(most, len(near)))
        for at in tried:
            trial = CrashTrial(scenario(tmp_path / f"{scenario.__name__}-{at}", pages), calm)
            assert trial.crash(CrashPoint(at, after=at % 2 == 0, every_call=True)), (proof.seed, at)
            trial.finish(expected)
            assert trial.excess_fetches == 0, (proof.seed, at)
        proof.figure("crash points of segments", len(tried))
