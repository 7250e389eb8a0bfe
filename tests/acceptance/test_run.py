"""A night's run, a backfill, and what is asked of them before and after."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import signal

import pytest

from tests.acceptance.command import DAY, Place, wait_for
from tests.support.apis.page_server import ApiRequest, data_body, serve_api

FOUR = ("api-a", "api-b", "api-c", "api-d")
ORDERS = '[sources.orders]\nurl = "{url}/orders"\ndate_param = "date"\n'


@pytest.mark.parametrize("arguments", [(), ("--date", DAY)])
def test_a_second_run_does_no_work_and_touches_no_file(option_a: Place, arguments: tuple[str, ...]) -> None:
    first = option_a("run", *arguments)
    assert first.code == 0
    before = option_a.files()
    second = option_a("run", *arguments)
    assert second.code == 0
    assert second.out.startswith("Nothing to do: every requested partition is complete.")
    assert first.out in second.out
    assert second.err.splitlines() == first.err.splitlines()[:1], "that there is no sources.toml"
    assert option_a.files() == before
    assert any(name.startswith("raw/") for name in before)


def test_a_fresh_run_lands_the_same_bytes_under_the_same_keys(option_a: Place) -> None:
    option_a("run", "--date", DAY)
    before = {name: option_a.pages(name) for name in FOUR}
    done = option_a("run", "--date", DAY, "--fresh")
    assert done.code == 0
    assert "Nothing to do" not in done.out
    assert {name: option_a.pages(name) for name in FOUR} == before
    assert [name for name in option_a.files() if name.startswith("staging/")] == []


def test_plan_does_nothing_and_says_what_run_does(option_a: Place) -> None:
    done = option_a("plan", "--date", DAY)
    assert done.code == 0
    assert "4 tasks for 4 partitions" in done.out
    assert list(option_a.folder.iterdir()) == []
    option_a("run", "--date", DAY)
    before = option_a.files()
    assert "0 tasks for 4 partitions" in option_a("plan", "--date", DAY).out
    assert [row["why"] for row in option_a("plan", "--date", DAY, "--fresh", "--json").json()] == ["fresh"] * 4
    assert option_a.files() == before
    assert option_a("status", "--json").json()["queues"] == []


def test_looking_at_nothing_leaves_nothing_behind(option_a: Place) -> None:
    days = ("--from", DAY, "--to", DAY)
    for look in (
        ("status",),
        ("dead",),
        ("plan",),
        ("verify",),
        ("check",),
        ("preview", "api-a"),
        ("cancel", "api-a", *days),
    ):
        assert option_a(*look).code == 0, look
    assert list(option_a.folder.iterdir()) == []


def test_status_tells_what_is_missing_since_a_source_should_have_data(option_a: Place) -> None:
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    option_a.declare(f"[sources.api-a]\ndate_offset = -1\nsince = {yesterday - dt.timedelta(days=4)}\n")
    states = [row["state"] for row in option_a("status", "--json").json()["partitions"]]
    assert states in (["missing"] * 5, ["missing"] * 6)  # six at midnight
    option_a("run", "--date", str(yesterday))
    rows = {row["date"]: row["state"] for row in option_a("status", "--json").json()["partitions"]}
    assert rows[str(yesterday)] == "complete"
    assert list(rows.values()).count("missing") >= 4


def test_a_backfill_lands_the_newest_date_first(option_a: Place) -> None:
    with serve_api(lambda asked: data_body([b'{"d":1}'] if asked.page == 1 else [])) as api:
        option_a.declare(ORDERS.format(url=api.url))
        done = option_a("backfill", "--from", "2024-02-27", "--to", "2024-03-02", "--workers", "1")
        assert done.code == 0
        days = ["2024-03-02", "2024-03-01", "2024-02-29", "2024-02-28", "2024-02-27"]
        assert list(dict.fromkeys(asked.query["date"] for asked in api.asked)) == days
        assert re.findall(r"orders +(\S+) .*complete", done.out) == days


def test_a_backfill_leaves_out_what_is_there_and_what_is_before_since(option_a: Place) -> None:
    option_a.declare("[sources.api-a]\nsince = 2024-04-30\n")
    option_a("run", "--date", "2024-05-01")
    before = option_a.pages("api-a", "2024-05-01")
    done = option_a("backfill", "--from", "2024-04-28", "--to", "2024-05-02", "--json")
    assert done.code == 0
    assert [row["date"] for row in done.json()["partitions"]] == ["2024-05-02", "2024-05-01", "2024-04-30"]
    assert "2 partitions to load" in done.err
    assert option_a.pages("api-a", "2024-05-01") == before
    assert "Nothing to do" in option_a("backfill", "--from", "2024-04-28", "--to", "2024-05-02").out


@pytest.mark.parametrize(
    ("only", "asked_for"),
    [("missing", {"2024-05-03"}), ("failed", {"2024-05-02"}), ("all", {"2024-05-01", "2024-05-02", "2024-05-03"})],
)
def test_a_backfill_loads_only_what_it_is_told_to(option_a: Place, only: str, asked_for: set[str]) -> None:
    """The 1st is complete, the 2nd has failed, the 3rd is missing."""
    with serve_api(lambda asked: data_body([b'{"d":1}'] if asked.page == 1 else [])) as api:
        option_a.declare(ORDERS.format(url=api.url))
        assert option_a("run", "--date", "2024-05-01").code == 0
        good, api.pages = api.pages, lambda asked: b"none"
        assert option_a("run", "--date", "2024-05-02").code == 1
        api.pages = good
        api.asked.clear()
        option_a("backfill", "--from", "2024-05-01", "--to", "2024-05-03", "--only", only)
        assert {asked.query["date"] for asked in api.asked} == asked_for


def test_a_backfill_of_the_incomplete_takes_up_what_was_interrupted_and_nothing_else(option_a: Place) -> None:
    with serve_api(lambda asked: data_body([b'{"n":%d}' % asked.page] if asked.page <= 30 else [])) as api:
        option_a.declare(ORDERS.format(url=api.url))
        assert interrupted(option_a, api.asked, "run", "--date", "2024-05-01") == 130
        shutil.rmtree(option_a.home)  # else the task in the queue would bring it back
        api.asked.clear()
        done = option_a("backfill", "--from", "2024-05-01", "--to", "2024-05-02", "--only", "incomplete")
        assert done.code == 0, "the 2nd is missing, and was not asked for"
        assert {asked.query["date"] for asked in api.asked} == {"2024-05-01"}
        assert option_a.lines("orders", "2024-05-01") == [b'{"n":%d}' % n for n in range(1, 31)]


def test_an_interrupted_run_exits_with_130_and_the_next_one_fetches_just_the_rest(option_a: Place) -> None:
    with serve_api(lambda asked: data_body([b'{"n":%d}' % asked.page] if asked.page <= 40 else [])) as api:
        option_a.declare(ORDERS.format(url=api.url))
        assert interrupted(option_a, api.asked, "run", "--date", DAY) == 130
        begun = len(api.asked)
        assert 0 < begun < 41
        done = option_a("run", "--date", DAY)
        assert done.code == 0
        assert [asked.page for asked in api.asked] == list(range(1, 42))
        assert "1 left in the queue" in done.err
        outcomes = [attempt["outcome"] for attempt in option_a("logs", "orders", DAY, "--json").json()["attempts"]]
        assert outcomes == ["stopped", "complete"]


def interrupted(option_a: Place, asked: list[ApiRequest], *arguments: str) -> int:
    """Run the command, and interrupt it when it has asked for a few pages; its exit code."""
    with option_a.start(*arguments) as running:
        wait_for(running, lambda: len(asked) >= 5)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=120)
    assert "stopped; the next `option-a run` resumes from there" in err
    assert "Traceback" not in err
    return running.returncode


def test_cancel_takes_queued_tasks_back(option_a: Place) -> None:
    option_a.declare(ORDERS.format(url="http://127.0.0.1:9"))
    with option_a.start("backfill", "--from", "2024-05-01", "--to", "2024-05-09", "--workers", "1") as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "started" in line:
                break
        days = ("--from", "2024-05-01", "--to", "2024-05-05")
        assert option_a("cancel", "orders", *days, "--json").json() == {"cancelled": 5, "in_flight": 0}
        assert option_a("cancel", "orders", *days).out == "0 tasks removed from the queue\n"
        (queue,) = option_a("status", "--json").json()["queues"]
        assert (queue["queue"], queue["visible"] + queue["delayed"] + queue["in_flight"]) == ("orders", 4)
        running.kill()


def test_a_backfill_that_is_narrowed_shows_nothing_of_what_was_not_asked_for(option_a: Place) -> None:
    option_a.declare("[sources.api-a]\n")
    for only in ("incomplete", "failed"):
        done = option_a("backfill", "--from", "2024-04-01", "--to", "2024-04-03", "--only", only)
        assert (done.code, done.out, done.err) == (0, "Nothing to do.\n", ""), only
