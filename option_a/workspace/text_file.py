"""Reads a configuration file that may be missing."""

from __future__ import annotations

from pathlib import Path

from option_a.ingest.errors import ConfigError, Where


def read_text(path: Path, option: str, *, required: bool) -> str | None:
    """The file's text; None if it is missing and not `required`. Raises ConfigError; `option` names another file."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        if not required:
            return None
        raise ConfigError("no such file", hint=f"name another with {option}", where=Where(file=str(path))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=Where(file=str(path))) from None
