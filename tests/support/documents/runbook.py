"""What whoever is woken reads: the runbook, and the reference behind it."""

from __future__ import annotations

import re
from pathlib import Path

_DOCS = Path(__file__).parents[3] / "docs"
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
RUNBOOK = (_DOCS / "runbook.md").read_text("utf-8")
MESSAGES = (_DOCS / "messages.md").read_text("utf-8")


def as_read(document: str) -> list[str]:
    """Its lines, less where their links lead."""
    return _LINK.sub(r"\1", document).splitlines()
