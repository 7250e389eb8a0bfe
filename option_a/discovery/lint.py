"""What may be lost by the way a source is declared: signs in its answers that its table passes over. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from option_a.discovery.report import Answered
from option_a.discovery.signals import Signals
from option_a.ingest.config import Source
from option_a.ingest.decode import absent_fields

ROUND = {10, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750} | {n * 1_000 for n in range(1, 101)}
"""Page sizes that APIs cap at."""


class Asked(msgspec.Struct, frozen=True):
    """The first two pages of a source, as it is declared; `second` is None where the first one ends it."""

    source: Source
    first: Answered
    signs: Signals
    second: Answered | None = None

    @property
    def over(self) -> bool:
        """Whether the partition ends with the first page."""
        return self.first.info is not None and self.first.info.last == 1


def warnings(asked: Asked) -> list[str]:
    """Every way in which records may be lost, with the way out; empty where none shows."""
    return [*_ends_early(asked), *_total(asked), *_size(asked), *_second(asked), *_fields(asked)]


def advice(asked: Asked) -> list[str]:
    """What the answers offer, and the table makes no use of."""
    total, style = asked.signs.total, asked.source.pagination
    if total is None or asked.source.total == "ignore" or style.total_records is not None:
        return []
    return [f'{total} says {total.value} records: to have that checked, set total_records = "{total.place}"']


def _ends_early(asked: Asked) -> Iterator[str]:
    if not asked.over:
        return
    signs, style = asked.signs, asked.source.pagination
    for shown, key in (
        ("the Link header's rel=next", signs.link.get("next")),
        (str(signs.next_url), signs.next_url),
        (str(signs.cursor), signs.cursor),
        (f"{signs.more} = true", signs.more is not None and signs.more.value),
        (f"{signs.pages} = {_pages(signs)}", _pages(signs) > 1),
    ):
        if key:
            yield f"{shown} leads on, and pagination ({style}) ends after the first page"
            return
    count, total = asked.first.records, signs.total
    if count in ROUND and total is not None and int(total.value) == count:
        yield f"the only page holds exactly {count} records, and {total} says as many: does it count a page's alone?"
    elif count in ROUND and total is None:
        yield f"the only page holds exactly {count} records: is that the API's cap? Pagination is {style}"


def _pages(signs: Signals) -> int:
    return int(signs.pages.value) if signs.pages is not None else 1


def _total(asked: Asked) -> Iterator[str]:
    total, style = asked.signs.total, asked.source.pagination
    if total is None or asked.source.total == "ignore" or not asked.over:
        return
    if int(total.value) != asked.first.records:
        yield f"{total} says {total.value} records, and pagination ({style}) ends after {asked.first.records}"


def _size(asked: Asked) -> Iterator[str]:
    size = asked.source.pagination.page_size
    if size is None or asked.over or asked.second is None or not asked.second.records:
        return
    if asked.first.records != size:
        yield (
            f"pages are declared to hold {size} records, and the first of several holds {asked.first.records}: "
            f"set size = {asked.first.records}, or correct size_param"
        )


def _second(asked: Asked) -> Iterator[str]:
    if asked.second is None or not asked.second.records:
        return
    before = set(asked.first.found.lines.splitlines())
    again = sum(line in before for line in asked.second.found.lines.splitlines())
    if again == asked.second.records:
        yield f"page 2 repeats page 1: the API ignores how it is asked for (pagination is {asked.source.pagination})"
    elif again:
        yield (
            f"{again} of the {asked.second.records} records of page 2 are on page 1 too: pages overlap, "
            "so others may be skipped; sort by something that does not change"
        )


def _fields(asked: Asked) -> Iterator[str]:
    if asked.source.fields is not None and asked.first.records:
        for path in absent_fields(asked.source.fields, asked.first.found.lines):
            yield f"`fields` names `{path}`, which no record of the first page has"
