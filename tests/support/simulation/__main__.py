"""Replays trials by seed: `python -m tests.support.simulation 17 18`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.simulation.trial import SimulationTrial

for seed in map(int, sys.argv[1:]):
    with TemporaryDirectory() as folder:
        outcome = SimulationTrial(seed, Path(folder)).run()
        print(seed, outcome.digest, dict(sorted(outcome.seen.items())))
