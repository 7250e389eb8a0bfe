"""A page's bytes are made of its records alone."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.load.page import HEAD, pack
from tests.conftest import Proof

RECORD = b'{"%x":%d,"name":"one of many","at":"2024-05-01T00:00:%02dZ"}\n'


def page(number: int) -> bytes:
    """Records that begin as those of no other page; more bytes than the packer looks ahead."""
    return b"".join(RECORD % (number * 7_919 + 0x1000, record * 7_919, record) for record in range(10))


@pytest.mark.slow
def test_the_same_lines_give_the_same_bytes_wherever_the_packer_stands_in_memory(proof: Proof) -> None:
    """A packer that hashed its own address told 3 pages of 8,192 otherwise; this packs 120,000."""
    pages = [page(number) for number in range(200)]
    packed, kept, others = [pack(lines) for lines in pages], list[bytearray](), 0
    for _ in range(600):
        kept.append(bytearray(1 << 16))  # what is held here moves what comes after it
        others += sum(pack(lines) != before for lines, before in zip(pages, packed, strict=True))
    proof.figure("pages packed again", len(kept) * len(pages))
    proof.figure("of them to other bytes", others, most=0)


@given(st.binary(max_size=3 * HEAD) | st.binary(max_size=5_000))
def test_what_is_packed_is_unpacked(lines: bytes) -> None:
    assert gzip.decompress(pack(lines)) == lines
