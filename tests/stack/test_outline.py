"""The whole of the default stack, as a text under review: what changes here changes on AWS."""

from __future__ import annotations

import copy

from tests.stack.assembly import default
from tests.stack.outline import FILE, made, outline


def test_the_stack_is_as_it_was_reviewed() -> None:
    kept = FILE.read_text("utf-8")
    assert made().splitlines() == kept.splitlines(), "if that is meant: python -m tests.stack.outline"


def test_a_person_can_read_it() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    assert len(lines) < 900
    assert sum(not line.startswith(" ") for line in lines) == len(default().root["Resources"]) + 1


def test_a_change_shows() -> None:
    changed = copy.deepcopy(default().root)
    changed["Resources"]["WorkerFn"]["Properties"]["Timeout"] = 60
    assert outline(changed) != made()
