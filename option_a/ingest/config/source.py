"""A source: one API endpoint, as declared in sources.toml."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Annotated, Any, Literal

import msgspec

from option_a.ingest.config.auth import Auth
from option_a.ingest.config.body_template import template_slots
from option_a.ingest.config.checks import check_source
from option_a.ingest.config.duration import interval, seconds
from option_a.ingest.config.secret_scanner import is_reference
from option_a.ingest.config.statuses import Meaning
from option_a.ingest.config.window import ISO_DATE, Window
from option_a.ingest.decode import DELIMITER, KEY_FIELD, BodyFormat, ColumnType, Errors, Fields, Format, Shape
from option_a.ingest.pagination import PageNumberPaginator, Pagination
from option_a.ingest.partition import SOURCE

DEFAULT_NAMES = ("api-a", "api-b", "api-c", "api-d")
NAME = re.compile(SOURCE)
MOCK = "mock://"
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One endpoint. Every key is described in docs/sources.md."""

    name: str
    url: str = ""
    records: str | None = None
    date_param: str | None = None
    date_format: str = ISO_DATE
    window: Window | None = None
    date_offset: Annotated[int, msgspec.Meta(ge=-3_660, le=3_660)] = 0
    lookback: Annotated[int, msgspec.Meta(ge=0, le=366)] = 0
    since: dt.date | None = None
    params: dict[str, str | int | float | bool] = {}
    method: Literal["GET", "POST"] = "GET"
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    pagination: Pagination = msgspec.field(default_factory=PageNumberPaginator)
    parallel: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    max_pages: Positive = 100_000
    max_body: Positive = 64 * 2**20
    timeout: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 60.0
    patience: str = "6h"
    total: Literal["exact", "at_least", "ignore"] = "exact"
    repeats: Literal["error", "allow"] = "error"
    errors: Errors = "error"
    columns: dict[str, ColumnType] = {}
    auth: Auth | None = None
    due: str = "4h"
    concurrency: Annotated[int, msgspec.Meta(ge=2, le=1_000)] = 2
    rate: str | None = None
    statuses: dict[str, Meaning] = {}
    allow_private: bool = False
    ca_bundle: str | None = None
    format: Format = "json"
    shape: Shape = "objects"
    key_field: str = KEY_FIELD
    delimiter: str = DELIMITER
    fields: Fields | None = None

    def __post_init__(self) -> None:
        check_source(self)

    @property
    def origin(self) -> Literal["mock", "real"]:
        """Where its data come from; the two never mix in one partition."""
        return "mock" if self.url.startswith(MOCK) else "real"

    @property
    def snapshot(self) -> bool:
        """Whether it has no dates: planned for today only, never backfilled."""
        return self.date_param is None and self.window is None and "date" not in self.slots

    @property
    def slots(self) -> frozenset[str]:
        """What its body has filled in: `date`, `page`, `cursor`, …"""
        return frozenset() if self.body is None else template_slots(self.body)

    @property
    def view(self) -> str:
        """Its name in SQL."""
        return view_name(self.name)

    @property
    def query(self) -> dict[str, str]:
        """Its fixed query parameters, as text, but for those that are secrets."""
        return {key: _text(value) for key, value in self.params.items() if not is_reference(value)}

    @property
    def secret_params(self) -> dict[str, str]:
        """The query parameters that hold secrets: their names to the references."""
        named = {key: str(value) for key, value in self.params.items() if is_reference(value)}
        return {**named, **(self.auth.params() if self.auth is not None else {})}

    @property
    def secret_headers(self) -> dict[str, str]:
        """The headers of its own that hold secrets: their names to the references."""
        return {name: value for name, value in self.headers.items() if is_reference(value)}

    @property
    def plain_headers(self) -> dict[str, str]:
        """The headers that are as they stand."""
        return {name: value for name, value in self.headers.items() if not is_reference(value)}

    @property
    def patience_seconds(self) -> float:
        """For how long a fault may last before it is permanent."""
        return seconds(self.patience)

    @property
    def interval(self) -> float:
        """Seconds between two requests; 0 where no rate is set."""
        return interval(self.rate) if self.rate is not None else 0.0

    @property
    def reading(self) -> BodyFormat:
        """How its bodies are read. Raises ValueError where the keys contradict each other."""
        return BodyFormat(
            format=self.format, records=self.records, shape=self.shape,
            key_field=self.key_field, delimiter=self.delimiter,
        )  # fmt: skip

    @property
    def due_seconds(self) -> float:
        """For how long after the schedule its newest partition may be unfinished."""
        return seconds(self.due)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The references to secrets that it names."""
        salt = (self.fields.salt,) if self.fields is not None and self.fields.salt is not None else ()
        own = [*self.secret_headers.values(), *(str(value) for value in self.params.values() if is_reference(value))]
        return (*(self.auth.references() if self.auth is not None else ()), *own, *salt)

    @property
    def fingerprint(self) -> str:
        """A fingerprint of what decides which records its pages hold: pages of two shapes are never mixed."""
        parts = (
            self.url, self.records, self.date_param, self.params, self.pagination, self.reading, self.fields,
            self.method, self.body, self.headers, self.date_format, self.window,
        )  # fmt: skip
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:12]


def view_name(name: str) -> str:
    """A source's name in SQL."""
    return name.replace("-", "_")


def mock_source(name: str) -> Source:
    """A source of the mock payload, by the contract that the defaults have."""
    return Source(name=name, url=MOCK + name, date_param="date")


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
