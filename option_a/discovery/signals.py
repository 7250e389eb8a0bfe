"""What an answer shows of its API's habits: next links, cursors, totals, positions, rates, dates. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from option_a.ingest.pagination import MalformedLink, link_targets

_DEPTH = 4
_MOST = 400
"""Values of a body that are looked at."""
_DIGITS = 15
"""Of a count: what is longer counts nothing."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:.*)?")
_NEXT = {"next", "nexturl", "nextlink", "odatanextlink", "nextpageurl", "nextpage", "nexthref", "nexturi"}
_CURSOR = {
    *("nextcursor", "cursor", "nextpagetoken", "pagetoken", "nexttoken", "endcursor", "continuationtoken"),
    *("continuation", "next", "nextpage", "after", "scrollid", "nextmarker", "marker", "nextkey", "bookmark", "offset"),
    *("nextpagekey", "nextid", "startingafter", "nextoffset", "nextpagecursor"),
}
_MORE = {"hasmore", "more", "hasnext", "hasnextpage", "hasmoreitems", "moreresults"}
_PAGES = {"totalpages", "pages", "pagecount", "lastpage", "numpages", "totalpagecount", "maxpage", "pagestotal"}
_TOTAL = {
    *("total", "totalcount", "count", "totalrecords", "totalresults", "totalitems", "totalelements", "recordcount"),
    *(
        "numfound",
        "totalsize",
        "totalhits",
        "odatacount",
        "filteredtablerowscount",
        "totalrows",
        "items",
        "resultcount",
    ),
}
_HEADER_TOTAL = ("x-total-count", "x-total", "total-count", "x-total-records", "x-pagination-total-count")
_HEADER_PAGES = ("x-total-pages", "x-pagination-page-count", "x-wp-totalpages")
_OFFSET = {"offset", "skip", "startat", "startindex", "from"}
_NUMBER = {"page", "currentpage", "pagenumber", "pageno", "pageindex", "number"}


class Signal(msgspec.Struct, frozen=True):
    """A value of an answer, and where it is: a dotted path of the body, or `header:name`."""

    place: str
    value: Any

    @property
    def key(self) -> str:
        """The last key of its path."""
        return self.place.rpartition(".")[2] if "odata" not in self.place else self.place

    def __str__(self) -> str:
        return f"`{self.place}`"


class Signals(msgspec.Struct, frozen=True):
    """Everything of interest in one answer. None or empty where there is nothing of the kind."""

    link: Mapping[str, str] = {}
    """The Link header: relation to target."""
    next_url: Signal | None = None
    cursor: Signal | None = None
    more: Signal | None = None
    pages: Signal | None = None
    total: Signal | None = None
    offset: Signal | None = None
    number: Signal | None = None
    null_keys: frozenset[str] = frozenset()
    """The paths that hold null: how an API says that there is none."""
    dates: tuple[str, ...] = ()
    """The fields of the first record that hold a date or a moment."""
    rate: str | None = None


def read_signals(meta: Any, headers: Mapping[str, str], records: int, first: Mapping[str, Any]) -> Signals:
    """The signs of an answer: its body less its records, its headers, how many records, and the first of them."""
    values = list(_values(meta))
    return Signals(
        link=_links(headers.get("link", "")),
        next_url=_first(values, _NEXT, _is_url),
        cursor=_first(values, _CURSOR, _is_cursor),
        more=_first(values, _MORE, lambda value: isinstance(value, bool)),
        pages=_in_headers(headers, _HEADER_PAGES) or _first(values, _PAGES, _is_count),
        total=_in_headers(headers, _HEADER_TOTAL) or _total(values, records, leads_on=_leads_on(values)),
        offset=_first(values, _OFFSET, _is_number),
        number=_first(values, _NUMBER, _is_number),
        null_keys=frozenset(sign.place for sign in values if sign.value is None),
        dates=tuple(key for key, value in first.items() if isinstance(value, str) and _DATE.fullmatch(value)),
        rate=read_rate(headers),
    )


def plain_key(key: str) -> str:
    """A key as the lists above have it."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _values(meta: Any, path: tuple[str, ...] = ()) -> Iterator[Signal]:
    """Every value of a body that is no container, with its path; at most so many of each table."""
    for key, value in list(meta.items())[:_MOST] if isinstance(meta, dict) else []:
        here = (*path, str(key))
        if isinstance(value, dict) and len(here) < _DEPTH:
            yield from _values(value, here)
        elif not isinstance(value, dict | list):
            yield Signal(".".join(here), value)


def _first(values: Iterable[Signal], names: set[str], fits: Any) -> Signal | None:
    found = (sign for sign in values if (_name(sign) in names) and fits(sign.value))
    return min(found, key=lambda sign: sign.place.count("."), default=None)


def _name(sign: Signal) -> str:
    """The key's name; of `next.href`, `cursors.after` and `hits.total.value` that of the table around it too."""
    parents, _, key = sign.place.rpartition(".")
    if "odata" in parents:
        return plain_key(sign.place)
    return plain_key(parents.rpartition(".")[2]) if plain_key(key) in ("href", "url", "value") else plain_key(key)


def _leads_on(values: list[Signal]) -> bool:
    """Whether the body says that there is another page."""
    more = _first(values, _MORE, lambda value: value is True)
    return any((more, _first(values, _NEXT, _is_url), _first(values, _CURSOR, _is_cursor)))


def _total(values: list[Signal], records: int, *, leads_on: bool) -> Signal | None:
    """A count below the records of the page, or of just these where more follow, is none of the partition."""
    least = records + 1 if leads_on else records
    return _first(values, _TOTAL, lambda value: _is_count(value) and int(value) >= least)


def _in_headers(headers: Mapping[str, str], names: Iterable[str]) -> Signal | None:
    found = (Signal(f"header:{name}", headers[name]) for name in names if _is_count(headers.get(name)))
    return next(found, None)


def _links(header: str) -> dict[str, str]:
    try:
        return link_targets(header)
    except MalformedLink:
        return {}


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and bool(re.match(r"https?://|/|\?", value))


def _is_cursor(value: Any) -> bool:
    return (isinstance(value, str) and value != "" and not _is_url(value)) or (_is_number(value) and value != 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) <= _DIGITS
    return _is_number(value) and 0 <= value < 10**_DIGITS


def read_rate(headers: Mapping[str, str]) -> str | None:
    """The rate that `RateLimit-Policy` or an older form of it tells, as `rate` takes it; None where none does."""
    for text in (headers.get("ratelimit-policy", ""), headers.get("ratelimit-limit", "")):
        window = re.search(r"\bw=(\d+)", text)
        quota = re.search(r"\bq=(\d+)", text) or re.match(r"\s*(\d+)", text)
        unit = {"1": "s", "60": "min", "3600": "h"}.get(window[1] if window else "")
        if quota and unit:
            return f"{quota[1]}/{unit}"
    return None


def declared_rate(headers: Mapping[str, str]) -> str | None:
    """A limit that is told without the time that it is for."""
    for name in ("ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit"):
        if headers.get(name):
            return f"{name}: {headers[name][:40]}"
    return None
