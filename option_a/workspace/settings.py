"""The settings that options and environment variables make."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from option_a.ingest.errors import SecretError
from option_a.ingest.ports import Secrets
from option_a.ingest.secrets import Reference

WORKERS = 8
"""Partitions that are loaded concurrently."""
DEFAULT_LAKE = "./lake"
DEFAULT_HOME = "./.option-a"
DEFAULT_SOURCES = "sources.toml"


def no_aws_secrets(wanted: Reference) -> str:
    """The default: AWS secrets cannot be read."""
    hint = "on one machine use env:NAME or file:PATH"
    raise SecretError(f"aws-secret:{wanted.name} cannot be read here", hint=hint)


def ignore_note(text: str) -> None:
    """Discard a note."""


class Settings(msgspec.Struct, frozen=True):
    """The options and environment variables in force."""

    sources: str | None = None
    """None: `sources.toml`, or the four default sources if it does not exist."""
    lake: str = DEFAULT_LAKE
    home: str = DEFAULT_HOME
    stack: str | None = None
    """The deployed stack to act on; None: this machine."""
    durable: bool = False
    workers: int = WORKERS
    aws_secrets: Secrets = no_aws_secrets
    """Reads secrets from AWS Secrets Manager."""
    note: Callable[[str], None] = ignore_note
    """Receives notes for the user that are not part of the result."""
    env: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))

    @property
    def sources_file(self) -> Path:
        """The file that declares the sources; it may not exist."""
        return Path(self.sources or DEFAULT_SOURCES)
