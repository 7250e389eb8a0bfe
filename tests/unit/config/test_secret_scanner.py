"""Secrets in the clear are refused by name, by beginning and by look; what is no secret passes."""

from __future__ import annotations

import pytest

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.secret_scanner import looks_secret
from option_a.ingest.errors import ConfigError

SECRET = "q7Rz9KfW2mXc4VbN8sTd1Lg5"
FORMS = "env:NAME, file:PATH or aws-secret:NAME#key"


def declared(lines: str, url: str = "https://api.test/s") -> None:
    read_sources(f'[sources.s]\nurl = "{url}"\n{lines}\n', {})


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('headers = { Authorization = "Bearer abc" }', "headers.Authorization"),
        ('headers = { X-Api-Key = "abc" }', "headers.X-Api-Key"),
        (f'headers = {{ X-Thing = "{SECRET}" }}', "headers.X-Thing"),
        ('params = { api_key = "abc" }', "params.api_key"),
        ('params = { access_token = "abc" }', "params.access_token"),
        (f'params = {{ q = "{SECRET}" }}', "params.q"),
        ('method = "POST"\nbody = { auth = { password = "abc" } }', "body.auth.password"),
        (f'method = "POST"\nbody = {{ list = ["a", "{SECRET}"] }}', "body.list"),
        ('method = "POST"\nbody = { a = "env:KEY" }', "body.a"),
    ],
)
def test_a_secret_in_the_clear_is_refused_with_the_way_out_and_never_repeated(line: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        declared(line)
    assert f"`{place}" in str(caught.value)
    assert FORMS in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("query", ["api_key=abc123x", f"q={SECRET}", "page=1&token=abc123x"])
def test_a_secret_in_the_url_is_refused(query: str) -> None:
    with pytest.raises(ConfigError, match=r"in the url looks like a secret.*env:NAME") as caught:
        declared("", f"https://api.test/s?{query}")
    assert query.rpartition("=")[2] not in str(caught.value)


def test_one_in_the_endpoint_map_is_refused_as_well() -> None:
    with pytest.raises(ConfigError, match="looks like a secret"):
        read_sources(None, {"ENDPOINT_MAP": '{"api-a": "https://api.test/?api_key=abc"}'})


def test_a_reference_is_none() -> None:
    declared('headers = { Authorization = "env:KEY" }\nparams = { api_key = "file:/run/key", t = "aws-secret:a#b" }')


@pytest.mark.parametrize("line", ['headers = { X-Key = "env:" }', 'params = { key = "aws-secret:a b" }'])
def test_a_reference_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="not a secret reference"):
        declared(line)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "application/vnd.github.v3+json"),
        ("X-GitHub-Api-Version", "2022-11-28"),
        ("User-Agent", "our-nightly-loader/1.0 (data@example.com)"),
        ("dataset", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("fields", "id,created_at,updated_at,customer_id,total_amount_2"),
        ("expand", "line_items.product.category2.parent3.name4"),
        ("pageToken", "{cursor}"),
        ("page_token", "first"),
        ("next_token", ""),
        ("q", "select * from orders where day >= '2026-11-23T00:00:00Z'"),
        ("tokens", "3"),
        ("author", "anonymous"),
        ("sort", "aaaaaaaaaaaaaaaaaaaaaaaaaaa111"),
        ("id", "12345678901234567890123456789"),
        ("n", 5),
        ("token", True),
    ],
)
def test_what_is_none_passes(name: str, value: object) -> None:
    assert not looks_secret(name, value)


@pytest.mark.parametrize(
    "value",
    [
        "sk_live_51H8", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "AKIAIOSFODNN7EXAMPLE", "Bearer x", "Basic dTpw",
        "xoxb-17653672481-19874698323", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x",
        "9e107d9d372bb6826bd81d3542a419d6", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY12+9",
    ],
)  # fmt: skip
def test_what_looks_like_one_is_one_whatever_its_name(value: str) -> None:
    assert looks_secret("x", value)
