"""The Link header: read as RFC 8288 has it, followed, or counted to its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.errors import PaginationError
from option_a.ingest.pagination import LinkHeaderPaginator, PageInfo, PageRequest, PageResponse
from option_a.ingest.pagination.link_header import MalformedLink, link_targets

GITHUB = (
    '<https://api.github.com/repositories/1300192/issues?page=2>; rel="prev", '
    '<https://api.github.com/repositories/1300192/issues?page=4>; rel="next", '
    '<https://api.github.com/repositories/1300192/issues?page=515>; rel="last", '
    '<https://api.github.com/repositories/1300192/issues?page=1>; rel="first"'
)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        (" , ,", {}),
        ("</a>; rel=next", {"next": "/a"}),
        ('</a>;rel="next"', {"next": "/a"}),
        ("</a> ; REL = Next ;", {"next": "/a"}),
        ('</a>; rel="prev next"', {"prev": "/a", "next": "/a"}),
        ('</a>; title="x, </b>; rel=next"; rel=prev', {"prev": "/a"}),
        (r'</a>; title="a \" b"; rel="n\ext"', {"next": "/a"}),
        ("</a,b;c>; rel=next", {"next": "/a,b;c"}),
        ("</a>; rel=prev; rel=next", {"prev": "/a"}),
        ("</a>; rel=next, </b>; rel=next", {"next": "/a"}),
        ('</a>; rel=next; anchor="#x", </b>; rel=next', {"next": "/b"}),
        ("</a>; rel*=UTF-8''next, </b>;;rel=next", {"next": "/b"}),
        ("</a>; rel; rel=next", {}),
        ("</a>; anchor; rel=next", {}),
        ("</a>", {}),
        ("<>; rel=next", {"next": ""}),
    ],
)
def test_a_header_is_read_as_the_rfc_has_it(header: str, found: dict[str, str]) -> None:
    assert link_targets(header) == found


@pytest.mark.parametrize(
    "header",
    ["/a; rel=next", "</a; rel=next", "</a>; rel=next </b>", "</a> rel=next", '<a>; "b"', "</a>" + "b" * 99, "a" * 99],
)
def test_what_is_no_link_header_is_refused(header: str) -> None:
    with pytest.raises(MalformedLink) as refused:
        link_targets(header)
    assert str(refused.value) in header
    assert len(str(refused.value)) <= 40
    with pytest.raises(PaginationError, match=r"RFC 8288.*another style of pagination"):
        LinkHeaderPaginator().read(PageResponse(1, 1, 1, None, {"link": header}))


words = st.text("abcdefgh-.", min_size=1, max_size=8)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@given(st.lists(st.tuples(st.text("abc/?&=;, %", max_size=9), st.lists(words, min_size=1), values), max_size=5))
def test_what_was_written_is_read(links: list[tuple[str, list[str], str]]) -> None:
    written, expected = [], dict[str, str]()
    for target, relations, title in links:
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        written.append(f'<{target}>; title="{quoted}"; rel="{" ".join(relations)}"')
        for relation in relations:
            expected.setdefault(relation, target.strip())
    assert link_targets(" , ".join(written)) == expected


@given(st.text('<>;=", \\relnxt', max_size=60))
def test_any_text_is_a_header_or_is_refused(text: str) -> None:
    try:
        link_targets(text)
    except MalformedLink:
        return


def seen(header: str | None, page: int = 1) -> PageResponse:
    return PageResponse(page, 1, 1, {"n": 9}, {} if header is None else {"link": header})


@pytest.mark.parametrize(
    ("style", "answer", "told"),
    [
        (
            LinkHeaderPaginator(),
            seen(GITHUB),
            PageInfo(cursor="https://api.github.com/repositories/1300192/issues?page=4"),
        ),
        (LinkHeaderPaginator(), seen("</?page=1>; rel=prev", 5), PageInfo(last=5)),
        (LinkHeaderPaginator(), seen(None), PageInfo(last=1)),
        (LinkHeaderPaginator(total_records="n"), seen("</a>; rel=next"), PageInfo(cursor="/a", total=9)),
        (LinkHeaderPaginator(param="page"), seen(GITHUB), PageInfo(last=515)),
        (LinkHeaderPaginator(param="page", start=0), seen(GITHUB), PageInfo(last=516)),
        (LinkHeaderPaginator(param="page"), seen("</?page=1>; rel=prev", 5), PageInfo(last=5)),
        (LinkHeaderPaginator(total_records="n"), seen("</?page=1>; rel=prev", 5), PageInfo(last=5, total=9)),
        (LinkHeaderPaginator(total_records="n", param="page"), seen(GITHUB), PageInfo(last=515, total=9)),
        (
            LinkHeaderPaginator(param="page"),
            seen("</?page=2>; rel=next, </?page=999999999>; rel=last"),
            PageInfo(last=999_999_999),
        ),
        (LinkHeaderPaginator(param="page"), seen("</?page=2>; rel=next, </?page=1>; rel=last"), PageInfo(last=1)),
    ],
)
def test_it_leads_to_the_next_page_or_tells_the_last(
    style: LinkHeaderPaginator, answer: PageResponse, told: PageInfo
) -> None:
    assert style.read(answer) == told


NUMBERLESS = ["x", "", "٣", "1000000000"]


@pytest.mark.parametrize(
    "header",
    [
        "</?page=2>; rel=next",
        "</?page=2>; rel=next, </?p=7>; rel=last",
        "</?page=2>; rel=next, <https://[x/?page=7>; rel=last",
        *[f"</?page=2>; rel=next, </?page={value}>; rel=last" for value in NUMBERLESS],
    ],
)
def test_where_the_last_page_is_not_told_the_way_out_is_to_follow(header: str) -> None:
    with pytest.raises(PaginationError, match=r"no rel=\"last\" .*leave out pagination.param"):
        LinkHeaderPaginator(param="page").read(seen(header))


def test_a_next_that_is_no_url_is_a_broken_promise() -> None:
    with pytest.raises(PaginationError, match=r"next is not a URL .*ask the API's owner"):
        LinkHeaderPaginator().read(seen("<https://[x>; rel=next"))


def test_pages_are_followed_or_asked_for_by_number() -> None:
    assert LinkHeaderPaginator().ask(1, None) == PageRequest()
    assert LinkHeaderPaginator().ask(2, "/x") == PageRequest(url="/x")
    assert LinkHeaderPaginator(param="p").ask(3, None) == PageRequest({"p": "3"}, slots={"page": 3}, under="p")
    assert (str(LinkHeaderPaginator()), str(LinkHeaderPaginator(param="p"))) == (
        'link (rel="next")',
        'link (rel="next", p of rel=last)',
    )
