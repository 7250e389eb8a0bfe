"""What commands say of what they were not asked for, or found as it was: exit code 0 must not hide it."""

from __future__ import annotations

import datetime as dt
import signal

import pytest

from tests.acceptance.command import DAY, Place, wait_for
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, data_body, serve_api

ORDERS = '[sources.orders]\nurl = "{url}/orders"\ndate_param = "date"\ndate_offset = -1\nsince = {since}\n'


def back(days: int) -> str:
    return str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days))


def one(asked: ApiRequest) -> bytes:
    return data_body([b'{"d":1}'] if asked.page == 1 else [])


def ill(asked: ApiRequest) -> ApiResponse:
    return ApiResponse(b"", 401)


def two_failed_days(option_a: Place, api: FakeApi, since: int = 8) -> None:
    """The 3rd and the 4th day back have failed, the newest is there, and the others since `since` are missing."""
    option_a.declare(ORDERS.format(url=api.url, since=back(since)))
    api.pages = ill
    assert option_a("backfill", "--from", back(4), "--to", back(3)).code == 1
    api.pages = one
    assert option_a("run").code == 0


def test_a_run_that_has_nothing_to_do_says_what_it_was_not_asked_for(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        done = option_a("run")
        assert done.code == 0
        assert done.out.startswith("Nothing to do: every requested partition is complete.")
        assert done.out.splitlines()[-1] == "Outside this run: 2 failed, 5 missing (option-a status --all)"
        answer = option_a("run", "--json").json()
        assert (answer["ok"], answer["not_asked"]) == (True, {"failed": 2, "incomplete": 0, "missing": 5})
        assert len(api.asked) == 2 + 2 * 1, "no day is loaded beside"


def test_a_backfill_says_what_lies_outside_of_its_range_and_no_more(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        done = option_a("backfill", "--from", back(6), "--to", back(5))
        assert done.out.splitlines()[-1] == "Outside this run: 2 failed, 3 missing (option-a status --all)"
        option_a("backfill", "--from", back(8), "--to", back(1))
        done = option_a("redrive")
        assert "Outside this run" not in done.out
        assert option_a("run", "--json").json()["not_asked"] == {"failed": 0, "incomplete": 0, "missing": 0}


def test_a_run_of_one_source_says_nothing_of_the_others(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        events = f'[sources.events]\nurl = "{api.url}/events"\ndate_param = "date"\n'
        option_a.declare(ORDERS.format(url=api.url, since=back(8)) + events)
        assert "Outside this run" not in option_a("run", "--source", "events").out
        assert "Outside this run: 2 failed, 5 missing" in option_a("run").out


def test_a_backfill_over_failed_days_says_that_they_are_not_tried_again(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        api.asked.clear()
        done = option_a("backfill", "--from", back(4), "--to", back(3))
        assert (done.code, api.asked) == (1, [])
        assert "Outside this run: 5 missing (option-a status --all)" in done.out, "the two were asked for"
        said = "2 failed before and are not retried: option-a redrive, or backfill --only failed"
        assert done.err.splitlines()[0] == said
        done = option_a("backfill", "--from", back(5), "--to", back(4))
        assert done.err.startswith("1 failed before and is not retried: option-a redrive")
        assert "1 partition to load" in done.err
        done = option_a("backfill", "--from", back(4), "--to", back(3), "--only", "failed")
        assert (done.code, "before" in done.err) == (0, False)


def test_a_backfill_over_an_interrupted_day_says_that_it_is_not_gone_on_with(option_a: Place) -> None:
    with serve_api(lambda asked: data_body([b'{"n":%d}' % asked.page] if asked.page < 400 else [])) as api:
        option_a.declare(ORDERS.format(url=api.url, since=back(1)))
        interrupted(option_a, api, "run")
        for file in option_a.home.glob("queue-*"):
            file.unlink()  # else the task in it would bring the day back
        done = option_a("backfill", "--from", back(1), "--to", back(1))
        assert done.code == 1
        assert "1 left incomplete before and not resumed: backfill --only incomplete" in done.err


def interrupted(option_a: Place, api: FakeApi, *arguments: str) -> None:
    with option_a.start(*arguments) as running:
        wait_for(running, lambda: len(api.asked) >= 3)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 130


@pytest.mark.parametrize("arguments", [("run",), ("plan",), ("status",), ("backfill", "--from", DAY, "--to", DAY)])
def test_in_a_folder_with_no_sources_it_is_said_so_as_check_says_it(
    option_a: Place, arguments: tuple[str, ...]
) -> None:
    words = f"4 default sources (there is no {option_a.folder / 'sources.toml'})"
    assert words in option_a("check").out
    done = option_a(*arguments, "--json")
    assert (done.code, done.err.splitlines()[0]) == (0, words)
    assert done.json() is not None
    option_a.declare("[sources.api-a]\n")
    assert "there is no" not in option_a(*arguments).err


def test_verify_counts_what_it_cannot_vouch_for(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        done = option_a("verify")
        assert done.code == 0
        assert done.out.startswith("1 partition complete, 1 page, 1 record, ")
        assert done.out.endswith(" read: all as the manifest has it; 2 failed, 5 missing: option-a status\n")
        answer = option_a("verify", "--json").json()
        assert (answer["partitions"], answer["ok"]) == (3, True)
        assert answer["states"] == {"complete": 1, "failed": 2, "missing": 5}
        assert option_a("verify", "--from", back(3)).out.endswith("; 1 failed, 1 missing: option-a status\n")
        assert option_a("verify", "--from", back(1)).out.startswith("1 partition, 1 page, ")
        assert option_a("verify", "--from", back(1)).out.endswith(" read: all as the manifest has it\n")


def test_status_says_how_what_is_missing_is_listed_and_loaded(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        loads = f"option-a backfill --from {back(8)} --to {back(2)} loads them"
        assert f"\n5 missing: option-a status --all lists them, {loads}\n" in option_a("status").out
        assert f"\n5 missing: {loads}\n" in option_a("status", "--all").out
        option_a("backfill", "--from", back(8), "--to", back(1))
        assert "missing:" not in option_a("status").out


def test_a_newest_day_that_is_missing_stands_in_the_table_of_sources_and_is_loaded_by_run(option_a: Place) -> None:
    option_a.declare("[sources.api-a]\n")
    assert "lists them" not in option_a("status").out
    option_a.declare(f"[sources.api-a]\nsince = {back(3)}\n")
    past = f"option-a backfill --from {back(3)} --to {back(1)}"
    assert (
        f"\n4 missing: option-a status --all lists them, {past} and option-a run load them\n" in option_a("status").out
    )


def test_status_checks_what_is_declared_for_cron(option_a: Place) -> None:
    with serve_api(one) as api:
        two_failed_days(option_a, api)
        assert option_a("status").code == 0, "a look is no check"
        done = option_a("status", "--check")
        assert (done.code, done.out.splitlines()[-1]) == (1, "Not as declared: 2 failed, 5 missing")
        done = option_a("status", "--check", "--json")
        assert (done.code, done.json()["lacks"]) == (1, {"failed": 2, "incomplete": 0, "missing": 5, "late": 0})
        assert option_a("redrive").code == 0
        assert option_a("status", "--check").code == 1
        assert option_a("backfill", "--from", back(8), "--to", back(1)).code == 0
        done = option_a("status", "--check")
        assert (done.code, done.out.splitlines()[-1]) == (0, "OK: nothing failed, missing or late")


def test_in_a_folder_where_nothing_was_ever_loaded_the_check_fails(option_a: Place) -> None:
    done = option_a("status", "--check")
    assert (done.code, done.out.splitlines()[-1]) == (1, "Not as declared: 4 late")


def test_a_day_that_was_interrupted_while_its_api_was_ill_says_what_the_api_said(option_a: Place) -> None:
    with serve_api(lambda asked: ApiResponse(b"", 500)) as api:
        option_a.declare(ORDERS.format(url=api.url, since=back(1)))
        interrupted(option_a, api, "run")
        (line,) = [line for line in option_a("status").out.splitlines() if "incomplete" in line.split()[2:3]][-1:]
    assert line.split(None, 4)[4] == "the API answered 500"


def test_plan_says_why_there_is_nothing_to_do(option_a: Place) -> None:
    option_a.declare("[sources.api-a]\n[sources.api-b]\n")
    assert option_a("plan", "--date", DAY).out.endswith("2 tasks for 2 partitions\n")
    option_a("run", "--date", DAY, "--source", "api-a")
    assert option_a("plan", "--date", DAY).out.endswith("1 task for 2 partitions: 1 complete\n")
    option_a("run", "--date", DAY)
    assert option_a("plan", "--date", DAY).out == "0 tasks for 2 partitions: 2 complete\n"


def test_help_lists_every_exit_code(option_a: Place) -> None:
    words = " ".join(option_a("--help").out.split())
    for code in ("0 everything requested is complete", "1 a partition", "2 a mistake", "130 interrupted"):
        assert code in words
