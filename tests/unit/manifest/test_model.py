"""The ledger's transitions: pages land in any order, and the account is right."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from option_a.ingest.errors import LeaseLost, ManifestError
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.keys import segment_key
from option_a.ingest.manifest.model import (
    ATTEMPTS_KEPT,
    Anchor,
    Attempt,
    LeaseRecord,
    Load,
    Manifest,
    cursor_digest,
    decode,
    encode,
)
from option_a.ingest.manifest.rows import SEGMENT, Row, decode_rows, encode_rows
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.pagination import PageInfo
from option_a.ingest.partition import Partition

P = Partition("s", dt.date(2026, 11, 23))
RUN = "20261124T010000Z-a"


def load() -> Load:
    return Load(run=RUN, origin="real", shape="x", started=0.0, begun_by=RUN)


def row(page: int, records: int = 3) -> Row:
    return Row(page, records, records * 10, f"sum{page}" if records else "")


def manifest(of: Load) -> Manifest:
    return Manifest("s", P.date, "loading", of)


def ledger() -> ManifestStore:
    return ManifestStore(BucketLake(MemoryStore(), "memory"), P)


counts = st.lists(st.integers(0, 5), max_size=30)


@given(st.data(), counts)
def test_pages_may_land_in_any_order(data: st.DataObject, records: list[int]) -> None:
    rows = [row(page, count) for page, count in enumerate(records, 1)]
    one, landed = load(), set[int]()
    for each in data.draw(st.permutations(rows)):
        one.land(each)
        landed.add(each.page)
        assert one.high_water_mark == next(page for page in range(len(rows) + 1) if page + 1 not in landed)
        assert {page for page in range(1, len(rows) + 2) if one.has(page)} == landed
    assert one.rows == rows
    assert (one.records, one.bytes) == (sum(records), sum(records) * 10)
    assert (one.pages, one.empty, one.answered) == (len(rows) - records.count(0), records.count(0), len(rows))
    assert one.first == (rows[0].checksum if rows else "")
    assert [one.row(page) for page in range(len(rows) + 2)] == [None, *rows, None]


@settings(max_examples=8)
@given(st.data(), st.integers(1, 2 * SEGMENT + 5), st.integers(1, 700))
def test_full_segments_leave_the_manifest_and_no_row_is_lost(data: st.DataObject, pages: int, every: int) -> None:
    shuffled = list(range(1, pages + 1))
    data.draw(st.randoms(use_true_random=False)).shuffle(shuffled)
    book, one = ledger(), load()
    for count, page in enumerate(shuffled, 1):
        one.land(row(page))
        if count % every == 0:
            book.write(manifest(one))
    book.write(manifest(one))
    assert one.high_water_mark == one.pages == pages
    assert one.segments == max(0, (pages - 1) // SEGMENT)
    assert 0 < len(one.rows) <= SEGMENT
    assert one.row(pages) == row(pages)
    stored = ManifestStore(book.lake, P).read()
    assert stored is not None
    assert list(book.rows(stored.load)) == [row(page) for page in range(1, pages + 1)]


def test_a_segment_that_is_gone_is_an_error_and_not_a_shorter_ledger() -> None:
    book, one = ledger(), load()
    for page in range(1, SEGMENT + 2):
        one.land(row(page))
    book.write(manifest(one))
    book.lake.delete([segment_key(P, one.number, 1)])
    with pytest.raises(ManifestError, match="is missing"):
        list(book.rows(one))


def test_a_ledger_that_another_has_written_is_not_written_over() -> None:
    book = ledger()
    book.write(manifest(load()))
    rival = ManifestStore(book.lake, P)
    rival.read()
    rival.write(manifest(load()))
    with pytest.raises(LeaseLost):
        book.write(manifest(load()))
    with pytest.raises(LeaseLost):
        ManifestStore(book.lake, P).write(manifest(load()))


told = st.builds(PageInfo, last=st.none() | st.integers(1, 9), total=st.none() | st.integers(0, 99))


@given(st.lists(st.tuples(st.integers(1, 20), told), unique_by=lambda pair: pair[0], min_size=1))
def test_of_what_pages_tell_the_word_of_the_highest_counts(heard: list[tuple[int, PageInfo]]) -> None:
    telling = [(page, word) for page, word in heard if word.last is not None and word.total is not None]
    one = load()
    for page, word in telling:
        one.apply_page_info(page, word)
    if telling:
        assert (one.last, one.total) == (max(telling)[1].last, max(telling)[1].total)


def test_what_a_page_does_not_tell_stays_as_it_was() -> None:
    one = load()
    one.apply_page_info(1, PageInfo(last=7, total=70))
    one.apply_page_info(2, PageInfo(cursor="/3"))
    assert (one.last, one.total, one.cursor) == (7, 70, "/3")


def test_the_end_is_met_when_every_page_before_it_is_in() -> None:
    one = load()
    one.land(row(1))
    assert not one.at_end
    one.apply_page_info(1, PageInfo(last=3))
    one.land(row(3))
    assert not one.at_end
    one.land(row(2))
    assert one.at_end


def test_a_claim_lives_until_it_expires() -> None:
    claimed = manifest(load())
    assert not claimed.is_leased(0.0)
    claimed.lease = LeaseRecord("x", 10.0, 0)
    assert (claimed.is_leased(9.9), claimed.is_leased(10.0)) == (True, False)


def test_the_last_attempts_are_kept_each_with_its_end() -> None:
    one = manifest(load())
    for number in range(ATTEMPTS_KEPT + 5):
        one.begin_attempt(Attempt(RUN, number, 1, 0))
        one.end_attempt("waiting", number + 0.5, "why")
    one.end_attempt("complete", 99.0)
    assert [a.started for a in one.attempts] == list(range(5, ATTEMPTS_KEPT + 5))
    assert {(a.outcome, a.message, a.ended == a.started + 0.5) for a in one.attempts} == {("waiting", "why", True)}


def test_a_manifest_and_a_segment_come_back_as_they_were() -> None:
    one = manifest(load())
    one.load.land(row(1))
    one.lease, one.previous_load = LeaseRecord("x", 1.0, 0), load()
    assert encode(decode(encode(one), "key")) == encode(one)
    assert decode_rows(encode_rows([row(1), row(2, 0)]), "key") == [row(1), row(2, 0)]


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff", b'{"source":"s"', b"[" * 100_000])
def test_a_ledger_that_cannot_be_read_is_an_error_that_names_it(data: bytes) -> None:
    with pytest.raises(ManifestError, match="manifest some/key cannot be read"):
        decode(data, "some/key")
    with pytest.raises(ManifestError, match="segment some/key cannot be read"):
        decode_rows(data, "some/key")


def test_a_row_that_nests_too_deeply_is_no_row() -> None:
    with pytest.raises(ManifestError, match="segment some/key cannot be read"):
        decode_rows(b'[[1,1,1,"x",' + b"[" * 100_000, "some/key")


def test_a_manifest_of_a_later_version_is_not_touched() -> None:
    later = msgspec.json.encode(msgspec.structs.replace(manifest(load()), version=2))
    with pytest.raises(ManifestError, match=r"of version 2 \(upgrade option-a\)"):
        decode(later, "key")


@pytest.mark.parametrize("cursor", ["a@mail.test", 7, 1.5, ["a", 1]])
def test_an_anchor_of_an_earlier_version_is_read_and_written_with_a_digest(cursor: Any) -> None:
    old = msgspec.json.encode({"page": 4, "checksum": "c", "cursor": cursor})
    anchor = msgspec.json.decode(old, type=Anchor)
    assert anchor == Anchor(4, "c", cursor_digest(cursor))
    assert msgspec.json.decode(msgspec.json.encode(anchor), type=Anchor) == anchor
    assert str(anchor.cursor).startswith("sha256:")
