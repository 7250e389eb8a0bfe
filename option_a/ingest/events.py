"""What the pipeline says while it works. Wiring decides who listens: progress bars, log lines, metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

import msgspec

Kind = Literal[
    "started", "resumed", "adopted", "landed", "retrying", "waiting", "restarted", "promoting", "complete", "done",
    "superseded", "leased", "requeued", "failed", "stopped", "out-of-time", "lease-lost", "unreadable", "held",
]  # fmt: skip


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened to one partition. `pages`, `records` and `bytes` are of the load so far."""

    kind: Kind
    source: str
    date: dt.date | None = None
    run: str = ""
    page: int | None = None
    last: int | None = None
    pages: int = 0
    records: int = 0
    bytes: int = 0
    seconds: float | None = None
    message: str = ""


EventSink = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """Tell nobody."""
