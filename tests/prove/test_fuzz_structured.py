"""Fuzz by structure: documents, tables and files as hypothesis makes them, each read in two ways that must agree."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st

from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.fields import Fields, apply_fields
from option_a.ingest.decode.format import BodyFormat
from tests.conftest import Proof
from tests.support.fuzz.bodies import json_body, standard_decode
from tests.unit.decode.json_documents import Document, documents, listed, records, spaces, text_of
from tests.unit.decode.test_fast import check

pytestmark = pytest.mark.bar(12)

SHORT, FULL = 40, 2_500
ODD = [b"", b"\x00", b'"', b"\\", b"]", b",", b"{}", b"0", b"\xff", b"e", b"NaN", b'"data":[]', b"\r", b"\xef\xbb\xbf"]
cells = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)


def examine(proof: Proof, test: Callable[..., None], *of: st.SearchStrategy[Any]) -> None:
    """The test on so many examples, seeded; a failure is shrunk, and names the seed."""
    size = proof.size(SHORT, FULL)
    given = hypothesis.given(*of)(test)
    unhurried = hypothesis.settings(
        max_examples=size, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck)
    )
    try:
        hypothesis.seed(proof.seed)(unhurried(given))()
    except AssertionError as error:
        error.add_note(f"--seed {proof.seed}")
        raise
    proof.figure("structured examples", size)


def test_documents_are_read_as_they_were_made(proof: Proof) -> None:
    def look(document: Document) -> None:
        for where in (document.path, None):
            check(document, read_body(document.body, BodyFormat(), where))

    examine(proof, look, documents())


def test_spoilt_documents_are_judged_alike(proof: Proof) -> None:
    def look(document: Document, place: int, inserted: bytes, removed: int) -> None:
        at = place % (len(document.body) + 1)
        json_body(document.body[:at] + inserted + document.body[at + removed :])

    examine(proof, look, documents(), st.integers(0, 10_000), st.sampled_from(ODD), st.integers(0, 3))


def test_a_table_of_csv_is_read_as_it_was_made(proof: Proof) -> None:
    def look(rows: list[list[str]], delimiter: str, end: str) -> None:
        names = [f"n{n}" for n in range(len(rows[0]) if rows else 2)]
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([names, *rows])
        found = read_body(file.getvalue().encode(), BodyFormat(format="csv", delimiter=delimiter), None)
        assert [json.loads(line) for line in found.lines.splitlines()] == [
            dict(zip(names, row, strict=True)) for row in rows
        ]

    tables = st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=5)
    )
    examine(proof, look, tables, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))


def test_fields_that_are_dropped_are_gone_and_the_others_are_as_they_were(proof: Proof) -> None:
    def look(items: list[tuple[str, ...]], gaps: list[str]) -> None:
        lines = read_body(text_of(listed(items), gaps), BodyFormat(), None).lines
        left = apply_fields(Fields(drop=["a"]), lines, None)
        for before, after in zip(lines.splitlines(), left.splitlines(), strict=True):
            (sent,), (landed,) = standard_decode(before) or ([],), standard_decode(after) or ([],)
            assert landed == [member for member in sent if member[0] != "a"]

    examine(proof, look, records, spaces)
