"""What a misspelt word was probably meant to be. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(given: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that resembles the given one most; None if none comes close."""
    return next(iter(difflib.get_close_matches(given, list(allowed), n=1)), None)
