"""Nights on one clock: planner, workers, queue, lake and APIs, and all that can go wrong, decided by a seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.support.simulation.trial import SimulationTrial

CHUNKS = 10
REACHED = [
    "completed", "completed: re-loads", "completed: restated", "completed: adopted", "completed: 0 records",
    "completed: changed meanwhile", "deaths", "deaths amid a promotion", "killed at the end of its time",
    "delivered again", "SQS repeats", "answer lost", "no answer", "refused", "pause", "request failed",
    "breaker opened", "outages", "clock set", "sources declared anew", "told: lease-lost", "told: restarted",
    "delivery: leased", "delivery: superseded", "delivery: requeued", "delivery: waiting", "delivery: out-of-time",
    "delivery: stopped", "delivery: failed", "delivery: lease-lost", "planned: missing", "planned: incomplete",
    "planned: failed", "planned: open", "planned: origin", "planned: lookback", "planned: fresh",
    "promoted pages", "pages deleted", "redriven", "dead letters: http", "dead letters: body",
    "dead letters: patience", "dead letters: receives", "dead letters: lake",
    "folder lakes",
]  # fmt: skip
"""What the trials must have come to, or they show nothing."""
SLEPT = "damaged by a sleeper, found by verify"
SHOWN = ("steps", "deaths", "deaths amid a promotion", "told: lease-lost", "completed", "redriven", SLEPT)


@pytest.mark.bar(11)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_law_holds_after_every_step(chunk: int, tmp_path: Path, proof: Proof) -> None:
    size, seen = proof.size(10, 1_000), Counter[str]()
    for number in range(size):
        seed = proof.seed * CHUNKS * 1_000 + chunk * 1_000 + number
        seen += SimulationTrial(seed, tmp_path / str(number)).run().seen
    proof.figure("seeds", size, least=size)
    for name in SHOWN:
        proof.figure(name.removeprefix("told: lease-"), seen[name])
    missed = [name for name in REACHED if not seen[name]]
    assert not missed or not proof.full, f"no seed came to {missed} (--seed {proof.seed}, chunk {chunk})"
    proof.figure("kinds of event that each thousand came to", float(len(REACHED) - len(missed)))


@pytest.mark.bar(11)
def test_a_seed_is_the_same_trial_in_every_process(tmp_path: Path, proof: Proof) -> None:
    """Where it were not, a seed that failed could not be looked at again."""
    seeds = [proof.seed * 7 + 3 * n for n in range(proof.size(2, 50))]
    known = [SimulationTrial(seed, tmp_path / f"{seed}").run().digest for seed in seeds]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.simulation", *map(str, seeds)],
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [line.split()[1] for line in done.stdout.splitlines()] == known
    assert len(set(known)) == len(seeds)
    proof.figure("seeds tried twice, in two processes", len(seeds))
