"""What synthesis refuses of the sources: it would fail on AWS, where nobody is looking."""

from __future__ import annotations

import pytest

from option_a.constructs import checks
from option_a.constructs.source_groups import GROUPS, MOST_IN_GROUP, spread
from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from option_a.ingest.errors import ConfigError

URL = 'url = "https://api.example.com"'


def sources(text: str) -> list[Source]:
    return list(read_sources(text, {}).values())


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        checks.check(sources(text))
    return str(refused.value)


def test_what_works_passes() -> None:
    text = f'[sources.orders]\n{URL}\ntimeout = 400\nauth = {{ style = "bearer", token = "aws-secret:orders#token" }}'
    checks.check(sources(text))


@pytest.mark.parametrize("url", ["http://localhost:8001/x", "http://127.0.0.1/x", "http://[::1]/x"])
def test_an_api_on_this_machine_is_refused(url: str) -> None:
    assert refusal(f'[sources.orders]\nurl = "{url}"').startswith(f"[sources.orders]: {url} is this machine")
    checks.check(sources(f'[sources.orders]\nurl = "{url}"\nallow_private = true'))


@pytest.mark.parametrize("path", ["/etc/ssl/internal.pem", "../internal.pem", "certs/../../internal.pem"])
def test_a_ca_bundle_that_is_not_beside_the_sources_is_refused(path: str) -> None:
    assert "not below the folder of sources.toml" in refusal(f'[sources.orders]\n{URL}\nca_bundle = "{path}"')
    checks.check(sources(f'[sources.orders]\n{URL}\nca_bundle = "certs/internal.pem"'))


@pytest.mark.parametrize("reference", ["env:ORDERS_TOKEN", "file:/run/token"])
def test_a_secret_of_one_machine_is_refused(reference: str) -> None:
    told = refusal(f'[sources.orders]\n{URL}\nauth = {{ style = "bearer", token = "{reference}" }}')
    assert told == (
        f"[sources.orders] auth: {reference} exists on your machine only "
        "(put it into AWS Secrets Manager and write aws-secret:NAME#key)"
    )


@pytest.mark.parametrize("name", ["*", "team/*", "a?", "${AWS::Region}", "arn:aws:secretsmanager:eu-west-1:1:secret:a"])
def test_a_secret_that_is_no_name_is_refused(name: str) -> None:
    told = refusal(f'[sources.orders]\n{URL}\nauth = {{ style = "bearer", token = "aws-secret:{name}#key" }}')
    assert told.startswith(f"[sources.orders] auth: {name!r} is not a valid secret name")


def test_a_timeout_that_leaves_a_lambda_no_time_is_refused() -> None:
    told = refusal(f"[sources.orders]\n{URL}\ntimeout = 401")
    assert told.startswith("[sources.orders]: `timeout` is 401 s")
    assert "write 400 or less" in told


def test_two_sources_with_one_table_are_refused() -> None:
    told = refusal(f'[sources.x]\n{URL}\n[sources.x_lines]\n{URL}\ncolumns = {{ id = "bigint" }}')
    assert told == "[sources.x_lines] and [sources.x] would share a table in Athena, x_lines (rename one of them)"


def test_without_columns_they_have_none_in_common() -> None:
    checks.check(sources(f"[sources.x]\n{URL}\n[sources.x_lines]\n{URL}"))


def test_a_table_of_the_crawlers_name_is_refused() -> None:
    assert "crawled_x_lines" in refusal(f"[sources.crawled-x]\n{URL}")


def test_more_secrets_than_a_role_may_hold_are_refused() -> None:
    one = '[sources.s{0}]\n{1}\nauth = {{ style = "bearer", token = "aws-secret:{2}" }}\n'
    each = "".join(one.format(number, URL, f"a-secret-of-its-own-{number:03d}#token") for number in range(100))
    assert refusal(each).startswith("the sources name 100 secrets")
    shared = "".join(one.format(number, URL, f"one-for-all#{number}") for number in range(100))
    checks.check(sources(shared))


def test_reserving_less_than_the_caps_need_is_refused() -> None:
    text = f"[sources.a]\n{URL}\nconcurrency = 5\n[sources.b]\n{URL}\n"
    told = r"-c reservedConcurrency=6 is less than the sum of the sources' `concurrency`, 7: .*give 7 or more"
    with pytest.raises(ConfigError, match=told):
        checks.check_reserved(sources(text), 6)
    checks.check_reserved(sources(text), 7)
    checks.check_reserved(sources(text), None)


def test_the_deployers_environment_is_passed_on_where_it_is_set() -> None:
    assert checks.function_environment({"USE_REAL_HTTP": " ", "HOME": "/x"}) == {}
    given = {"USE_REAL_HTTP": "true", "ENDPOINT_MAP": '{"api-a": "https://x.example"}'}
    assert checks.function_environment({**given, "AWS_SECRET_ACCESS_KEY": "x"}) == given


def test_an_endpoint_map_that_no_lambda_would_take_is_refused() -> None:
    checks.function_environment({"ENDPOINT_MAP": "x" * 3_000})
    with pytest.raises(ConfigError, match=r"ENDPOINT_MAP has 3001 bytes, .*put the urls into sources\.toml"):
        checks.function_environment({"ENDPOINT_MAP": "x" * 2_999 + "é"})


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ('Id = "bigint", ID = "string"', "`Id` and `ID` are the same column in Athena, id"),
        ('"a.b" = "json", a_b = "json"', "`a.b` and `a_b` are the same column in Athena, a_b"),
        ('ingestion_date = "date"', "`ingestion_date` is the name of the partition in Athena"),
    ],
)
def test_columns_that_would_be_one_are_refused(columns: str, told: str) -> None:
    (source,) = sources(f"[sources.orders]\n{URL}\ncolumns = {{ {columns} }}")
    with pytest.raises(ConfigError) as refused:
        checks.check([source])
    assert str(refused.value).startswith(f"[sources.orders] columns: {told}")


def named(count: int) -> list[Source]:
    return [Source(name=f"source-{number:04d}", url="https://x.example") for number in range(count)]


def test_up_to_fifty_sources_are_in_the_root() -> None:
    assert list(spread(named(50), nested=False)) == [""]
    assert "" not in spread(named(51), nested=False)
    assert "" not in spread(named(1), nested=True)


def test_a_source_that_comes_or_goes_moves_no_other() -> None:
    before, after = spread(named(400), nested=False), spread(named(401)[1:], nested=False)
    kept = {source.name for source in named(400)[1:]}
    places = [
        {one.name: name for name, group in s.items() for one in group if one.name in kept} for s in (before, after)
    ]
    assert places[0] == places[1]


def test_a_group_is_never_too_large() -> None:
    assert len(spread(named(400), nested=False)) == GROUPS
    assert max(map(len, spread(named(400), nested=False).values())) <= MOST_IN_GROUP
    with pytest.raises(ConfigError, match=r"2000 sources are too many for one stack: .*-c stack=NAME"):
        spread(named(2_000), nested=False)
