"""Mistakes in a TOML file, in the words of the file. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from option_a.ingest.errors import ConfigError


def known(place: str, table: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raises ConfigError for a key of a table that has no meaning."""
    for key in table:
        if key not in allowed:
            raise ConfigError(f"{place}: key {unlike(key, allowed)}")


def unlike(given: str, allowed: Iterable[str]) -> str:
    """That a word is unknown, which one is like it, and which there are."""
    close = difflib.get_close_matches(given, list(allowed), 1, 0.6)
    did_you_mean = f"did you mean `{close[0]}`? " if close else ""
    return f"`{given}` is unknown; {did_you_mean}allowed: {', '.join(allowed)}"


def plain(message: str) -> str:
    """msgspec's message with its path in the words of the file."""
    what, _, path = message.partition(" - at `$")
    keys = re.sub(r"\[\.\.\.\]", "", path).strip("`.")
    return f"`{keys}`: {what}" if keys else what
