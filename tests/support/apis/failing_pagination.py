"""Pagination gone wrong: cursors, links and totals that mislead, for tests/prove/test_ways_to_fail.py.

Each entry says what the API sends and how its partition must end.
"""

from __future__ import annotations

from tests.support.apis.failing_page import (
    COUNTED,
    CURSOR,
    LINK,
    MORE,
    NEXT,
    OFFSET,
    UNTIL_EMPTY,
    Failure,
    always,
    body,
    chain,
    linked,
    values_by_page,
)
from tests.support.apis.http_server import reply

LONG = "9" * 30

CHAINS: dict[str, Failure] = {
    "a next of another host": Failure(chain("http://evil.test/s"), "pagination", "another host", pagination=NEXT),
    "a next of a metadata service": Failure(
        chain("http://169.254.169.254/latest"), "pagination", "another host", pagination=NEXT
    ),
    "a next of another scheme": Failure(chain("https://127.0.0.1/s"), "pagination", "another host", pagination=NEXT),
    "a next of a file": Failure(chain("file:///etc/passwd"), "pagination", "another host", pagination=NEXT),
    "a next that is relative": Failure(chain("?date=1990-01-01&p=2", "?date=1990-01-01&p=3"), pagination=NEXT),
    "a next that is itself": Failure(
        lambda e, n: e.send(reply(body(n + 1, next=e.target))), "pagination", "", pagination=NEXT
    ),
    "a next that goes round": Failure(
        chain(*(f"?date=1990-01-01&p={n % 3}" for n in range(99))), "pagination", "", pagination=NEXT
    ),
    "a next that is empty": Failure(chain("?date=1990-01-01&p=2", "?date=1990-01-01&p=3", ""), pagination=NEXT),
    "a next that is false": Failure(chain("?date=1990-01-01&p=2", "?date=1990-01-01&p=3", False), pagination=NEXT),
    "a next that is a number": Failure(chain(2), "pagination", "not a URL", pagination=NEXT),
    "a next that is not a URL": Failure(chain("http://["), "pagination", "not a URL", pagination=NEXT),
    "a next with a line end in it": Failure(chain("?date=1990-01-01&p=2\r\nX-Evil: 1"), "", "", [1, 2], NEXT),
    "no next": Failure(always(reply(b'{"data": [{"id": 1}]}')), "pagination", "has no `next`", pagination=NEXT),
    "a cursor again": Failure(chain("a", "a"), "pagination", "", pagination=CURSOR),
    "cursors that go round": Failure(chain(*"abcabcabc"), "pagination", "", pagination=CURSOR),
    "a cursor that is empty": Failure(chain("a", "b", ""), pagination=CURSOR),
    "a cursor that is false": Failure(chain("a", "b", False), pagination=CURSOR),
    "a cursor that is true": Failure(chain(True), "pagination", "not a cursor but", pagination=CURSOR),
    "a cursor that is an object": Failure(chain({"after": 2}), "pagination", "not a cursor but", pagination=CURSOR),
    "a cursor that is a lone surrogate": Failure(chain("\ud800"), "pagination", "not a cursor but", pagination=CURSOR),
    "a cursor that is a list": Failure(chain([1, "a"], [2, "b"]), pagination=CURSOR),
    "a cursor that is a number": Failure(chain(1, 2), pagination=CURSOR),
    "a cursor that is a fraction": Failure(chain(1.5, 2.25), pagination=CURSOR),
    "a cursor of thirty digits": Failure(chain(int(LONG), int(LONG) + 1), pagination=CURSOR),
    "a cursor with line ends": Failure(chain("a\r\nb", "\x00"), pagination=CURSOR),
    "no cursor": Failure(always(reply(b'{"data": [{"id": 1}]}')), "pagination", "is not there", pagination=CURSOR),
    "an invalid Link header": Failure(linked("next"), "pagination", "Link header", pagination=LINK),
    "a Link of another host": Failure(linked('<http://evil.test/>; rel="next"'), "pagination", "host", pagination=LINK),
    "a Link without quotes": Failure(linked("<?date=1990-01-01&p=2>;rel=next", ""), ids=[1, 2], pagination=LINK),
}
TOTALS: dict[str, Failure] = {
    "a total that grows": Failure(values_by_page(total=[2, 3]), pagination=COUNTED),
    "a total that shrinks": Failure(values_by_page(total=[9, 2]), ids=[1, 2], pagination=COUNTED),
    "a total beyond what there is": Failure(values_by_page(total=[9]), "total", "declares 9", pagination=COUNTED),
    "a total below what there is": Failure(values_by_page(total=[2]), ids=[1, 2], pagination=COUNTED),
    "a total that is a text": Failure(values_by_page(total=["3"]), pagination=COUNTED),
    "a total that is negative": Failure(
        values_by_page(total=[-1]), "pagination", "no whole number", pagination=COUNTED
    ),
    "a total that is a fraction": Failure(
        values_by_page(total=[2.5]), "pagination", "no whole number", pagination=COUNTED
    ),
    "a total that is null": Failure(values_by_page(total=[None]), "pagination", "no whole number", pagination=COUNTED),
    "a total that is true": Failure(values_by_page(total=[True]), "pagination", "no whole number", pagination=COUNTED),
    "a total of thirty digits": Failure(
        values_by_page(total=[int(LONG)]), "pagination", "no whole number", pagination=COUNTED
    ),
    "no pages, and records": Failure(values_by_page(pages=[0]), "total", "0 pages"),
    "no pages, and no records": Failure(always(reply(body(1, pages=0, data=[]))), ids=[]),
    "more pages than it has": Failure(values_by_page(pages=[9]), ids=[1, 2, 3]),
    "a page again": Failure(values_by_page(data=[[{"id": 1}]]), "pagination", "page 1", pagination=UNTIL_EMPTY),
    "the last page forever": Failure(
        values_by_page(data=[[{"id": 1}], [{"id": 2}], [{"id": 3}]]),
        "pagination",
        "repeats page",
        pagination=UNTIL_EMPTY,
    ),
    "no end": Failure(
        lambda e, n: e.send(reply(body(1, data=[{"id": n}]))),
        "pagination",
        "max_pages",
        pagination=UNTIL_EMPTY,
        more={"max_pages": 9},
    ),
    "more that is a text": Failure(values_by_page(more=["true", "TRUE", "false"]), pagination=MORE),
    "more that is 0": Failure(values_by_page(more=[0]), "pagination", "neither true nor false", pagination=MORE),
    "more that is no": Failure(values_by_page(more=["no"]), "pagination", "neither true nor false", pagination=MORE),
    "more that is null": Failure(values_by_page(more=[None]), "pagination", "neither true nor false", pagination=MORE),
    "more and no records": Failure(
        values_by_page(more=[True], data=[[]]), "pagination", "", pagination=MORE, more={"max_pages": 9}
    ),
    "a page longer than its size": Failure(
        values_by_page(data=[[{"id": 1}, {"id": 2}]]), "pagination", "more than size", pagination=OFFSET
    ),
    "pages that are capped": Failure(
        values_by_page(data=[[{"id": 1}], [{"id": 2}]]),
        "pagination",
        "caps the page size",
        pagination={**OFFSET, "size": 2},
    ),
}
PAGINATION_FAILURES = CHAINS | TOTALS
