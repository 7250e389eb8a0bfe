"""Every target, by its name."""

from __future__ import annotations

from tests.support.fuzz import bodies, config, ledger, messages, packed, tables, wire
from tests.support.fuzz.engine import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (messages, config, ledger, bodies, packed, wire, tables)
    for target in module.TARGETS
}
