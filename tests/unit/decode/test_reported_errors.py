"""What a body says went wrong: when `fields` is empty at all, and how the beginning of what it says is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.decode.reported_errors import ERRORS, means_no_error, reported_error
from option_a.ingest.jsontext.decode import decode_exact

NOTHING = [
    "0.00",
    "0e9",
    "-0",
    "0E-400",
    "0",
    "null",
    "false",
    '""',
    '" "',
    '"0"',
    '"none"',
    '"NULL"',
    '"False"',
    '"ok"',
]
SOMETHING = ["1", "-0.1", "1e-400", "0.5e9", "true", '"no"', '"0.1"', '"error"', '"00"', "1" + "0" * 5000]
LONG = 80
"""Letters, of which no message shows more."""


def nested(leaves: list[str]) -> st.SearchStrategy[str]:
    """JSON whose leaves are some of these."""
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
            | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
                lambda table: "{" + ",".join(f'"{key}":{value}' for key, value in table.items()) + "}"
            )
        ),
        max_leaves=6,
    ).filter(lambda text: deepest(decode_exact(text.encode())) < 16)


def deepest(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + max(map(deepest, inner), default=0) if isinstance(value, dict | list) else 0


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


@pytest.mark.parametrize("text", NOTHING)
def test_a_leaf_that_says_nothing_is_quiet(text: str) -> None:
    assert means_no_error(decode_exact(text.encode()))


@pytest.mark.parametrize("text", SOMETHING)
def test_a_leaf_that_says_something_is_not(text: str) -> None:
    assert not means_no_error(decode_exact(text.encode()))


@given(nested(NOTHING + SOMETHING))
def test_a_value_is_quiet_just_if_all_its_leaves_are(text: str) -> None:
    value = decode_exact(text.encode())
    assert means_no_error(value) == all(map(means_no_error, leaves(value))), text


@given(nested(NOTHING), st.sampled_from(ERRORS), st.sampled_from(["data", "a.data", ""]))
def test_what_says_nothing_is_no_error_wherever_it_stands(text: str, key: str, where: str) -> None:
    body = decode_exact(f'{{"{key}":{text},"data":null,"a":{{"data":null,"{key}":{text}}}}}'.encode())
    assert reported_error(body, where) is None


def test_what_is_nested_without_an_end_is_not_taken_for_nothing() -> None:
    value: Any = []
    for _ in range(900):
        value = [value]
    assert not means_no_error(value)
    told = reported_error({"errors": value}, "data")
    assert told is not None
    assert len(told[1]) < LONG


@given(st.text(min_size=1), st.sampled_from(ERRORS))
def test_what_is_shown_is_short_and_steers_no_terminal(text: str, key: str) -> None:
    told = reported_error({key: {"message": "!" + text}}, "data")
    assert told is not None
    assert (told[0], told[1].isprintable(), len(told[1]) < LONG) == (key, True, True)
    whole = json.dumps({"message": "!" + text}, ensure_ascii=False)
    if len(whole) <= 60 and whole.isprintable():
        assert told[1] == f"as follows: {whole}"
