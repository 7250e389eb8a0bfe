"""Bodies to lines: what lands is what was sent, by the fast path and by the slow one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.ingest.decode.fast import split
from option_a.ingest.decode.lossless import CANDIDATES, WHOLE, DecodedBody, split_losslessly
from option_a.ingest.errors import BodyError
from option_a.ingest.jsontext import parser as jsontext
from option_a.ingest.jsontext.values import MISSING, find_path
from tests.unit.decode.json_documents import Document, compact, deep_records, documents, text_of, values

GUESSES = (None, *CANDIDATES, WHOLE, "", "elsewhere")
SPOILERS = [b"", b"\x00", b'"', b"\\", b"]", b",", b"{}", b"0", b"\xff", b"e"]
slowly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def outcome(body: bytes, path: str | None, guess: str | None = None) -> tuple[Any, ...]:
    """What splitting gives, or its error: two of them can be compared, lines token by token."""
    try:
        found = split(body, path, guess)
    except BodyError as error:
        return "error", str(error) if error.body == body else "and another body"
    return compact(found.lines), found.records, found.path, repr(found.meta)


def the_slow(body: bytes, path: str | None) -> tuple[Any, ...]:
    """The same of the slow path alone."""
    try:
        found = split_losslessly(body, path)
    except BodyError as error:
        return "error", str(error)
    return found.lines.replace(b"\n", b""), found.records, found.path, repr(found.meta)


def legal(body: bytes) -> bool:
    """What the standard library says, made as strict as RFC 8259. Not for depths that it cannot read."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(body.decode().removeprefix("\ufeff"), parse_constant=refuse, parse_int=str)
    except ValueError:
        return False
    return True


def check(document: Document, found: DecodedBody) -> None:
    assert [compact(line) for line in found.lines.splitlines()] == document.lines
    assert found.lines.count(b"\n") == found.records == len(document.lines)
    assert b"\r" not in found.lines
    assert found.path == document.path


@slowly
@given(documents())
def test_records_land_byte_for_byte_save_for_white_space_between_tokens(document: Document) -> None:
    check(document, split(document.body, document.path))
    check(document, split(document.body, None))
    check(document, split_losslessly(document.body, None))


@pytest.mark.slow
@slowly
@given(documents(deep_records))
def test_depth_is_no_obstacle(document: Document) -> None:
    check(document, split(document.body, None))


@slowly
@given(documents(), st.sampled_from(GUESSES), st.booleans())
def test_both_paths_agree_whatever_was_guessed(document: Document, guess: str | None, told: bool) -> None:
    path = document.path if told else None
    assert outcome(document.body, path, guess) == the_slow(document.body, path)


@slowly
@given(documents(), st.integers(0, 10_000), st.sampled_from(SPOILERS),
       st.integers(0, 2), st.sampled_from(GUESSES))  # fmt: skip
def test_a_spoilt_body_is_judged_alike_by_both_paths_and_by_the_standard_library(
    document: Document, place: int, inserted: bytes, removed: int, guess: str | None
) -> None:
    at = place % (len(document.body) + 1)
    body = document.body[:at] + inserted + document.body[at + removed :]
    found = outcome(body, None, guess)
    assert found == the_slow(body, None)
    assert ("the body is not JSON" not in found[1] if found[0] == "error" else True) == legal(body)


@given(st.binary(max_size=60) | st.text('{}[]",:\\ud80 \n\r1e-.nulltrue', max_size=40).map(str.encode))
def test_no_bytes_whatever_raise_anything_but_a_body_error(body: bytes) -> None:
    found = outcome(body, None)
    assert found == the_slow(body, None)
    assert legal(body) or found[0] == "error"


@given(values, st.lists(st.sampled_from(["", " ", "\r\n", "\t"]), min_size=1, max_size=5))
def test_the_parser_drops_white_space_and_nothing_else(tokens: tuple[str, ...], gaps: list[str]) -> None:
    text, root = jsontext.parse(text_of(tokens, gaps), 0)
    assert text == "".join(tokens).encode()
    assert (root.start, root.end) == (0, len(text))


