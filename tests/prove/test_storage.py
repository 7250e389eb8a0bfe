"""A disk or a queue that refuses from any step on: a clear error, nothing acked, and with its cause it is gone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from option_a.ingest.errors import OptionAError, TransientError
from option_a.ingest.ports import Request, Response
from tests.conftest import Proof
from tests.support.crashes.failing_storage import LAKE_FAULTS, QUEUE_FAULTS, Fault, Machine, unclear
from tests.support.pipeline import RUN, Api, days_of, numbered

FAULTS = [*LAKE_FAULTS, *QUEUE_FAULTS]
NEXT = "20231114T230000Z-b"
LONGEST_WAIT = 1_000.0
SEGMENTED = 1_003


def whole(pages: list[list[dict[str, object]]]) -> Api:
    return numbered(pages, total_pages=len(pages))


def first(machine: Machine) -> None:
    machine.api = whole([*days_of(2), [], *days_of(5)[3:]])


def again(machine: Machine) -> None:
    """A shorter day with one page changed and one the same, beside a complete one, which is promoted over it."""
    machine.api = whole(days_of(5))
    machine.plan(RUN, fresh=False)
    machine.work()
    machine.api = whole([*days_of(1), *days_of(3, word="b")[1:]])


def refused(machine: Machine) -> None:
    machine.api = lambda request: b"<html>" if request.params["page"] == "3" else whole(days_of(4))(request)


def down(machine: Machine) -> None:
    """Out for so many requests that the breaker opens, and the tasks are sent again for later."""
    answer, faults = whole(days_of(3)), iter(range(12))

    def api(request: Request) -> bytes | Response:
        if next(faults, None) is not None:
            raise TransientError("the API answered 503")
        return answer(request)

    machine.api = api


def segmented(machine: Machine) -> None:
    machine.api, machine.seconds = whole(days_of(SEGMENTED, size=1)), 0.1


Scenario = Callable[[Machine], None]
SCENARIOS: list[Scenario] = [first, again, refused, down, segmented]


def made(root: Path, scenario: Scenario, fault: Fault) -> Machine:
    machine = Machine(root, whole([]), fault)
    scenario(machine)
    return machine


def night(machine: Machine) -> None:
    machine.plan(NEXT, fresh=True)
    machine.work()


@cache
def undisturbed(scenario: Scenario, fault: Fault) -> tuple[dict[str, object], list[str]]:
    """What stands after a night without the fault, and the calls that it could have hit."""
    with TemporaryDirectory() as folder:
        machine = made(Path(folder), scenario, fault)
        machine.trouble.arm(0)
        night(machine)
        calls = list(machine.trouble.hit)
        return machine.stands(), calls


def steps(scenario: Scenario, fault: Fault, proof: Proof) -> list[int]:
    """Every step; of the long load those round its segments. In short a few of them, of the long load of one fault."""
    if scenario is segmented and fault is not FAULTS[0] and not proof.full:
        return []
    calls = undisturbed(scenario, fault)[1]
    every = list(range(1, len(calls) + 1))
    if scenario is segmented:
        near = {n + d for n, call in enumerate(calls, 1) if "segment" in call for d in (-1, 0, 1)}
        every = sorted(near & set(every)) or every[::10]
    few = proof.rng(scenario.__name__, fault.name).sample(every, min(len(every), 1 if scenario is segmented else 3))
    return every if proof.full else sorted(few)


def endured(root: Path, scenario: Scenario, fault: Fault, at: int) -> tuple[Machine, OptionAError]:
    """A night that the fault hits at its `at`-th step; it ends with that error."""
    machine = made(root, scenario, fault)
    machine.queue.acks.clear()
    machine.sent = False
    machine.trouble.arm(at)
    with pytest.raises(OptionAError) as caught:
        night(machine)
    return machine, caught.value


def recovered(machine: Machine) -> None:
    """The next run after the cure. What the user asked for is asked for once more if nothing of it was enqueued."""
    machine.trouble.mend()
    machine.clock.time += LONGEST_WAIT
    asked = [letter.task for letter in machine.queue.dead_letters()] or machine.queue.queued()
    if not asked:
        machine.plan(NEXT, fresh=True)
    machine.work()


@pytest.mark.bar(8)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_from_any_step_on_is_told_acks_nothing_and_is_gone_with_its_cause(
    fault: Fault, scenario: Scenario, tmp_path: Path, proof: Proof
) -> None:
    tried, acked, mute, lost = steps(scenario, fault, proof), 0, [], []
    for at in tried:
        expected, calls = undisturbed(scenario, fault)
        case = f"{fault} from {calls[at - 1]} ({at} of {len(calls)}) in {scenario.__name__}"
        machine, error = endured(tmp_path / str(at), scenario, fault, at)
        acked += len(machine.acked())
        mute += [f"{case}: {error} {missing}" for missing in unclear(error, machine.lake.name, str(machine.root))]
        recovered(machine)
        lost += [case] if machine.stands() != expected else []
        machine.queue.close()
    assert lost == []
    proof.figure("faults at a step", len(tried))
    proof.figure("acks while a fault lasted", acked, most=0)
    assert mute == []
    proof.figure("unclear errors", len(mute), most=0)
    proof.figure("gone on unaided", len(tried) - len(lost), least=len(tried))


@pytest.mark.bar(8)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_command_that_only_looks_tells_of_it_too(fault: Fault, tmp_path: Path, proof: Proof) -> None:
    machine = made(tmp_path, refused, fault)
    night(machine)
    mute, told = [], 0
    for name, look in machine.looks().items():
        machine.trouble.arm(1)
        try:
            look()
        except OptionAError as error:
            told += 1
            mute += [f"{name}: {error} {missing}" for missing in unclear(error, machine.lake.name, str(machine.root))]
        machine.trouble.mend()
    assert mute == []
    assert told or fault.calls <= {"write", "delete"}
    proof.figure("looks refused", told)
    proof.figure("unclear errors", len(mute), most=0)
