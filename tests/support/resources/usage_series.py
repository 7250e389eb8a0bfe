"""Checks that a process's memory, files and threads stay flat over many rounds, for soak and kill tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import linear_regression, median

from tests.conftest import Proof
from tests.support.resources.process_usage import ProcessUsage


class UsageSeries:
    """The usage after each round; the first third is warm-up."""

    def __init__(self, rounds: Sequence[ProcessUsage]) -> None:
        self.rounds = rounds

    def middle(self, of: Callable[[ProcessUsage], int]) -> float:
        """The median of the second third."""
        third = len(self.rounds) // 3
        return median(map(of, self.rounds[third : 2 * third]))

    def last(self, of: Callable[[ProcessUsage], int]) -> float:
        """The median of the last third."""
        return median(map(of, self.rounds[-(len(self.rounds) // 3) :]))

    def slope(self, of: Callable[[ProcessUsage], int]) -> float:
        """The growth per round over the last two thirds, by least squares."""
        values = list(map(of, self.rounds[len(self.rounds) // 3 :]))
        return linear_regression(range(len(values)), values).slope

    def assert_flat(self, proof: Proof, whose: str) -> None:
        """The last third holds no more than the middle third; short trials are still warming up."""
        memory = self.last(_memory) / self.middle(_memory)
        proof.figure(f"rounds {whose}", len(self.rounds))
        proof.figure(f"memory {whose}, MB", round(self.last(_memory) / 1024, 1))
        proof.figure(f"memory {whose}, last third to middle third", round(memory, 3), most=1.02 if proof.full else 1.05)
        proof.figure(f"memory {whose}, kB more each round", round(self.slope(_memory), 2))
        proof.figure(f"open files {whose} more than before", self.last(_files) - self.middle(_files), most=0.0)
        proof.figure(f"threads {whose} more than before", self.last(_threads) - self.middle(_threads), most=0.0)


def _memory(held: ProcessUsage) -> int:
    return held.memory


def _files(held: ProcessUsage) -> int:
    return held.files


def _threads(held: ProcessUsage) -> int:
    return held.threads