@given(st.binary(max_size=40) | st.text().map(str.encode))
def test_bytes_are_utf8_if_python_says_so(body: bytes) -> None:
    padded = b"x" * 16_380 + body
    try:
        padded.decode()
    except UnicodeDecodeError:
        assert not jsontext.is_utf8(padded)
    else:
        assert jsontext.is_utf8(padded)


TWICE = [
    b'{"data":[{"a":1}],"data":[{"a":2}]}', b'{"data":[{"a":1}],"data":[]}', b'{"data":[],"data":[{"a":1}]}',
    b'{"data":null,"data":[{"a":1}]}', b'{"data":[{"a":1}],"data":null}', b'{"data":5,"data":[{"a":1}]}',
    b'{"data":[{"a":1}],"data":{"b":[{"a":1}]}}', b'{"data":null,"data":null}',
    b'{"\\u0064ata":[{"a":1}],"data":[{"a":1}]}', b'{"data":[{"a":1}],"d\\u0061ta":[{"a":2}]}',
    b'{"data":[{"a":1}],\n"d\\u0061t\\u0061":null}',
]  # fmt: skip


@pytest.mark.parametrize("body", TWICE)
@pytest.mark.parametrize("guess", GUESSES)
def test_a_list_that_stands_twice_is_an_error_however_it_is_spelt(body: bytes, guess: str | None) -> None:
    with pytest.raises(BodyError, match=r"`data` occurs 2 times|two lists could be the records: data, data"):
        split(body, None, guess)
    with pytest.raises(BodyError, match="`data` occurs 2 times"):
        split(body, "data", guess)


def test_a_list_that_stands_twice_is_an_error_even_if_a_string_looks_like_its_beginning() -> None:
    looks_like = b'[{}"}],"data":'
    rest = b"b" * (len(looks_like) - 3)
    body = b'{"data":null,"w":[{"s":"' + looks_like + b'[{},{"k":"aaa]' + rest + b'"}]}'
    assert legal(body)
    for path in (None, "data"):
        with pytest.raises(BodyError, match="`data` occurs 2 times"):
            split(body, path)


def test_a_list_deep_in_the_body_that_stands_twice_is_an_error() -> None:
    for body in (b'{"a":{"b":[{}],"b":[{}]}}', b'{"a":{"b":[{}]},"a":{"b":[{}]}}'):
        with pytest.raises(BodyError, match="occurs 2 times"):
            split(body, "a.b")


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize("body", [b'{"data":[{"a":1}],"items":[{"a":2}]}', b'{"value":[],"results":[{"a":1}]}'])
def test_two_candidates_are_an_error_that_asks_which(body: bytes, guess: str | None) -> None:
    with pytest.raises(BodyError, match=r"two lists could be the records: .* \(say which: records = "):
        split(body, None, guess)


def test_a_candidate_that_is_named_has_no_rival() -> None:
    assert split(b'{"data":[{"a":1}],"items":[{"a":2}]}', "items").lines == b'{"a":2}\n'


FOUND: list[tuple[bytes, str | None, bytes, str]] = [
    (b"[]", None, b"", "@"),
    (b"[]", "@", b"", "@"),
    (b' [ {} , {"a" : 1} ] ', "@", b'{}\n{"a":1}\n', "@"),
    (b'{"data":[]}', None, b"", "data"),
    (b'{"data":null}', None, b"", "data"),
    (b'{"data":null}', "data", b"", "data"),
    (b'{"data":null,"items":[{"a":1}]}', None, b'{"a":1}\n', "items"),
    (b'{"items":[{"a":1}],"data":"x"}', None, b'{"a":1}\n', "items"),
    (b'{"a":{"b.c":1,"b":[{"a":1}]}}', "a.b", b'{"a":1}\n', "a.b"),
    (b'{"a":{"b":null}}', "a.b", b"", "a.b"),
    (b'{"id":1,"value":5}', None, b'{"id":1,"value":5}\n', ""),
    (b'{"data":{"id":1}}', None, b'{"data":{"id":1}}\n', ""),
    (b'{"rows":[{"id":1}]}', None, b'{"rows":[{"id":1}]}\n', ""),
    (b"{}", None, b"{}\n", ""),
    (b'\xef\xbb\xbf{"data":[{"a":1}]}', None, b'{"a":1}\n', "data"),
]


