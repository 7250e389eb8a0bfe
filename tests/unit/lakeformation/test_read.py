"""access.toml: what it may say, and how a mistake is told."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from option_a.constructs import projection
from option_a.ingest.config.read import read_sources
from option_a.ingest.decode.columns import columns_as_toml, infer_columns
from option_a.ingest.errors import ConfigError
from option_a.ingest.http.mock import mock_body
from option_a.lakeformation.groups import Account, Group, IdentityCenter, Principals, Saml
from option_a.lakeformation.read import read_access
from option_a.lakeformation.tables import columns_of

ROOT = Path(__file__).parents[3]

SOURCES = read_sources(
    """
    [sources.orders]
    url = "https://x.example"
    columns = { id = "bigint", Email = "string", "user.name" = "string" }
    [sources.plain]
    url = "https://x.example"
    [sources.people]
    url = "https://x.example"
    columns = { name = "string" }
    """,
    {},
)
ARN = "arn:aws:iam::123456789012:role/team/Ana"
PROVIDER = "arn:aws:iam::123456789012:saml-provider/Okta"


def one(text: str) -> Group:
    (group,) = read_access(f"[groups.team]\n{text}", SOURCES).values()
    return group


def test_where_there_is_no_file_there_are_two_groups() -> None:
    defaults = read_access(None, read_sources(None, {}))
    assert defaults == {
        "analysts-all": Group(name="analysts-all", sources="*"),
        "analysts-limited": Group(name="analysts-limited", sources=("api-a", "api-b")),
    }


def test_the_second_of_them_sees_the_first_source_where_there_is_no_api_a() -> None:
    assert read_access(None, SOURCES)["analysts-limited"].sources == ("orders",)


def test_everything_that_may_be_said() -> None:
    text = (
        'sources = ["orders"]\nwithout = ["Email"]\nrows = "id > 3"\nwho = { style = "principals", arns = ["'
        + ARN
        + '"] }'
    )
    assert one(text) == Group(
        name="team", sources=("orders",), without=("Email",), rows="id > 3", who=Principals((ARN,))
    )


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("", Account()),
        ('who = { style = "account" }', Account()),
        ('who = { style = "identity_center", permission_set = "Ana" }', IdentityCenter("Ana")),
        (f'who = {{ style = "saml", provider = "{PROVIDER}" }}', Saml(PROVIDER)),
        (
            f'who = {{ style = "saml", provider = "{PROVIDER}", attributes = {{ "SAML:sub" = "ana" }} }}',
            Saml(PROVIDER, {"SAML:sub": "ana"}),
        ),
    ],
)
def test_who_may_be_of_it(text: str, who: object) -> None:
    assert one(f'sources = "*"\n{text}').who == who


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = ", "access.toml: not TOML"),
        ("[group.x]\n", "access.toml: the file: key `group` is unknown; did you mean `groups`?"),
        ("", "access.toml: no groups (declare at least one"),
        ("[groups]\nteam = 3", "access.toml: [groups.team] is not a table"),
        ("[groups.Team]\nsources = []", "[groups.Team]: the name may hold a-z"),
        ("[groups.team]\n", "[groups.team]: `sources` is missing or not a list"),
        ('[groups.team]\nsources = "orders"', "[groups.team]: `sources` is missing or not a list"),
        ("[groups.team]\nsources = []", "[groups.team]: `sources` is empty"),
        ("[groups.team]\nsources = [3]", "[groups.team]: `sources[0]`: Expected `str`, got `int`"),
        ('[groups.team]\nsources = ["ordres"]', "source `ordres` is unknown; did you mean `orders`?"),
        ('[groups.team]\nsource = ["orders"]', "key `source` is unknown; did you mean `sources`?"),
        (
            '[groups.team]\nsources = ["plain"]\nwithout = ["id"]',
            "limits columns or rows, and source `plain` declares no `columns`: its records are one text, of which no "
            "part can be hidden (option-a preview plain --columns prints the line for sources.toml)",
        ),
        ('[groups.team]\nsources = ["orders"]\ncolumns = []', "[groups.team]: `columns` is empty"),
        ('[groups.team]\nsources = ["orders"]\nwithout = []', "[groups.team]: `without` is empty"),
        ('[groups.team]\nsources = "*"\nrows = "id = 3"', "source `plain` declares no `columns`"),
        ('[groups.team]\nsources = ["orders"]\nwithout = ["emial"]', "`emial` is unknown; did you mean `email`?"),
        ('[groups.team]\nsources = ["orders"]\ncolumns = ["nmae"]', "column `nmae` is unknown"),
        ('[groups.team]\nsources = ["orders"]\ncolumns = ["id"]\nwithout = ["id"]', "are mutually exclusive"),
        ('[groups.team]\nsources = ["people"]\nwithout = ["name"]', "would see no column of source `people`"),
        ('[groups.team]\nsources = ["orders", "people"]\ncolumns = ["id"]', "would see no column of source `people`"),
        ('[groups.team]\nsources = ["people"]\nwithout = ["ingestion_date"]', "no query can do without"),
        ('[groups.team]\nsources = ["orders"]\nrows = " "', "`rows` is empty"),
        ('[groups.team]\nsources = ["orders"]\nrows = "id = \'x\'"', "`rows`, over source `orders`: where `'x'` is"),
        ('[groups.team]\nsources = ["orders", "people"]\nrows = "id = 3"', "`rows`, over source `people`: `id` is no"),
        ('[groups.team]\nsources = "*"\nwho = "Ana"', "`who` is a table with a `style`"),
        ('[groups.team]\nsources = "*"\nwho = { style = "okta" }', "who.style `okta` is unknown; allowed: account, "),
        ('[groups.team]\nsources = "*"\nwho = { style = "saml", url = "x" }', "who: key `url` is unknown"),
        ('[groups.team]\nsources = "*"\nwho = { style = "principals", arns = [] }', "`arns` is empty"),
        ('[groups.team]\nsources = "*"\nwho = { style = "principals", arns = ["ana"] }', "'ana' is not the ARN"),
        ('[groups.team]\nsources = "*"\nwho = { style = "principals", arns = ["*"] }', "'*' is not the ARN of a user"),
        ('[groups.team]\nsources = "*"\nwho = { style = "identity_center", permission_set = "a*" }', "'a*' is not"),
        ('[groups.team]\nsources = "*"\nwho = { style = "saml", provider = "Okta" }', "'Okta' is not the ARN"),
        (
            '[groups.team]\nsources = "*"\n'
            f'who = {{ style = "saml", provider = "{PROVIDER}", attributes = {{ "SAML:aud" = "x" }} }}',
            "'SAML:aud' is not an attribute that a role can require",
        ),
        (
            '[groups.a-1b]\nsources = "*"\n[groups.a1b]\nsources = "*"',
            "[groups.a1b] and [groups.a-1b] would be one name in CloudFormation",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_way_out(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_access(text, SOURCES)
    assert told in str(refused.value)
    assert str(refused.value).startswith("access.toml: ")


def test_columns_may_be_named_as_records_or_as_athena_spells_them() -> None:
    for spelled in ("user.name", "user_name", "USER.NAME"):
        assert one(f'sources = ["orders"]\nwithout = ["{spelled}"]').limited


def test_the_partition_key_is_the_tables() -> None:
    assert list(columns_of(SOURCES["plain"])) == [projection.KEY]


def test_the_file_of_the_repository_says_what_the_defaults_are() -> None:
    sources = read_sources(None, {})
    assert read_access((ROOT / "access.toml").read_text("utf-8"), sources) == read_access(None, sources)


def test_its_commented_lines_hold_once_columns_are_declared() -> None:
    text = re.sub(r"^# (without|rows) ", r"\1 ", (ROOT / "access.toml").read_text("utf-8"), flags=re.MULTILINE)
    columns = columns_as_toml(infer_columns(msgspec.json.decode(mock_body("api-a", "2026-11-23", "1"))["data"]))
    sources = read_sources(f"[sources.api-a]\n{columns}\n[sources.api-b]\n{columns}\n", {})
    group = read_access(text, sources)["analysts-limited"]
    assert (group.without, group.rows) == (("customer", "coupon"), "status <> 'cancelled'")


def test_the_example_of_the_document_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "access.md").read_text("utf-8"), re.DOTALL)
    columns = '{ id = "bigint", email = "string", phone = "string", status = "string", amount = "double" }'
    text = "".join(
        f'[sources.{name}]\nurl = "https://x.example"\ncolumns = {columns}\n' for name in ("orders", "refunds")
    )
    groups = read_access(example, read_sources(text, {}))
    assert list(groups) == ["finance", "operations"]


def test_every_key_has_its_row_in_the_document() -> None:
    rows = set(re.findall(r"^\| `([a-z]+)` \|", (ROOT / "docs" / "access.md").read_text("utf-8"), re.MULTILINE))
    assert {field for field in Group.__struct_fields__ if field != "name"} <= rows
