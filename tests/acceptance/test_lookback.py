"""Late records on the laptop: planned, loaded again beside what is there, and told."""

from __future__ import annotations

import datetime as dt
import json

from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.partition import Partition
from tests.acceptance.command import Place
from tests.support.apis.page_server import ApiRequest, data_body, serve_api

TABLE = '[sources.orders]\nurl = "{url}/orders"\ndate_param = "date"\ndate_offset = -1\nlookback = 2\n'


def test_a_night_loads_again_the_dates_before_it_and_tells_which_pages_changed(option_a: Place) -> None:
    late: list[bytes] = []

    def pages(asked: ApiRequest) -> bytes:
        found = [b'{"page":%d}' % asked.page] if asked.page < 3 else late if asked.page == 3 else []
        return data_body(found)

    day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2)
    with serve_api(pages) as api:
        option_a.declare(TABLE.format(url=api.url))
        assert option_a("run", "--date", str(day)).code == 0
        assert [row["why"] for row in option_a("plan", "--json").json()] == ["missing"]
        _as_of_yesterday(option_a, day)
        assert [(row["date"], row["why"], row["fresh"]) for row in option_a("plan", "--json").json()] == [
            (str(day + dt.timedelta(days=1)), "missing", False), (str(day), "lookback", True),
        ]  # fmt: skip
        late.append(b'{"late":true}')
        done = option_a("run", "--json")
    assert done.code == 0, done.err
    rows = {row["date"]: row for row in done.json()["partitions"]}
    assert (rows[str(day)]["restated"], rows[str(day)]["restated_pages"]) == (1, [3])
    assert option_a.lines("orders", str(day)) == [b'{"page":1}', b'{"page":2}', b'{"late":true}']
    assert "Restated: 1 page changed by a reload: 3" in option_a("logs", "orders", str(day)).out
    assert option_a("logs", "orders", str(day), "--json").json()["restated_pages"] == [3]


def _as_of_yesterday(option_a: Place, day: dt.date) -> None:
    """Make the ledger say that the partition was loaded before today."""
    path = option_a.lake / manifest_key(Partition("orders", day))
    manifest = json.loads(path.read_bytes())
    manifest["load"]["started"] -= 86_400
    path.write_text(json.dumps(manifest))
