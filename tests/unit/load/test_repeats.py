"""Which page a page is taken for the repetition of."""

from __future__ import annotations

import pytest

from option_a.ingest.errors import RepeatError
from option_a.ingest.load.repeats import check_repeat
from option_a.ingest.manifest.model import Anchor, Load
from option_a.ingest.manifest.rows import Row
from option_a.ingest.pagination import PageInfo


def row(page: int, checksum: str) -> Row:
    return Row(page, 1, 1, checksum)


def load(*rows: Row) -> Load:
    """The first page and the anchor are known of a load whose other pages are in segments."""
    return Load("r", "real", "", 0.0, rows=list(rows), first="of 1", anchor=Anchor(4, "of 4", None))


@pytest.mark.parametrize(
    ("page", "checksum", "twin"),
    [
        (9, "of 8", 8),
        (9, "of 10", 10),
        (9, "of 1", 1),
        (2, "of 1", 1),
        (9, "of 4", 4),
    ],
)
def test_a_page_is_one_of_its_neighbours_or_the_first_or_the_anchors_again(page: int, checksum: str, twin: int) -> None:
    known = load(row(7, "of 7"), row(8, "of 8"), row(10, "of 10"), row(11, "of 11"))
    with pytest.raises(RepeatError, match=f"^page {page} repeats page {twin}"):
        check_repeat(known, row(page, checksum), PageInfo(), "")
    check_repeat(known, row(page, checksum), PageInfo(), "", alike=True)


@pytest.mark.parametrize(
    ("page", "checksum"),
    [(9, "of 7"), (9, "of 11"), (9, "of 9"), (9, ""), (1, "of 1"), (4, "of 4"), (3, "of 4")],
)
def test_a_page_is_none_again_that_is_not_at_hand_nor_itself_nor_one_after_it(page: int, checksum: str) -> None:
    check_repeat(load(row(7, "of 7"), row(11, "of 11")), row(page, checksum), PageInfo(), "")


def test_the_anchor_moves_to_each_power_of_two_and_never_back() -> None:
    known = Load("r", "real", "", 0.0)
    anchors: list[tuple[int, str]] = []
    for page in (*range(1, 18), 8, 16):
        check_repeat(known, row(page, f"of {page}, number {len(anchors)}"), PageInfo(), "")
        assert known.anchor is not None
        anchors.append((known.anchor.page, known.anchor.checksum))
    pages = [1, 2, 2, 4, 4, 4, 4, *[8] * 8, 16, 16, 16, 16]
    assert anchors == [(page, f"of {page}, number {page - 1}") for page in pages]
