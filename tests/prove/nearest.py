"""Under mutmut: a mutant is tried with the tests nearest to it, for as many seconds as WITHIN says."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from mutmut.state import state

SECONDS = float(os.environ.get("WITHIN", "10"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave a mutant, and it alone, fewer of the tests that run its function, and end it with the first that hangs."""
    if "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", ""):
        config.args = list(within(SECONDS, nearest_first(config.args)))
        config.option.timeout_method = "thread"  # it ends the process, whatever else waits for what hangs
        config.option.timeout = SECONDS + 3 * max(state().duration_by_test[test] for test in config.args)


def nearest_first(tests: Iterable[str]) -> list[str]:
    """Those that run few functions before those that run many: what tests a function for itself comes first.
    What alone takes a good part of the time comes last."""
    reach = Counter(test for function in state().tests_by_mangled_function_name.values() for test in function)
    lasts = state().duration_by_test
    return sorted(tests, key=lambda test: (lasts[test] > SECONDS / 5, reach[test], lasts[test], test))


def within(seconds: float, tests: Iterable[str]) -> Iterator[str]:
    """As many as take so long together, and one at the least."""
    for test in tests:
        yield test
        seconds -= state().duration_by_test[test]
        if seconds < 0:
            return
