"""How figures and tables are shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from option_a.cli.render import escaped, moment, plural, print_json, printable, size, span, table


def test_a_table_has_its_columns_under_their_headers() -> None:
    assert table(["source", "pages"], [["api-a", 7], ["b", 1234]], right=["pages"]).splitlines() == [
        "source  pages",
        "──────  ─────",
        "api-a       7",
        "b        1234",
    ]


def test_a_file_whose_name_is_no_text_is_printed_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"key": "raw/\udcff", "n": 1})
    assert json.loads(capsys.readouterr().out) == {"key": "raw/\udcff", "n": 1}


def test_a_table_without_rows_is_its_headers() -> None:
    assert table(["a", "long"], []) == "a  long\n─  ────"


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    rows = table(["x", "y"], [["東京", 1], ["e\u0301", 2], ["abcd", 3]]).splitlines()[2:]
    assert rows == ["東京  1", "e\u0301     2", "abcd  3"]


@given(st.lists(st.tuples(st.text("ab\x1b\n\r\t\x9b", max_size=9), st.integers()), max_size=5))
def test_no_cell_breaks_its_line(rows: list[tuple[str, int]]) -> None:
    shown = table(["a", "b"], rows, right=["b"])
    assert len(shown.split("\n")) == len(rows) + 2
    assert not set(shown) & set("\x1b\r\x9b")


@given(st.text())
def test_what_an_api_sent_steers_no_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not [c for c in shown if c != "\t" and (ord(c) < 32 or 127 <= ord(c) < 160)]


def test_text_that_steers_nothing_stays_as_it_is() -> None:
    assert printable("Łódź 東京 😀") == "Łódź 東京 😀"
    assert printable("a\x1b[31mb\nc") == "a\N{REPLACEMENT CHARACTER}[31mb c"
    assert printable("\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe") == "\N{REPLACEMENT CHARACTER}gpj.exe"
    assert printable("\N{LINE SEPARATOR}error: none") == "\N{REPLACEMENT CHARACTER}error: none"
    assert printable("مرحبا") == "مرحبا"


@given(st.dictionaries(st.text(), st.text()))
@example({"\x9b31m": "\x7f\u202e\x1b\n"})
def test_json_says_the_same_and_steers_no_terminal(value: dict[str, str]) -> None:
    shown = escaped(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == value
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (73_912, "73.9 kB"), (5_400_000, "5.4 MB"), (2e9, "2.0 GB"),
     (3.5e12, "3.5 TB"), (4e15, "4000.0 TB")],
)  # fmt: skip
def test_bytes_are_shown_as_people_read_them(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (1.25, "1.2 s"), (42, "42 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"),
     (86_400, "24 h"), (172_800, "2 d")],
)  # fmt: skip
def test_durations_are_shown_as_people_read_them(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_an_instant_is_shown_in_utc() -> None:
    assert moment(1_700_000_000.0) == "2023-11-14 22:13:20Z"
    assert moment(None) == ""


@pytest.mark.parametrize(("count", "text"), [(0, "0 pages"), (1, "1 page"), (1234, "1,234 pages")])
def test_a_count_agrees_with_its_noun(count: int, text: str) -> None:
    assert plural(count, "page") == text
