"""Every fuzz target by name."""

from __future__ import annotations

from tests.support.fuzz import bodies, config, content_encodings, manifest, messages, responses, sql
from tests.support.fuzz.engine import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (messages, config, manifest, bodies, content_encodings, responses, sql)
    for target in module.TARGETS
}
