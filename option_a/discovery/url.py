"""What the query of a URL says by itself: positions, sizes, dates, and what is left of it. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec

NUMBERS = {"page", "p", "pagenumber", "pageno", "pageindex", "pagenum"}
SIZES = {
    *("limit", "perpage", "pagesize", "size", "count", "rows", "maxresults", "top", "pagelimit", "itemsperpage"),
    *("first", "take", "numresults", "hitsperpage"),
}
OFFSETS = {"offset", "skip", "start", "startat", "startindex", "from"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_FROM = re.compile(r"from|since|after|start|begin|gte?|min", re.IGNORECASE)
_TO = re.compile(r"to|until|before|end|lte?|max", re.IGNORECASE)


class Query(msgspec.Struct, frozen=True):
    """A URL taken apart: its address, and its parameters by what they are for."""

    url: str
    whole: dict[str, str]
    """Every parameter."""
    number: tuple[str, int] | None = None
    size: tuple[str, int] | None = None
    offset: tuple[str, int] | None = None
    date: tuple[str, dt.date] | None = None
    window: tuple[str, str, str] | None = None
    """The two parameters, and the format of their values."""

    def dated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The key by which the table says where the URL holds its date; empty if it holds none, or it is given."""
        if "window" in given or "date_param" in given:
            return {}
        if self.window is not None:
            begin, end, form = self.window
            return {"window": {"from": begin, "to": end} | ({} if form == "iso" else {"format": form})}
        return {"date_param": self.date[0]} if self.date is not None else {}

    def params(self, pagination: Mapping[str, Any]) -> dict[str, str]:
        """What is sent with every request beside the date and what the pagination sends by itself."""
        dated = {*(self.date or ())[:1], *(self.window or ())[:2]}
        sent = {pagination.get("param"), pagination.get("size_param")}
        if pagination["style"] in ("page", "offset"):
            sent |= {found[0] for found in (self.number, self.offset) if found}
        return {key: value for key, value in {**self.whole, **self._begun()}.items() if key not in dated | sent}

    def _begun(self) -> dict[str, str]:
        """A position beyond the first, put back to it: a load begins at the beginning, wherever the URL was."""
        number = {self.number[0]: "1"} if self.number is not None and self.number[1] > 1 else {}
        offset = {self.offset[0]: "0"} if self.offset is not None and self.offset[1] > 0 else {}
        return number | offset


def read_query(url: str) -> Query:
    """The URL taken apart."""
    parts = urlsplit(url)
    params = dict(parse_qsl(parts.query, keep_blank_values=True))
    number, offset = _whole(params, NUMBERS), _whole(params, OFFSETS)
    size = _whole(params, SIZES)
    date, window = _dates(params)
    return Query(
        url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        whole=params,
        number=number, size=size, offset=offset, date=date, window=window,
    )  # fmt: skip


def _whole(params: dict[str, str], names: set[str]) -> tuple[str, int] | None:
    for key, value in params.items():
        if re.sub(r"[^a-z]", "", key.lower()) in names and value.isascii() and value.isdigit() and len(value) < 10:
            return key, int(value)
    return None


def _dates(params: dict[str, str]) -> tuple[tuple[str, dt.date] | None, tuple[str, str, str] | None]:
    """The parameter that holds a date; or two of them, a beginning and an end."""
    days = [key for key, value in params.items() if _day(value) is not None]
    begins = [key for key in days if _FROM.search(key) and not _ends(key)]
    ends = [key for key in days if _ends(key)]
    if len(days) == 2 and begins and ends:
        form = "iso" if _MOMENT.fullmatch(params[begins[0]]) else "date"
        return (begins[0], _day(params[begins[0]]) or dt.date.min), (begins[0], ends[0], form)
    day = _day(params[days[0]]) if len(days) == 1 else None
    if day is None or not _DAY.fullmatch(params[days[0]]):
        return None, None
    return (days[0], day), None


def _ends(key: str) -> bool:
    return bool(_TO.search(key)) and not _FROM.search(key)


def _day(value: str) -> dt.date | None:
    if not (_DAY.fullmatch(value) or _MOMENT.fullmatch(value)):
        return None
    try:
        return dt.date.fromisoformat(value[:10])
    except ValueError:
        return None
