"""How a partition's date is told to an API: one value, or a window from its first moment to its last. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

ISO_DATE = "%Y-%m-%d"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_FINEST = {"iso": dt.timedelta(microseconds=1), "unix_ms": dt.timedelta(milliseconds=1)}
"""How far before its end the last moment of an inclusive window is, where that is less than a second."""


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two parameters instead of one: the first moment of the date, and the one at which it ends."""

    first: str | None = msgspec.field(default=None, name="from")
    last: str | None = msgspec.field(default=None, name="to")
    format: str = "iso"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    zone: str = "UTC"

    def __post_init__(self) -> None:
        check_format(self.format, "format", ("iso", "date", "unix", "unix_ms"))
        try:
            _zone(self.zone)
        except (ValueError, OSError, LookupError):
            raise ValueError(
                f"`zone` {self.zone!r} is unknown: write a name of the IANA database, as Europe/Warsaw "
                "(a system without it needs the package tzdata)"
            ) from None

    def bounds(self, date: dt.date) -> tuple[str | int, str | int]:
        """What `from` and `to` hold for a date. Of a day on which the clocks change it is 23 or 25 hours."""
        begin, over = midnight(date, self.zone), midnight(date + dt.timedelta(days=1), self.zone)
        if self.end == "inclusive":
            finest = _FINEST["iso"] if "%f" in self.format else _FINEST.get(self.format, _SECOND)
            over = (over.astimezone(dt.UTC) - finest).astimezone(over.tzinfo)
        return format_moment(begin, self.format), format_moment(over, self.format)


def midnight(date: dt.date, zone: str) -> dt.datetime:
    """The first moment of a date in a time zone. Where the clocks skip midnight it is the first hour that there is."""
    local = dt.datetime.combine(date, dt.time(), _zone(zone))
    return local.astimezone(dt.UTC).astimezone(local.tzinfo)


def format_moment(moment: dt.datetime, form: str) -> str | int:
    """A moment as an API wants it."""
    if form == "iso":
        text = moment.isoformat()
        return text.removesuffix("+00:00") + "Z" if moment.utcoffset() == dt.timedelta() else text
    if form == "date":
        return moment.date().isoformat()
    if form == "unix":
        return (moment - _EPOCH) // _SECOND
    if form == "unix_ms":
        return (moment - _EPOCH) // _FINEST["unix_ms"]
    return moment.strftime(form)


def format_date(date: dt.date, form: str) -> str | int:
    """A date as an API wants it: its first moment, UTC."""
    return date.isoformat() if form == ISO_DATE else format_moment(dt.datetime.combine(date, dt.time(), dt.UTC), form)


def check_format(form: str, key: str, named: tuple[str, ...]) -> None:
    """Raises ValueError for a format that says nothing."""
    if form not in named and ("%" not in form or "%s" in form):
        raise ValueError(
            f'`{key}` {form!r} is not a valid format: write {", ".join(named)}, or directives as in "{ISO_DATE}"'
        )


def date_ends_at(date: dt.date, window: Window | None) -> float | None:
    """The epoch second at which a date is over where the source counts its days; None where it is as UTC has it."""
    if window is None or window.zone == "UTC":
        return None
    return midnight(date + dt.timedelta(days=1), window.zone).timestamp()


def _zone(name: str) -> dt.tzinfo:
    if name == "UTC":
        return dt.UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
