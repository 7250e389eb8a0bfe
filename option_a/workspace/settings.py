"""What the user chose, by option or by environment variable."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from option_a.ingest.errors import SecretError
from option_a.ingest.ports import Secrets
from option_a.ingest.secrets import Reference

WORKERS = 8
"""Partitions that are loaded at once."""
DEFAULT_LAKE = "./lake"
DEFAULT_HOME = "./.option-a"
DEFAULT_SOURCES = "sources.toml"


def no_aws_secrets(wanted: Reference) -> str:
    """The secrets of AWS where nothing can read them."""
    raise SecretError(
        f"aws-secret:{wanted.name} cannot be read here", hint="name it env:NAME or file:PATH on one machine"
    )


def ignore_note(note: str) -> None:
    """Nobody listens."""


class Settings(msgspec.Struct, frozen=True):
    """The options and environment variables in force."""

    sources: str | None = None
    """None: `sources.toml`, and the four defaults where there is none."""
    lake: str = DEFAULT_LAKE
    home: str = DEFAULT_HOME
    stack: str | None = None
    """The deployed stack that is meant; None: this machine."""
    durable: bool = False
    workers: int = WORKERS
    aws_secrets: Secrets = no_aws_secrets
    """Reads the secrets that are on no machine: those of AWS Secrets Manager."""
    note: Callable[[str], None] = ignore_note
    """Hears what a person should know, beside the outcome."""
    env: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))

    @property
    def sources_file(self) -> Path:
        """Where the sources are declared; it may not be there."""
        return Path(self.sources or DEFAULT_SOURCES)
