"""The breaker's states, and what happens when several change it at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import breaker_key
from option_a.ingest.resilience.circuit_breaker import (
    CLOSED,
    LONGEST,
    MEMORY,
    SHORTEST,
    THRESHOLD,
    BreakerState,
    CircuitBreaker,
    read_breakers,
)
from option_a.ingest.resilience.retry import LONGEST_DELAY
from tests.support.clock import FakeClock

NOW = 1_700_000_000.0


def after(faults: int, *, every: float = 1.0, wish: float | None = None) -> BreakerState:
    state = CLOSED
    for n in range(faults):
        state = state.failed(NOW + n * every, "503", wish)
    return state


def test_a_few_faults_leave_it_closed_and_one_more_opens_it_for_a_minute() -> None:
    assert after(THRESHOLD - 1).until == 0.0
    opened = after(THRESHOLD)
    assert opened.until == NOW + THRESHOLD - 1 + SHORTEST
    assert (opened.since, opened.why) == (NOW, "503")


def test_faults_far_apart_do_not_add_up() -> None:
    assert after(3 * THRESHOLD, every=MEMORY + 1).until == 0.0


@pytest.mark.parametrize("wish", [21.0, 120.0, 900.0])
def test_a_long_wish_of_the_server_opens_it_at_once_for_just_so_long(wish: float) -> None:
    assert after(1, wish=wish).until == NOW + wish


def test_a_wish_beyond_what_a_queue_can_delay_is_asked_about_again_after_that() -> None:
    assert after(1, wish=86_400.0).until == NOW + 900.0


def test_who_fails_while_it_is_open_does_not_prolong_it_and_the_probe_does() -> None:
    opened = after(THRESHOLD)
    assert opened.failed(opened.until - 1, "late", None) == opened
    probing = opened.probing(opened.until)
    assert probing.failed(opened.until + 2, "still", None, probe=True).until == opened.until + 2 + SHORTEST


@given(st.floats(0, 10 * 86_400), st.none() | st.floats(0, 5_000))
def test_whatever_happens_it_is_open_for_a_minute_at_least_and_never_for_longer_than_a_queue_can_delay(
    later: float, wish: float | None
) -> None:
    opened = after(THRESHOLD)
    now = opened.until + later
    again = opened.probing(now).failed(now + 1, "503", wish, probe=True)
    assert SHORTEST <= again.until - now - 1 <= max(LONGEST, min(wish or 0.0, 900.0)) + 1e-3


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


def opened(lake: Lake, clock: FakeClock) -> None:
    worker = CircuitBreaker(lake, "s", clock)
    for _ in range(THRESHOLD):
        worker.failed("503", None)


def test_of_many_that_find_it_expired_one_asks(lake: FolderLake) -> None:
    clock = FakeClock()
    opened(lake, clock)
    assert all(CircuitBreaker(lake, "s", clock).blocked_by() for _ in range(20))
    clock.time += SHORTEST
    workers = [CircuitBreaker(lake, "s", clock) for _ in range(20)]
    held = [worker.blocked_by() for worker in workers]
    assert [state is None for state in held] == [True] + [False] * 19
    assert [worker.probes for worker in workers] == [True] + [False] * 19


def test_the_probes_success_closes_it_for_all_and_its_fault_opens_it_again(lake: FolderLake) -> None:
    clock = FakeClock()
    opened(lake, clock)
    clock.time += SHORTEST
    probe = CircuitBreaker(lake, "s", clock)
    assert probe.blocked_by() is None
    assert probe.failed("503", None).until == clock.time + SHORTEST
    assert CircuitBreaker(lake, "s", clock).blocked_by() is not None
    clock.time += SHORTEST
    probe = CircuitBreaker(lake, "s", clock)
    assert probe.blocked_by() is None
    probe.succeeded()
    assert CircuitBreaker(lake, "s", clock).blocked_by() is None
    assert not probe.probes


def test_a_probe_that_dies_is_followed_by_another_after_a_minute(lake: FolderLake) -> None:
    clock = FakeClock()
    opened(lake, clock)
    clock.time += SHORTEST
    assert CircuitBreaker(lake, "s", clock).blocked_by() is None
    assert CircuitBreaker(lake, "s", clock).blocked_by() is not None
    clock.time += SHORTEST
    assert CircuitBreaker(lake, "s", clock).blocked_by() is None


def test_an_answer_between_the_faults_begins_the_count_anew(lake: FolderLake) -> None:
    worker = CircuitBreaker(lake, "s", FakeClock())
    for _ in range(5 * THRESHOLD):
        for _ in range(THRESHOLD - 1):
            assert not worker.failed("503", None).until
        worker.succeeded()


class Counting(FolderLake):
    """Counts what is asked of it."""

    calls = 0

    def read(self, key: str) -> tuple[bytes, str] | None:
        self.calls += 1
        return super().read(key)

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        self.calls += 1
        return super().compare_and_swap(key, data, tag)


def test_while_all_is_well_it_costs_one_read_a_delivery_and_nothing_a_page(tmp_path: Path) -> None:
    lake = Counting(tmp_path)
    worker = CircuitBreaker(lake, "s", FakeClock())
    assert worker.blocked_by() is None
    for _ in range(1_000):
        worker.succeeded()
    assert lake.calls == 1


@pytest.mark.parametrize(
    "data",
    [b"\xff{", b'{"x":' * 9_000, b'{"since":1e300,"until":5}', b'{"since":-1e300,"until":5}', b'{"since":"soon"}'],
)
def test_an_object_that_nobody_can_read_is_a_closed_breaker(lake: FolderLake, data: bytes) -> None:
    lake.put(breaker_key("s"), data)
    assert read_breakers(lake, ["s"], FakeClock().now()) == {}
    worker = CircuitBreaker(lake, "s", FakeClock())
    assert worker.blocked_by() is None
    opened(lake, FakeClock())
    assert worker.blocked_by() is not None


def test_those_that_are_open_are_found_with_no_read_of_the_others(tmp_path: Path) -> None:
    lake, clock = Counting(tmp_path), FakeClock()
    opened(lake, clock)
    recovered = CircuitBreaker(lake, "recovered", clock)
    recovered.failed("503", 60.0)
    recovered.succeeded()
    CircuitBreaker(lake, "shaky", clock).failed("503", None)
    CircuitBreaker(lake, "another's", clock).failed("503", 60.0)
    lake.calls = 0
    found = read_breakers(lake, ["s", "recovered", "shaky", "well"], clock.now())
    assert lake.calls == 2
    assert found.keys() == {"s", "shaky"}
    opened_ones = {source: (state.failures, state.why) for source, state in found.items() if state.until}
    assert opened_ones == {"s": (THRESHOLD, "503")}
    later = read_breakers(lake, ["s"], clock.now() + 86_400)
    assert later["s"].until, "nobody has asked since"


class Contested(Lake):
    """A lake in which somebody else is always faster."""

    name = "contested"

    def __init__(self) -> None:
        self.swaps = 0

    def read(self, key: str) -> tuple[bytes, str] | None:
        return b"{}", str(self.swaps)

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        self.swaps += 1
        return None

    def put(self, key: str, data: bytes) -> None:
        raise AssertionError

    def copy(self, source: str, target: str) -> None:
        raise AssertionError

    def entries(self, prefix: str) -> Iterator[Entry]:
        raise AssertionError

    def _delete(self, keys: list[str]) -> None:
        raise AssertionError


def test_who_is_never_fast_enough_gives_up() -> None:
    lake = Contested()
    assert CircuitBreaker(lake, "s", FakeClock()).failed("503", None) == CLOSED
    assert 1 < lake.swaps < 20


@pytest.mark.parametrize("until", [LONGEST_DELAY + 1, 86_400.0, 1e300])
def test_one_that_is_open_for_longer_than_anybody_opens_it_is_probed_at_once(until: float, tmp_path: Path) -> None:
    clock, lake = FakeClock(), FolderLake(tmp_path)
    lake.put(
        breaker_key("s"), msgspec.json.encode(BreakerState(5, clock.now(), clock.now(), clock.now() + until, "503"))
    )
    breaker = CircuitBreaker(lake, "s", clock)
    assert breaker.blocked_by() is None
    assert breaker.probes
    assert CircuitBreaker(lake, "s", clock).blocked_by() is not None
