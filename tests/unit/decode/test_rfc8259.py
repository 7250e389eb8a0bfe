"""RFC 8259 to the letter: legal bodies land, illegal ones are a BodyError."""

from __future__ import annotations

from typing import Any

import pytest

from option_a.ingest.decode.fast import split
from option_a.ingest.errors import BodyError
from tests.support.apis.json_samples import BOM, ILLEGAL, LEGAL

PLACES = {
    "in a record": b'{"data":[{"x":%s}],"page":1}',
    "in the last record": b'{"data":[{"y":1}, {"x":%s}]}',
    "before the list": b'{"x":%s,"data":[{"y":1}]}',
    "behind the list": b'{"data":[{"y":1}],"x":%s}',
    "in a list of records": b'[{"y":1},{"x":[0,%s]}]',
    "among line ends": b'{"data":[\r\n{"x":\n%s\r}\n]}\n',
    "in one record": b'{"x":%s}',
}
DEEP = 10_000


def case(value: bytes) -> Any:
    """A value to try; what nests tens of thousands deep takes seconds."""
    nests = value.count(b"[") + value.count(b"{") > DEEP
    return pytest.param(value, id=ascii(value[:24]), marks=[pytest.mark.slow] if nests else [])


@pytest.mark.parametrize("value", [case(value) for value in LEGAL])
def test_a_legal_value_lands_wherever_it_stands(value: bytes) -> None:
    for place, body in PLACES.items():
        found = split(body % value, None)
        assert found.records == found.lines.count(b"\n") >= 1
        if "record" in place:
            assert b"".join(value.split()) in b"".join(found.lines.split())


@pytest.mark.parametrize("value", [case(value) for value in (*ILLEGAL, b"", BOM + b"1")])
def test_an_illegal_value_is_a_body_error_wherever_it_stands(value: bytes) -> None:
    for body in PLACES.values():
        with pytest.raises(BodyError, match=r"the body is not JSON: .* at byte") as error:
            split(body % value, None)
        assert error.value.body == body % value


GOOD = b'{"data":[{"a":1},{"b":"\xc3\xa9"}],"page":1}'


@pytest.mark.parametrize("end", range(len(GOOD)))
def test_a_body_that_is_cut_is_an_error_wherever_it_is_cut(end: int) -> None:
    with pytest.raises(BodyError, match="the body is not JSON"):
        split(GOOD[:end], None)
    with pytest.raises(BodyError, match="the body is not JSON"):
        split(GOOD[:end], "data")


@pytest.mark.parametrize(
    "tail", [b"x", b"{}", b",", b"]", b"}", b"\x00", b"\xff", b"\xef\xbb\xbf", b'{"data":[]}', b"\x0c"]
)
def test_text_behind_the_body_is_an_error(tail: bytes) -> None:
    with pytest.raises(BodyError, match=r"something follows the value|invalid UTF-8"):
        split(GOOD + tail, None)


@pytest.mark.parametrize("space", [b" ", b"\n", b"\r", b"\t", b" \r\n\t "])
def test_white_space_around_the_body_is_legal(space: bytes) -> None:
    assert split(space + GOOD + space, None).lines == split(GOOD, None).lines


@pytest.mark.parametrize("space", [b"\x0b", b"\x0c", b"\x00", "\u00a0".encode(), "\u2028".encode(), b"\x1c", b"\x85"])
def test_what_only_looks_like_white_space_is_not(space: bytes) -> None:
    with pytest.raises(BodyError, match="the body is not JSON"):
        split(space + GOOD, None)


def test_one_byte_order_mark_before_the_body_is_passed_over_and_no_more() -> None:
    assert split(b"\xef\xbb\xbf" + GOOD, None).lines == split(GOOD, None).lines
    with pytest.raises(BodyError, match="the body is not JSON"):
        split(b"\xef\xbb\xbf" * 2 + GOOD, None)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_a_body_in_another_encoding_is_an_error(encoding: str) -> None:
    with pytest.raises(BodyError, match="the body is not JSON"):
        split(GOOD.decode().encode(encoding), None)


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "the API sent an empty body"),
        (b" \n", "the API sent an empty body"),
        (b"<!DOCTYPE html><html>", "it looks like HTML or XML"),
        (b"\n<error/>", "it looks like HTML or XML"),
        (b"\x1f\x8b\x08\x00", "it looks compressed"),
        (b"PK\x03\x04", "it looks compressed"),
        (b"Internal error", "it was kept under dead/ as it came"),
    ],
)
def test_the_error_says_what_the_body_looks_like(body: bytes, hint: str) -> None:
    with pytest.raises(BodyError) as error:
        split(body, None)
    assert error.value.hint.startswith(hint)
