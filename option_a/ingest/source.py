"""A source: one API endpoint, as declared in sources.toml."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Annotated, Literal

import msgspec

from option_a.ingest.auth import Auth
from option_a.ingest.columns import ColumnType
from option_a.ingest.paginate import Page, Pagination

DEFAULT_NAMES = ("api-a", "api-b", "api-c", "api-d")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
MOCK = "mock://"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Positive = Annotated[int, msgspec.Meta(ge=1)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One endpoint. Every key is described in docs/sources.md."""

    name: str
    url: str = ""
    records: str | None = None
    date_param: str | None = None
    date_offset: int = 0
    since: dt.date | None = None
    params: dict[str, str | int | float | bool] = {}
    pagination: Pagination = msgspec.field(default_factory=Page)
    parallel: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    max_pages: Positive = 100_000
    max_body: Positive = 64 * 2**20
    timeout: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 60.0
    patience: str = "6h"
    total: Literal["exact", "at_least", "ignore"] = "exact"
    repeats: Literal["error", "allow"] = "error"
    columns: dict[str, ColumnType] = {}
    auth: Auth | None = None
    due: str = "4h"
    concurrency: Annotated[int, msgspec.Meta(ge=2, le=1_000)] = 2

    def __post_init__(self) -> None:
        for key in ("patience", "due"):
            try:
                seconds(getattr(self, key))
            except ValueError as error:
                raise ValueError(f"`{key}`: {error}") from None
        if self.date_param is None and self.since is not None:
            raise ValueError("`since` needs `date_param`: a source without dates has no past to ask for")
        if self.date_param is None and self.date_offset:
            raise ValueError("`date_offset` needs `date_param`")

    @property
    def origin(self) -> Literal["mock", "real"]:
        """Where its data come from; the two never mix in one partition."""
        return "mock" if self.url.startswith(MOCK) else "real"

    @property
    def snapshot(self) -> bool:
        """Whether it has no dates: planned for today only, never backfilled."""
        return self.date_param is None

    @property
    def view(self) -> str:
        """Its name in SQL."""
        return view_name(self.name)

    @property
    def query(self) -> dict[str, str]:
        """Its fixed query parameters, as text."""
        return {key: _text(value) for key, value in self.params.items()}

    @property
    def patience_seconds(self) -> float:
        """For how long a fault may last before it is permanent."""
        return seconds(self.patience)

    @property
    def due_seconds(self) -> float:
        """For how long after the schedule its newest partition may be unfinished."""
        return seconds(self.due)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The references to secrets that it names."""
        return self.auth.references() if self.auth is not None else ()

    @property
    def shape(self) -> str:
        """A fingerprint of what decides which records its pages hold: pages of two shapes are never mixed."""
        parts = (self.url, self.records, self.date_param, self.params, self.pagination)
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:12]


def seconds(duration: str) -> float:
    """The seconds of `90s`, `30m`, `6h` or `2d`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        raise ValueError(f"{duration!r} is no duration: write a number and s, m, h or d, as in 6h")
    return float(match[1]) * _SECONDS[match[2]]


def view_name(name: str) -> str:
    """A source's name in SQL."""
    return name.replace("-", "_")


def mock_source(name: str) -> Source:
    """A source of the mock payload, by the contract that the defaults have."""
    return Source(name=name, url=MOCK + name, date_param="date")


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
