"""A source: one API endpoint, as declared in sources.toml."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Annotated, Any, Literal

import msgspec

from option_a.ingest.config.auth import Auth, check_header
from option_a.ingest.config.body_template import slots
from option_a.ingest.config.rate import interval
from option_a.ingest.config.secret_scanner import check_request, is_reference
from option_a.ingest.config.statuses import Meaning
from option_a.ingest.config.statuses import check as check_statuses
from option_a.ingest.config.window import ISO_DATE, Window, check_format
from option_a.ingest.decode.columns import ColumnType
from option_a.ingest.decode.fields import Fields
from option_a.ingest.decode.format import DELIMITER, KEY_FIELD, BodyFormat, Format
from option_a.ingest.decode.locate import Shape
from option_a.ingest.decode.reported_errors import Errors
from option_a.ingest.pagination import PageNumberPaginator, Pagination
from option_a.ingest.partition import EARLIEST, SOURCE

DEFAULT_NAMES = ("api-a", "api-b", "api-c", "api-d")
NAME = re.compile(SOURCE)
MOCK = "mock://"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

LONGEST = 3_660 * 86_400.0
"""Seconds of the longest duration."""
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
        for key in ("patience", "due"):
            try:
                seconds(getattr(self, key))
            except ValueError as error:
                raise ValueError(f"`{key}`: {error}") from None
        if self.rate is not None:
            try:
                interval(self.rate)
            except ValueError as error:
                raise ValueError(f"`rate`: {error}") from None
        check_statuses(self.statuses)
        _ = self.reading
        check_format(self.date_format, "date_format", ("unix", "unix_ms"))
        check_request(self.method, self.headers, self.params, self.body)
        _check_slots(self)
        record = getattr(self.pagination, "record", None)
        if self.fields is not None and record is not None:
            self.fields.check_cursor(record)
        if self.total != "exact" and getattr(self.pagination, "counts_out", False):
            raise ValueError(
                f'total = "{self.total}" needs pagination.stop: as it stands `total_records` is the end, and '
                'records beyond an estimate would be lost; set stop = "empty" (or "short", with `size`)'
            )
        if self.errors == "beside" and getattr(self.pagination, "stop", None) == "short":
            raise ValueError(
                'errors = "beside" needs another pagination.stop than "short": a page that an error cut short would be '
                'the end; set stop = "empty"'
            )
        if self.date_param is not None and self.window is not None:
            raise ValueError("`date_param` and `window` exclude each other")
        if self.since is not None and self.since < EARLIEST:
            raise ValueError(f"`since` is the first date of all: write {EARLIEST} or a later one")
        if self.snapshot and self.since is not None:
            raise ValueError("`since` needs `date_param`: a source without dates has no past to ask for")
        for key in ("date_offset", "lookback"):
            if self.snapshot and getattr(self, key):
                raise ValueError(f"`{key}` needs `date_param`")

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
        return frozenset() if self.body is None else slots(self.body)

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


def seconds(duration: str) -> float:
    """The seconds of `90s`, `30m`, `6h` or `2d`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        raise ValueError(f"{duration!r} is no duration: write a number and s, m, h or d, as in 6h")
    found = float(match[1]) * _SECONDS[match[2]]
    if found > LONGEST:
        raise ValueError(f"{duration[:40]!r} is longer than ten years")
    return found


def view_name(name: str) -> str:
    """A source's name in SQL."""
    return name.replace("-", "_")


def mock_source(name: str) -> Source:
    """A source of the mock payload, by the contract that the defaults have."""
    return Source(name=name, url=MOCK + name, date_param="date")


def _check_slots(source: Source) -> None:
    """Raises ValueError for a slot of the body that nothing fills, and for what would be sent nowhere."""
    window, counted = source.window, source.pagination.ask(1, None).slots
    for slot in sorted(source.slots - {"date", *(("from", "to") if window is not None else ()), *counted}):
        why = "`window` is not declared" if slot in ("from", "to") else "it is not what `pagination` counts by"
        raise ValueError(f"`body` names {{{slot}}}, and {why}")
    for slot, param in (("from", window.first), ("to", window.last)) if window is not None else ():
        if param is None and slot not in source.slots:
            raise ValueError(f"`window` needs `{slot}`: the parameter, unless the body names {{{slot}}}")
    send = getattr(source.pagination, "send", "param")
    if send == "body" and source.method == "GET":
        raise ValueError('pagination.send = "body" needs method = "POST"')
    if send == "header":
        check_header(getattr(source.pagination, "param", ""))


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
