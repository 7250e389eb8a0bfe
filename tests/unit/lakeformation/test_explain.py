"""What a group sees, in words: over access.toml files made up at random, and one by one."""

from __future__ import annotations

import pytest
from hypothesis import given

from option_a.ingest.config.read import read_sources
from option_a.lakeformation.explain import explain, who
from option_a.lakeformation.groups import Account, Group, IdentityCenter, Principals, Saml, Who
from option_a.lakeformation.read import read_access
from tests.support.aws.access_cases import AccessCase, access_cases

SOURCES = read_sources(
    '[sources.a]\nurl = "https://x.example"\ncolumns = { id = "bigint", email = "string" }\n'
    '[sources.b]\nurl = "https://x.example"\n',
    {},
)


@given(access_cases())
def test_it_says_what_the_text_says(case: AccessCase) -> None:
    for name, group in case.read().items():
        lines = explain(group, case.sources)
        typed = {(one.source, column) for one in lines if one.seen for column in one.columns}
        whole = {one.source for one in lines if one.seen and one.table.endswith("_lines")}
        told = case.may_see(name)
        assert {pair for pair in told if case.columns[pair[0]]} == typed
        assert whole == ({source for source, _ in told} if not group.limited else set())
        hidden = {(one.source, column) for one in lines if one.seen for column in one.hidden}
        assert not hidden & told


def test_each_table_has_its_reason() -> None:
    groups = read_access('[groups.g]\nsources = ["a"]\nwithout = ["email"]\nrows = "id > 3"', SOURCES)
    lines = {one.table: one for one in explain(groups["g"], SOURCES)}
    assert lines.keys() == {"a", "a_lines", "b_lines"}
    assert (lines["a"].columns, lines["a"].hidden) == (["id", "ingestion_date"], ["email"])
    assert lines["a"].rows == "id > 3"
    assert lines["a"].why == "its `sources` name it, limited by `without` and `rows`"
    assert lines["a_lines"].why.endswith("a record is one text, of which no part can be hidden")
    assert lines["b_lines"].why == "the group's `sources` do not name it"
    assert [one.seen for one in lines.values()] == [False, True, False]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Account(), "whoever of the account is allowed, by IAM, to assume the group's role"),
        (Principals(("arn:aws:iam::123456789012:user/ana",)), "arn:aws:iam::123456789012:user/ana"),
        (IdentityCenter("Ana"), "whoever has the permission set Ana of IAM Identity Center"),
        (
            Saml("arn:aws:iam::123456789012:saml-provider/Okta", {"SAML:sub": "ana"}),
            "whoever signs in at arn:aws:iam::123456789012:saml-provider/Okta, SAML:sub = ana",
        ),
    ],
)
def test_who_may_be_of_it_is_told(rule: Who, told: str) -> None:
    assert who(Group(name="g", sources="*", who=rule)) == told
