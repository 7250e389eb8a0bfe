"""Whether what a landed page tells now leaves no place for a page that is refused."""

from __future__ import annotations

import pytest

from option_a.ingest.errors import BodyError, HttpError
from option_a.ingest.load.shrunk import excludes_page, refusal_in
from option_a.ingest.manifest.model import Load
from option_a.ingest.pagination import PageInfo

REFUSED = 4


def load(total: int | None = None) -> Load:
    return Load(run="r", origin="real", shape="", started=0.0, total=total)


@pytest.mark.parametrize(
    ("told", "gone", "left_out"),
    [
        (PageInfo(last=3), False, True),
        (PageInfo(last=4), False, False),
        (PageInfo(last=20), False, False),
        (PageInfo(last=20), True, False),
        (PageInfo(last=2), True, True),
        (PageInfo(), False, False),
        (PageInfo(), True, True),
        (PageInfo(may_be_last=True), False, True),
        (PageInfo(total=9), False, False),
    ],
)
def test_a_declared_end_decides_and_else_a_short_page_or_one_that_is_gone(
    told: PageInfo, gone: bool, left_out: bool
) -> None:
    assert excludes_page(told, load(), REFUSED, gone=gone) is left_out


@pytest.mark.parametrize(("total", "left_out"), [(11, True), (12, False), (13, False)])
def test_a_total_that_fell_is_a_sign_where_no_end_is_declared(total: int, left_out: bool) -> None:
    assert excludes_page(PageInfo(total=total), load(12), REFUSED, gone=False) is left_out
    assert not excludes_page(PageInfo(last=REFUSED, total=total), load(12), REFUSED, gone=False)


@pytest.mark.parametrize(("status", "refusal"), [(400, True), (404, True), (422, True), (401, False), (451, False)])
def test_credentials_and_their_like_are_no_word_on_a_page(status: int, refusal: bool) -> None:
    assert (refusal_in(HttpError("no", status=status)) is not None) is refusal
    assert refusal_in(BodyError("the body is not JSON")) is None
