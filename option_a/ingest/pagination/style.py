"""The two steps that every style of pagination is made of, and what they hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from option_a.ingest.errors import PaginationError
from option_a.ingest.headers import UNSENDABLE, is_sendable
from option_a.ingest.jsontext import MISSING, Exact, describe_keys, find_path, flag, whole_number

Cursor = str | int | float | list[Any] | Exact
"""What asks for the page after the one that told it; a number, or the list of a `search_after`, keeps its type."""
Send = Literal["param", "header", "body"]
HEADER = "header:"
"""Begins the place of a value that stands in a response header, and not in the body."""


class PageRequest(msgspec.Struct, frozen=True):
    """How a page is asked for: query parameters, headers, fields of the body, or another URL altogether."""

    params: Mapping[str, str] = {}
    url: str | None = None
    headers: Mapping[str, str] = {}
    fields: Mapping[str, Any] = {}
    """By dotted path into the JSON body."""
    slots: Mapping[str, Any] = {}
    """What `{page}`, `{offset}` or `{cursor}` stands for. A body that names it needs no parameter beside it."""
    under: str = ""
    """The name of that parameter, header or field."""

    def inlined(self) -> PageRequest:
        """The same for a body that names the slot itself."""
        rest = ({k: v for k, v in part.items() if k != self.under} for part in (self.params, self.headers, self.fields))
        params, headers, fields = rest
        return msgspec.structs.replace(self, params=params, headers=headers, fields=fields)


class PageInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the answer to page n told.

    `last` is the number of the last page where it is known, which lets the pages before it be fetched in parallel;
    `cursor` asks for page n + 1; `total` is the number of records that the API declares for the partition.
    """

    last: int | None = None
    cursor: Cursor | None = None
    total: int | None = None
    may_be_last: bool = False
    """The page may be the last one: the next one is asked for to confirm it."""


class PageResponse(msgspec.Struct, frozen=True):
    """Page n as it was answered: its records, those of pages 1 to n together, and the body less its records."""

    page: int
    records: int
    records_so_far: int
    meta: Any
    headers: Mapping[str, str] = {}
    """Of the response; names in lower case."""
    last_record: bytes = b""
    """The page's last record, as JSON."""

    def at(self, place: str) -> Any:
        """What stands at a dotted path of the body, or in a header (`header:X-Total-Count`). MISSING if nothing."""
        if place.startswith(HEADER):
            return self.headers.get(place.removeprefix(HEADER).strip().lower(), MISSING)
        return find_path(self.meta, place)

    def number(self, place: str, key: str) -> int:
        """The whole number that `pagination.<key>` promises there. Raises PaginationError."""
        return whole_number(self.at(place), place, key, self.describe(place))

    def flag(self, place: str, key: str) -> bool:
        """The yes or no that `pagination.<key>` promises there. Raises PaginationError."""
        return flag(self.at(place), place, key, self.describe(place))

    def describe(self, place: str) -> str:
        """What stands where one was looked for, for an error message."""
        if place.startswith(HEADER):
            return f"the response has the headers: {describe_keys(dict(self.headers))}"
        return f"the body has: {describe_keys(self.meta)}"


class Paginator(msgspec.Struct, frozen=True, kw_only=True, tag_field="style", forbid_unknown_fields=True):
    """What every style has in common."""

    total_records: str | None = None
    """The place of the number of records that the API declares."""

    follows: ClassVar[bool] = False
    """Whether its cursors are URLs."""

    def ask(self, page: int, cursor: Cursor | None) -> PageRequest:
        """How page `page` (from 1) is asked for; `cursor` is what the page before it told."""
        raise NotImplementedError

    def read(self, response: PageResponse) -> PageInfo:
        """What the answer tells. Raises PaginationError if a promise of the table is broken."""
        raise NotImplementedError

    @property
    def page_size(self) -> int | None:
        """The records of a full page, where they are declared."""
        return None

    @property
    def cursor_field(self) -> str | None:
        """The field of a page's last record that is the cursor, if one is."""
        return None

    @property
    def total_is_end(self) -> bool:
        """Whether the declared number of records is what ends the partition."""
        return False

    @property
    def stops_short(self) -> bool:
        """Whether a page of fewer records than `page_size` ends the partition."""
        return False

    @property
    def sends_in_body(self) -> bool:
        """Whether the position of a page is a field of the request's body."""
        return False

    @property
    def header_name(self) -> str | None:
        """The request header that holds the position of a page, if one does."""
        return None

    @property
    def advice(self) -> str:
        """What may be wrong where the API answers one page again and again."""
        return "declare where the end is (total_records, or stop)"

    def total(self, response: PageResponse) -> int | None:
        """The number of records that the answer declares, where one is promised."""
        return response.number(self.total_records, "total_records") if self.total_records else None


def place_value(send: Send, name: str, slot: str, value: Any, beside: Mapping[str, int]) -> PageRequest:
    """A PageRequest with a position where the API wants it, and what goes along with it (the size)."""
    slots = {slot: value}
    if send == "body":
        return PageRequest(fields={name: value, **beside}, slots=slots, under=name)
    params = {key: text(number) for key, number in beside.items()}
    if send == "header":
        return PageRequest(params, headers={name: _sound(text(value))}, slots=slots, under=name)
    return PageRequest({name: text(value), **params}, slots=slots, under=name)


def _sound(value: str) -> str:
    if not is_sendable(value):
        hint = 'set pagination.send = "param" if the API takes it there'
        raise PaginationError(f"the cursor contains what no header may: {UNSENDABLE}", hint=hint)
    return value


def text(cursor: Cursor) -> str:
    """A cursor as a parameter or a header holds it."""
    return str(cursor) if isinstance(cursor, str | Exact) else msgspec.json.encode(cursor).decode()