@pytest.mark.parametrize(("body", "path", "lines", "where"), FOUND)
def test_records_are_found_by_the_rule(body: bytes, path: str | None, lines: bytes, where: str) -> None:
    for guess in GUESSES:
        found = split(body, path, guess)
        assert (compact(found.lines.replace(b"\n", b"")), found.path) == (lines.replace(b"\n", b""), where)
        assert found.records == lines.count(b"\n") == found.lines.count(b"\n")


NOT_FOUND: list[tuple[bytes, str | None, str]] = [
    (b'{"rows":[]}', "data", r"no records at `data` \(correct `records`; the body has: rows\)"),
    (b'{"a":{"c":1}}', "a.b", r"no records at `a.b` .* has: c\)"),
    (b'{"a":[{"b":[]}]}', "a.b", "no records at `a.b`"),
    (b"[]", "data", r"has: no keys\)"),
    (b"{}", "", "no records at ``"),
    (b'{"data":[{}]}', "", "no records at ``"),
    (b'{"\\ud800":1}', "data", r"has: \\ud800\)"),
    (b'{"data":{"a":1}}', "data", r'`data` is not a list but {"a":1}'),
    (b'{"data":"null"}', "data", r'`data` is not a list but "null"'),
    (b"{}", "@", "`@` is not a list but {}"),
    (b'{"data":[{},1]}', None, "record 2 is not an object but 1 .* is `data` the list of records"),
    (b"[[]]", None, r"record 1 is not an object but \[\]"),
    (b'{"data":[{},null]}', "data", "record 2 is not an object but null"),
    (b'"data"', None, "neither an object nor a list"),
    (b"null", None, "neither an object nor a list"),
]


@pytest.mark.parametrize(("body", "path", "message"), NOT_FOUND)
def test_a_body_without_the_records_says_what_it_has(body: bytes, path: str | None, message: str) -> None:
    with pytest.raises(BodyError, match=message) as error:
        split(body, path)
    assert error.value.body == body
    assert str(error.value).encode()


LONG = b"9" * 5_000
DEEP = (b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


@pytest.mark.parametrize("odd", [LONG, b"-" + LONG, *(pytest.param(deep, marks=pytest.mark.slow) for deep in DEEP)])
def test_what_is_long_or_deep_beside_the_records_hides_nothing_else(odd: bytes) -> None:
    for body in (b'{"x":%b,"pages":3,"data":[{}]}', b'{"a":{"x":%b,"n":{"pages":3}},"pages":3,"data":[{}]}'):
        meta = split(body % odd, None).meta
        assert find_path(meta, "pages") == 3
        assert find_path(meta, "a.n.pages") in (3, MISSING)
    assert find_path(meta, "a.n.pages") == 3


def test_a_number_beyond_what_python_takes_stays_as_it_is_spelt() -> None:
    assert str(split(b'{"next":%b,"data":[{}]}' % LONG, None).meta["next"]).encode() == LONG


@pytest.mark.parametrize("told", [b'"errors":[{"message":"no"}]', b'"error":"no"', b'"error":{"code":5}'])
def test_a_null_beside_an_error_is_no_page_without_records(told: bytes) -> None:
    for path in (None, "data"):
        with pytest.raises(BodyError, match=r"`data` is null, and the body says `errors?`"):
            split(b'{"data":null,%b}' % told, path)
        assert split(b'{"data":[],%b}' % told, path).records == 0
    assert split(b'{"data":null,"errors":[],"error":null}', None).records == 0


def test_what_is_left_of_the_body_has_null_for_the_list() -> None:
    body = b'{"page":1,"data":[{"a":1},{"a":2}],"next":{"data":[3]}}'
    for path in (None, "data"):
        assert split(body, path).meta == {"page": 1, "data": None, "next": {"data": [3]}}
    assert split(b'{"a":{"b":[{}],"n":7}}', "a.b").meta == {"a": {"b": None, "n": 7}}
    assert split(b"[{}]", None).meta is None


def test_a_twin_of_the_list_elsewhere_in_the_body_stays_where_it_is() -> None:
    for body in (b'{"twin":[{"a":1}],"data":[{"a":1}]}', b'{"twin":[{"a":1}],"data":\n[{"a":1}]}'):
        for path in (None, "data"):
            assert split(body, path).meta == {"twin": [{"a": 1}], "data": None}
