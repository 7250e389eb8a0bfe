"""Tasks as they travel, and the ids of runs."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import MessageError
from option_a.ingest.partition import EARLIEST, LATEST
from option_a.ingest.task import RUN_ID, Task, decode_task, encode_task, run_id

DAY = dt.date(2026, 11, 23)
RUN = "20261123T020000Z-x"
GOOD = {"source": "api-a", "date": "2026-11-23", "run": RUN}

moments = st.integers(0, 4_000_000_000)
tasks = st.builds(
    Task,
    source=st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z"),
    date=st.dates(EARLIEST, LATEST),
    run=st.builds(run_id, moments, st.text(min_size=1, max_size=80)),
    fresh=st.booleans(),
    requeues=st.integers(0, 2**31 - 1),
    waiting_since=st.none() | st.floats(0, 1e10),
)


@given(tasks)
def test_a_task_comes_back_from_its_message_as_it_was(task: Task) -> None:
    assert decode_task(encode_task(task)) == task


@pytest.mark.parametrize("date", [EARLIEST, LATEST])
def test_a_task_may_be_of_the_first_date_and_of_the_last(date: dt.date) -> None:
    assert decode_task(encode_task(Task("s", date, RUN))).date == date


def test_a_message_holds_no_more_than_it_must() -> None:
    assert json.loads(encode_task(Task("api-a", DAY, RUN))) == GOOD


@given(tasks, st.none() | st.floats(0, 1e10))
def test_a_task_sent_again_is_a_new_message_about_the_same_partition_and_run(task: Task, since: float | None) -> None:
    again = task.requeued(waiting_since=since)
    assert (again.partition, again.run, again.fresh) == (task.partition, task.run, task.fresh)
    assert (again.requeues, again.waiting_since) == (task.requeues + 1, since)


@given(moments, moments, st.text(max_size=9), st.text(max_size=9))
def test_run_ids_sort_as_text_by_time(one: int, other: int, suffix: str, suffix2: str) -> None:
    if one != other:
        assert (run_id(one, suffix) < run_id(other, suffix2)) == (one < other)


@given(moments, st.text(max_size=99))
def test_the_same_trigger_gives_the_same_run_which_keys_may_hold(moment: int, suffix: str) -> None:
    run = run_id(moment, suffix)
    assert run == run_id(moment, suffix)
    assert RUN_ID.fullmatch(run)
    assert decode_task(encode_task(Task("s", DAY, run))).run == run


@pytest.mark.usefixtures("far_from_utc")
def test_a_runs_id_is_the_utc_second_of_its_trigger_and_what_a_key_may_hold_of_its_suffix() -> None:
    assert run_id(1_700_000_000, "") == "20231114T221320Z"
    assert run_id(1_700_000_000.9, "By Hand/7_a-b") == "20231114T221320Z-By-Hand-7_a-b"
    assert run_id(1_700_000_000, "x" * 99) == "20231114T221320Z-" + "x" * 64


HOSTILE = [
    b"", b"null", b"[]", b"{}", b'"x"', b"1", b"{", b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"source":' * 50_000,
    b'{"source":"api-a","date":"2026-11-23","run":"20261123T020000Z-\xff"}', b"NaN", b"\xef\xbb\xbf{}",
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_body_that_is_no_task_is_a_message_error_and_nothing_else(body: bytes) -> None:
    with pytest.raises(MessageError, match=r"^not a task"):
        decode_task(body)


@pytest.mark.parametrize(
    "change",
    [
        {"source": None}, {"source": ""}, {"source": "../x"}, {"source": "A"}, {"source": "a/b"}, {"source": "a\n"},
        {"source": "a" * 64}, {"source": "é"}, {"date": "2026-02-30"}, {"date": "yesterday"}, {"date": 1},
        {"date": None},
        {"date": "2026-11-23T00:00:00"}, {"date": "10000-01-01"}, {"date": "0001-01-01"}, {"date": "9999-12-31"},
        {"run": ""}, {"run": None}, {"run": "x"}, {"run": 5},
        {"run": "../../etc"}, {"run": RUN + "/x"}, {"run": RUN + "\n"}, {"run": RUN + "é"}, {"run": RUN + "y" * 64},
        {"run": "٢٠٢٦١١٢٣T020000Z-x"}, {"fresh": 1}, {"fresh": None}, {"hop": -1}, {"hop": 10**20}, {"hop": 1.5},
        {"hop": "1"}, {"waiting_since": "x"}, {"position": 3},
    ],
)  # fmt: skip
def test_a_task_with_one_field_that_cannot_be_is_a_message_error(change: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        decode_task(json.dumps(GOOD | change).encode())


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_a_date_that_no_task_may_have_is_told_with_those_that_it_may(date: str) -> None:
    with pytest.raises(MessageError, match="out of range") as caught:
        decode_task(json.dumps(GOOD | {"date": date}).encode())
    assert caught.value.hint == "send one of 0001-01-02 to 9999-12-30"


@pytest.mark.parametrize("key", GOOD)
def test_a_task_that_lacks_a_field_is_a_message_error(key: str) -> None:
    with pytest.raises(MessageError, match=key):
        decode_task(json.dumps({k: v for k, v in GOOD.items() if k != key}).encode())


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_whatever_break_the_reader(body: bytes) -> None:
    with pytest.raises(MessageError):
        decode_task(body)
