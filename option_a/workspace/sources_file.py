"""Appends a source's table to sources.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Container, Mapping
from pathlib import Path

from option_a.ingest.config import read_sources
from option_a.ingest.errors import ConfigError, Where


def declare(file: Path, name: str, table: str, env: Mapping[str, str]) -> bool:
    """Append a source's table. Returns whether the file is new. Raises ConfigError, leaving the file unchanged."""
    where = Where(file=str(file))
    try:
        before = file.read_text("utf-8") if file.exists() else ""
        if name in _names(before):
            raise ConfigError(f"source `{name}` exists already", hint="choose another: --name", where=where)
        after = f"{before.rstrip()}\n\n{table}" if before.strip() else table
        read_sources(after, env, str(file))
        _replace(file, after)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be written: {error}", where=where) from None
    return not before


def _names(text: str) -> Container[str]:
    """The names of the declared sources; none if the TOML is invalid, which `read_sources` then reports."""
    try:
        tables = tomllib.loads(text).get("sources")
    except tomllib.TOMLDecodeError:
        return ()
    return tables if isinstance(tables, dict) else ()


def _replace(file: Path, text: str) -> None:
    """Write atomically, with the permissions of the existing file."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(text, "utf-8")
    if file.exists():
        temporary.chmod(file.stat().st_mode)
    os.replace(temporary, file.resolve())
