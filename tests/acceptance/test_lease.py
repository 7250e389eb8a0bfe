"""Two machines on one lake, each with a queue of its own: the claims in the ledger alone keep them apart."""

from __future__ import annotations

import time

from tests.acceptance.command import DAY, Place, wait_for
from tests.support.apis.page_server import ApiRequest, data_body, serve_api

ORDERS = '[sources.orders]\nurl = "{url}/orders"\ndate_param = "date"\n'
PAGES = 60


def slow(asked: ApiRequest) -> bytes:
    time.sleep(0.02)
    return data_body([b'{"page":%d}' % asked.page] if asked.page <= PAGES else [])


def test_who_finds_a_live_claim_waits_until_it_is_over(option_a: Place) -> None:
    """The second run is told to load again whatever is there; it does so after the first one, and not beside it."""
    with serve_api(slow) as api:
        option_a.declare(ORDERS.format(url=api.url))
        with option_a.start("run", "--date", DAY, "--home", "one") as one:
            wait_for(one, lambda: len(api.asked) >= 3)
            two = option_a("run", "--date", DAY, "--home", "two", "--fresh")
            _, said = one.communicate(timeout=60)
        assert (one.returncode, two.code) == (0, 0), said + two.err
        assert f"orders {DAY}: leased by another worker" in two.err
        assert [asked.page for asked in api.asked] == [*range(1, PAGES + 2)] * 2
    assert option_a.lines("orders") == [b'{"page":%d}' % page for page in range(1, PAGES + 1)]
    assert option_a("verify").code == 0
    outcomes = [attempt["outcome"] for attempt in option_a("logs", "orders", DAY, "--json").json()["attempts"]]
    assert outcomes == ["complete", "complete"]
