"""From the signs of the first answer to paginations worth trying, the likeliest first. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from option_a.discovery.signals import Signal, Signals, plain_key
from option_a.discovery.url import Query

_PARAMS = {
    "nextcursor": "cursor", "nextpagecursor": "cursor", "next": "cursor", "endcursor": "after", "nextid": "after",
}  # fmt: skip
"""The parameter that takes a cursor, where it is not called as the cursor is."""


class Candidate(msgspec.Struct, frozen=True):
    """A pagination, and why. `unsure`: what a person should look at, even where the second page bears it out."""

    table: dict[str, Any]
    why: str
    unsure: str = ""
    alone: bool = False
    """It stands for itself: there is nothing to try."""

    def reconciled(self) -> Candidate:
        """The same with another end than its number of records, which is an estimate."""
        ends = {"stop": "empty"} if not {"total_pages", "has_more"} & self.table.keys() else {}
        return Candidate({**self.table, **ends}, self.why, self.unsure)

    def without_total(self, why: str) -> Candidate:
        """The same without its number of records, which counts something else: it tells no end, and no size."""
        sized = self.table["style"] == "offset" or "size_param" in self.table
        gone = {"total_records"} if sized else {"total_records", "size"}
        table = {key: value for key, value in self.table.items() if key not in gone}
        return Candidate(table, f"{self.why}, but {why}", self.unsure)


def last_resort(signs: Signals, records: int) -> Candidate:
    """Where no way to a second page was found: if a sign speaks of one, a table that fails before it loses any."""
    why = "no way to page 2 was found: see what the API's documentation calls the page, and set it"
    if signs.pages is not None and int(signs.pages.value) > 1:
        table = {"style": "page", "total_pages": signs.pages.place}
        return Candidate(table, f"{signs.pages} says {signs.pages.value} pages", f"pagination: {why} as `param`")
    if signs.total is not None and int(signs.total.value) > records:
        table = {"style": "none", "total_records": signs.total.place}
        return Candidate(table, f"{signs.total} says {signs.total.value} records", f"pagination: {why}")
    if signs.more is not None and signs.more.value:
        table = {"style": "page", "stop": "has_more", "has_more": signs.more.place}
        return Candidate(table, f"{signs.more} says that there is more", f"pagination: {why} as `param`")
    told = f"the answer held {records} records and no sign of more"
    return Candidate({"style": "none"}, "one response is taken to be all", f"whether there are pages at all: {told}")


def candidates(signs: Signals, query: Query, records: int, first: dict[str, Any]) -> list[Candidate]:
    """What to try, in this order."""
    return list(_told(signs, query, records, first)) or _untold(signs, query, records)


def _told(signs: Signals, query: Query, records: int, first: dict[str, Any]) -> Iterator[Candidate]:
    """What the answer itself tells."""
    total = {"total_records": signs.total.place} if signs.total is not None else {}
    if signs.link.get("next"):
        yield Candidate({"style": "link", **total}, 'the Link header has rel="next"')
    if signs.next_url is not None:
        stop, unsure = _stop(signs, signs.next_url)
        table = {"style": "next_url", "path": signs.next_url.place, **stop, **total}
        yield Candidate(table, f"{signs.next_url} holds the URL of the next page", unsure)
    counts = signs.cursor is not None and isinstance(signs.cursor.value, int)
    if signs.cursor is not None and not (counts and (signs.pages or query.number)):
        yield _cursor(signs, signs.cursor, total)
    if signs.more is not None and signs.cursor is None and "id" in first and query.number is None:
        table = {"style": "cursor", "record": "id", "param": "starting_after", "has_more": signs.more.place, **total}
        yield Candidate(
            table, f"{signs.more} says whether there are more pages, but no cursor beside it: the last id is one"
        )
    yield from _counted(signs, query, records, total)
    yield from _null_next(signs)


def _null_next(signs: Signals) -> Iterator[Candidate]:
    """One page was all: the key that would lead on is there, and null."""
    for place in sorted(signs.null_keys):
        if plain_key(place.rpartition(".")[2]) in ("next", "nexturl", "nextpageurl", "nextlink"):
            table = {"style": "next_url", "path": place}
            if signs.total is not None:
                table["total_records"] = signs.total.place
            unsure = (
                f"`{place}` is null, as the first page is the last: whether it holds a URL or a cursor did not show"
            )
            yield Candidate(table, f"`{place}` is there, and null", unsure, alone=True)
            return


def _stop(signs: Signals, sign: Signal) -> tuple[dict[str, str], str]:
    """How the last page will say so: by null, if anything like it is null; OData leaves the key out."""
    if "odata" in sign.place.lower():
        return {"stop": "next_missing"}, ""
    around = sign.place.rpartition(".")[0]
    if any(place.rpartition(".")[0] == around and "prev" in place.lower() for place in signs.null_keys):
        return {}, ""
    hint = f'the last page\'s {sign} is taken to be null: if the API leaves it out there, set stop = "next_missing"'
    return {}, hint


def _cursor(signs: Signals, sign: Signal, total: dict[str, str]) -> Candidate:
    param = "page" if isinstance(sign.value, int) else _PARAMS.get(plain_key(sign.key), _bare(sign.key))
    table: dict[str, Any] = {"style": "cursor", "path": sign.place, "param": param}
    if signs.more is not None:
        table["has_more"] = signs.more.place
        return Candidate({**table, **total}, f"{sign} holds a cursor, and {signs.more} says whether there is more")
    stop, unsure = _stop(signs, sign)
    return Candidate({**table, **stop, **total}, f"{sign} holds a cursor", unsure)


def _bare(key: str) -> str:
    """`next_page_token` is asked for as `page_token`, `nextPageToken` as `pageToken`."""
    if key.lower().startswith("next_"):
        return key[5:]
    return key[4].lower() + key[5:] if key.startswith("next") and key[4:5].isupper() else key


def _counted(signs: Signals, query: Query, records: int, total: dict[str, str]) -> Iterator[Candidate]:
    if query.offset is not None or (signs.offset is not None and query.number is None):
        yield _offset(signs, query, records, total)
    if signs.pages is not None:
        table = {**_page(signs, query), "total_pages": signs.pages.place}
        size = _size(query, records)
        fits = signs.total is not None and math.ceil(int(signs.total.value) / size) == int(signs.pages.value)
        why = f"{signs.pages} is {signs.pages.value}, the number of pages"
        yield Candidate({**table, **total}, why + (f", which {signs.total} bears out" if fits else ""))
    elif total:
        table = _page(signs, query)
        if query.size is None and records:
            table["size"] = records
        yield Candidate({**table, **total}, f"{signs.total} is {_value(signs)}, the number of records")
    elif signs.more is not None:
        yield Candidate(
            {**_page(signs, query), "has_more": signs.more.place}, f"{signs.more} says whether there is more"
        )


def _value(signs: Signals) -> Any:
    return signs.total.value if signs.total is not None else None


def _page(signs: Signals, query: Query) -> dict[str, Any]:
    """Numbered pages, by the parameter of the URL, or else by the commonest name."""
    table: dict[str, Any] = {"style": "page"}
    if query.number is not None and query.number != ("page", 1):
        table |= {"param": query.number[0]} | ({"start": 0} if query.number[1] == 0 else {})
    elif signs.number is not None and signs.number.value == 0:
        table["start"] = 0
    if query.number is not None and query.size is not None:
        table |= {"size_param": query.size[0], "size": query.size[1]}
    return table


def _offset(signs: Signals, query: Query, records: int, total: dict[str, str]) -> Candidate:
    param = query.offset[0] if query.offset is not None else signs.offset.key if signs.offset is not None else "offset"
    size_param = query.size[0] if query.size is not None else "limit"
    table: dict[str, Any] = {"style": "offset", "size": _size(query, records), **total}
    table |= {"param": param} if param != "offset" else {}
    table |= {"size_param": size_param} if size_param != "limit" else {}
    if not total and signs.more is not None:
        table["has_more"] = signs.more.place
    shown = f"`{param}` in the URL" if query.offset is not None else f"{signs.offset} in the body"
    return Candidate(table, f"{shown} counts records")


def _size(query: Query, records: int) -> int:
    """As many as were asked for, or as there came: an API that gives fewer than it could caps its pages."""
    return max(1, min(query.size[1], records or query.size[1]) if query.size is not None else records)


def _untold(signs: Signals, query: Query, records: int) -> list[Candidate]:
    """Nothing in the answer tells how to go on: the two commonest ways are tried."""
    why = "nothing in the answer tells how to go on, and `{}` leads to other records"
    table = _page(signs, query)
    found = [Candidate(table, why.format(table.get("param", "page")))]
    if query.offset is None and records:
        found.append(Candidate({"style": "offset", "size": records}, why.format("offset")))
    return found
