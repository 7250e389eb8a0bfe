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
from tests.support.crashes.failing_storage import LAKE_FAULTS, QUEUE_FAULTS, StorageFault, message_gaps
from tests.support.crashes.local_machine import LocalMachine
from tests.support.pipeline import RUN, ApiFunction, make_pages, numbered_pages

FAULTS = [*LAKE_FAULTS, *QUEUE_FAULTS]
NEXT = "20231114T230000Z-b"
LONGEST_WAIT = 1_000.0
SEGMENTED = 1_003


def whole(pages: list[list[dict[str, object]]]) -> ApiFunction:
    return numbered_pages(pages, total_pages=len(pages))


def first(machine: LocalMachine) -> None:
    machine.api = whole([*make_pages(2), [], *make_pages(5)[3:]])


def again(machine: LocalMachine) -> None:
    """A shorter day with one page changed and one the same, beside a complete one, which is promoted over it."""
    machine.api = whole(make_pages(5))
    machine.plan(RUN, fresh=False)
    machine.work()
    machine.api = whole([*make_pages(1), *make_pages(3, word="b")[1:]])


def refused(machine: LocalMachine) -> None:
    machine.api = lambda request: b"<html>" if request.params["page"] == "3" else whole(make_pages(4))(request)


def down(machine: LocalMachine) -> None:
    """Out for so many requests that the breaker opens, and the tasks are sent again for later."""
    answer, faults = whole(make_pages(3)), iter(range(12))

    def api(request: Request) -> bytes | Response:
        if next(faults, None) is not None:
            raise TransientError("the API answered 503")
        return answer(request)

    machine.api = api


def segmented(machine: LocalMachine) -> None:
    machine.api, machine.seconds = whole(make_pages(SEGMENTED, size=1)), 0.1


Scenario = Callable[[LocalMachine], None]
SCENARIOS: list[Scenario] = [first, again, refused, down, segmented]


def made(root: Path, scenario: Scenario, fault: StorageFault) -> LocalMachine:
    machine = LocalMachine(root, whole([]), fault)
    scenario(machine)
    return machine


def night(machine: LocalMachine) -> None:
    machine.plan(NEXT, fresh=True)
    machine.work()


@cache
def undisturbed(scenario: Scenario, fault: StorageFault) -> tuple[dict[str, object], list[str]]:
    """What stands after a night without the fault, and the calls that it could have hit."""
    with TemporaryDirectory() as folder:
        machine = made(Path(folder), scenario, fault)
        machine.injector.arm(0)
        night(machine)
        calls = list(machine.injector.candidates)
        return machine.end_state(), calls


def steps(scenario: Scenario, fault: StorageFault, proof: Proof) -> list[int]:
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


def endured(root: Path, scenario: Scenario, fault: StorageFault, at: int) -> tuple[LocalMachine, OptionAError]:
    """A night that the fault hits at its `at`-th step; it ends with that error."""
    machine = made(root, scenario, fault)
    machine.queue.acks.clear()
    machine.sent = False
    machine.injector.arm(at)
    with pytest.raises(OptionAError) as caught:
        night(machine)
    return machine, caught.value


def recovered(machine: LocalMachine) -> None:
    """The next run after the cure. What the user asked for is asked for once more if nothing of it was enqueued."""
    machine.injector.repair()
    machine.clock.time += LONGEST_WAIT
    asked = [letter.task for letter in machine.queue.dead_letters()] or machine.queue.queued()
    if not asked:
        machine.plan(NEXT, fresh=True)
    machine.work()


@pytest.mark.bar(8)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_from_any_step_on_is_told_acks_nothing_and_is_gone_with_its_cause(
    fault: StorageFault, scenario: Scenario, tmp_path: Path, proof: Proof
) -> None:
    tried, acked, mute, lost = steps(scenario, fault, proof), 0, [], []
    for at in tried:
        expected, calls = undisturbed(scenario, fault)
        case = f"{fault} from {calls[at - 1]} ({at} of {len(calls)}) in {scenario.__name__}"
        machine, error = endured(tmp_path / str(at), scenario, fault, at)
        acked += len(machine.acked())
        mute += [f"{case}: {error} {missing}" for missing in message_gaps(error, machine.lake.name, str(machine.root))]
        recovered(machine)
        lost += [case] if machine.end_state() != expected else []
        machine.queue.close()
    assert lost == []
    proof.figure("faults at a step", len(tried))
    proof.figure("acks while a fault lasted", acked, most=0)
    assert mute == []
    proof.figure("unclear errors", len(mute), most=0)
    proof.figure("gone on unaided", len(tried) - len(lost), least=len(tried))


@pytest.mark.bar(8)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_command_that_only_looks_tells_of_it_too(fault: StorageFault, tmp_path: Path, proof: Proof) -> None:
    machine = made(tmp_path, refused, fault)
    night(machine)
    mute, told = [], 0
    for name, look in machine.other_commands().items():
        machine.injector.arm(1)
        try:
            look()
        except OptionAError as error:
            told += 1
            mute += [
                f"{name}: {error} {missing}" for missing in message_gaps(error, machine.lake.name, str(machine.root))
            ]
        machine.injector.repair()
    assert mute == []
    assert told or fault.calls <= {"write", "delete"}
    proof.figure("looks refused", told)
    proof.figure("unclear errors", len(mute), most=0)
