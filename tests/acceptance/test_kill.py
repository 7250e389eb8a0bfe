"""`kill -9` at any moment, and two processes at once: nothing is lost, nothing lands twice."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter

import pytest

from tests.acceptance.command import DAY, Place, wait_for
from tests.support.apis.page_server import ApiRequest, FakeApi, data_body, serve_api

DATED = """
[sources.{name}]
url = "{url}/{name}"
date_param = "date"
parallel = 2
pagination = {{ style = "page", {style} }}
"""
PAGES = 24
SLOW = 0.02


def slow(asked: ApiRequest) -> bytes:
    """A page takes a while, and its records say where they are from."""
    time.sleep(SLOW)
    return data_body(records(asked.name, asked.query["date"], asked.page), pages=PAGES)


def records(name: str, day: str, page: int) -> list[bytes]:
    return [b'{"id":"%s %s %d %d"}' % (name.encode(), day.encode(), page, n) for n in range(3)] if page <= PAGES else []


def expected(name: str, day: str) -> list[bytes]:
    return [record for page in range(1, PAGES + 1) for record in records(name, day, page)]


def declare(option_a: Place, api: FakeApi, names: list[str]) -> None:
    """Sources of both ways to know the end: told ahead, and found by an empty page."""
    styles = ('total_pages = "pages"', 'stop = "empty"')
    option_a.declare("".join(DATED.format(name=n, url=api.url, style=styles[i % 2]) for i, n in enumerate(names)))


def nothing_is_lost_or_doubled(option_a: Place, names: list[str], days: list[str]) -> None:
    for name in names:
        for day in days:
            assert option_a.lines(name, day) == expected(name, day), (name, day)
    verified = option_a("verify", "--json").json()
    assert (verified["ok"], verified["partitions"]) == (True, len(names) * len(days))
    status = option_a("status", "--json").json()
    assert {row["state"] for row in status["partitions"] if row["date"] in days} == {"complete"}
    assert status["queues"] == []
    assert [name for name in option_a.files() if not name.startswith(("raw/", "manifest/", "staging/.tmp/"))] == []


def test_runs_that_are_killed_at_any_moment_lose_nothing_and_land_nothing_twice(option_a: Place) -> None:
    """A final run takes over what the killed ones had in hand once their claims are over, and fetches little anew."""
    rng = random.Random(20240501)
    names, days = ["told", "found"], [f"2024-05-{day:02d}" for day in range(1, 11)]
    with serve_api(slow) as api:
        declare(option_a, api, names)
        for day in days:
            killed(option_a, rng.uniform(0.15, 0.9), "run", "--date", day)
        done = option_a("backfill", "--from", days[0], "--to", days[-1], "--json")
        assert done.code == 0, done.err
        assert done.json()["ok"] is True
    nothing_is_lost_or_doubled(option_a, names, days)


def killed(option_a: Place, seconds: float, *arguments: str) -> None:
    """Run the command, and kill it after so many seconds, wherever it is."""
    with option_a.start(*arguments) as running:
        try:
            running.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            _, err = running.communicate()
            assert "Traceback" not in err
        else:
            assert running.returncode == 0


@pytest.mark.parametrize("later", [False, True], ids=["at the same moment", "a moment later"])
def test_two_runs_at_once_share_the_work(option_a: Place, later: bool) -> None:
    names = [f"s{n}" for n in range(16)]
    with serve_api(slow) as api:
        declare(option_a, api, names)
        arguments = ("run", "--date", DAY, "--workers", "2")
        with option_a.start(*arguments) as one:
            wait_for(one, lambda: bool(api.asked) or not later)
            with option_a.start(*arguments) as two:
                (_, said_one), (_, said_two) = one.communicate(timeout=60), two.communicate(timeout=60)
        assert (one.returncode, two.returncode) == (0, 0), said_one + said_two
        fetched = Counter((asked.name, asked.page) for asked in api.asked)
    done = [[name for name in names if f"{name} {DAY}: complete" in said] for said in (said_one, said_two)]
    assert done[0], "the first completed some"
    assert done[1], "the second completed some"
    assert sorted(done[0] + done[1]) == sorted(names), "and each was completed by one of them"
    assert set(fetched.values()) == {1}, "no page was fetched twice"
    nothing_is_lost_or_doubled(option_a, names, [DAY])
