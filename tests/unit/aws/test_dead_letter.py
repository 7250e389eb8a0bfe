"""Dead letters as they travel through SQS, and what queues are called."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from option_a.aws.dead_letter import decode_dead_letter, encode_cause
from option_a.ingest.ports import Cause
from option_a.ingest.task import Task, encode_task
from option_a.names import dead_queue_name, queue_name, queue_prefix, text_table

TASK = Task("s", dt.date(2023, 11, 1), "20231114T220000Z-a")
CAUSES = st.builds(
    Cause,
    st.sampled_from(["http", "body"]),
    st.text(max_size=300),
    st.none() | st.integers(1, 9),
    st.none() | st.just(404),
)
STACKS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,127}", fullmatch=True)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)


def message(body: bytes, attributes: dict[str, str]) -> dict[str, object]:
    return {
        "Body": body.decode(), "ReceiptHandle": "r", "Attributes": {"SentTimestamp": "1700000000500"},
        "MessageAttributes": {name: {"StringValue": text} for name, text in attributes.items()},
    }  # fmt: skip


@given(CAUSES)
def test_a_cause_comes_back_whole_and_travels_as_ascii(cause: Cause) -> None:
    attributes = encode_cause(cause)
    assert attributes["cause"].isascii()
    letter = decode_dead_letter("s", message(encode_task(TASK), attributes))
    assert (letter.cause, letter.task, letter.died_at) == (cause, TASK, 1_700_000_000.5)


def test_a_cause_that_is_too_long_for_an_attribute_is_cut() -> None:
    letter = decode_dead_letter("s", message(encode_task(TASK), encode_cause(Cause("http", "x" * 10**6))))
    assert letter.cause.message == "x" * 2_000


def test_a_letter_that_sqs_itself_put_there_has_died_of_its_receives() -> None:
    odd = [{"cause": "[" * 100_000}, {"receives": "²"}, {"receives": "9" * 5_000}, {"receives": "-1"}]
    for attributes in ({}, {"cause": "nonsense"}, {"cause": "[]"}, *odd):
        letter = decode_dead_letter("s", message(b"no task", attributes))
        assert (letter.cause.kind, letter.task, letter.receives, letter.body) == ("receives", None, 5, b"no task")


@given(STACKS, st.sets(NAMES, min_size=2, max_size=5))
def test_queue_names_fit_sqs_begin_with_the_prefix_and_differ(stack: str, sources: set[str]) -> None:
    names = [name for source in sources for name in (queue_name(stack, source), dead_queue_name(stack, source))]
    assert all(len(name) <= 80 and name.startswith(queue_prefix(stack)) for name in names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") for name in names)
    assert len(set(names)) == 2 * len(sources)


@given(STACKS, STACKS, NAMES, NAMES)
def test_no_two_stacks_share_a_queue_or_a_prefix(one: str, other: str, source: str, another: str) -> None:
    if one != other:
        assert not queue_name(one, source).startswith(queue_prefix(other))
        assert queue_name(one, source) != dead_queue_name(other, another)


def test_names_of_the_default_stack_are_as_documented() -> None:
    assert queue_name("OptionAIngestionDemoPy", "api-a") == "OptionAIngestionDemoPy__api-a"
    assert dead_queue_name("OptionAIngestionDemoPy", "api-a") == "OptionAIngestionDemoPy__api-a-Dead"
    assert text_table("api_a") == "api_a_lines"
