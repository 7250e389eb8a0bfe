"""sources.toml, USE_REAL_HTTP and ENDPOINT_MAP: what they declare, and what every mistake is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.read import Sources, read_sources
from option_a.ingest.config.source import DEFAULT_NAMES, Source, mock_source
from option_a.ingest.errors import ConfigError
from option_a.ingest.pagination import NextUrlPaginator, PageNumberPaginator

ORDERS = '[sources.orders]\nurl = "https://api.test/orders"\n'


def origins(text: str | None, **env: str) -> dict[str, str]:
    return {name: source.origin for name, source in read_sources(text, env).items()}


def mistake(text: str | None, **env: str) -> str:
    """What a mistake is told, whole."""
    with pytest.raises(ConfigError) as error:
        read_sources(text, env, "my.toml")
    return str(error.value)


def test_without_a_file_there_are_the_four_mock_sources() -> None:
    assert read_sources(None, {}) == {name: mock_source(name) for name in DEFAULT_NAMES}


def test_a_table_is_a_source() -> None:
    text = """
    [sources.orders]
    url = "https://api.test/orders"
    records = "result.items"
    date_param = "day"
    date_offset = -1
    since = 2026-01-01
    params = { status = "all", deep = true, limit = 5 }
    pagination = { style = "next_url", path = "links.next", stop = "missing" }
    columns = { id = "bigint" }
    patience = "90m"
    """
    source = read_sources(text, {})["orders"]
    assert source.query == {"status": "all", "deep": "true", "limit": "5"}
    assert source.pagination == NextUrlPaginator(path="links.next", stop="missing")
    assert (source.patience_seconds, source.origin, source.snapshot) == (5400.0, "real", False)


def test_a_source_needs_no_more_than_a_url() -> None:
    assert read_sources(ORDERS, {}) == {"orders": Source(name="orders", url="https://api.test/orders")}
    assert read_sources(ORDERS, {})["orders"].pagination == PageNumberPaginator()


def test_a_default_source_that_is_declared_without_a_url_stays_mock_and_keeps_its_keys() -> None:
    source = read_sources("[sources.api-a]\nparallel = 9\n", {})["api-a"]
    assert (source.origin, source.parallel, source.date_param) == ("mock", 9, "date")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('urll = "x"', "key `urll` is unknown; did you mean `url`? allowed: url, records, "),
        ("paralel = 2", "key `paralel` is unknown; did you mean `parallel`?"),
        ("zzz = 2", "key `zzz` is unknown; allowed: "),
        ('name = "x"', "key `name` is unknown; allowed: "),
        ('pagination = { style = "pages" }', "pagination.style `pages` is unknown; did you mean `page`? allowed: "),
        ('pagination = { style = "page", sise = 5 }', "pagination: key `sise` is unknown; did you mean `size`?"),
        ('pagination = { style = "next_url", param = "p" }', "pagination: key `param` is unknown; "),
        ('pagination = "page"', "`pagination` is a table with a `style` (for example pagination = { style"),
        ("pagination = { size = 5 }", "`pagination` is a table with a `style`"),
        ("pagination = { style = 5 }", "`pagination` is a table with a `style`"),
        ('pagination = { style = "page", size = 0 }', "`pagination.size`: Expected `int` >= 1"),
        ('pagination = { style = "page", stop = "never" }', "`pagination.stop`: Invalid value 'never'; valid "),
        ('pagination = { style = "page", stop = "short" }', '`pagination`: stop = "short" needs `size`'),
        ("parallel = 0", "`parallel`: Expected `int` >= 1"),
        ("parallel = 65", "`parallel`: Expected `int` <= 64"),
        ('parallel = "4"', "`parallel`: Expected `int`, got `str`"),
        ("timeout = 0", "`timeout`: Expected `float` > 0"),
        ("timeout = nan", "`timeout`: Expected `float` > 0"),
        ('patience = "6 hours"', "`patience`: '6 hours' is not a valid duration: write a number and s, m, h or d"),
        ("patience = 6", "`patience`: Expected `str`, got `int`"),
        ('method = "PUT"', "`method`: Invalid value 'PUT'; valid values are: GET, POST"),
        ('total = "roughly"', "`total`: Invalid value 'roughly'; valid values are: at_least, exact, ignore"),
        ('repeats = "never"', "`repeats`: Invalid value 'never'; valid values are: allow, error"),
        ('statuses = { "404" = "end" }', "Invalid value 'end'; valid values are: empty, permanent, transient"),
        ('window = { end = "open" }', "`window.end`: Invalid value 'open'; valid values are: exclusive, inclusive"),
        ('shape = "rows"', "`shape`: Invalid value 'rows'; valid values are: keyed, objects, values"),
        ('pagination = { style = "cursor", path = "a", stop = "total" }', "values are: empty, has_more, next_"),
        ("params = { a = [1] }", "`params`: Expected `bool | int | float | str`, got `array`"),
        ('columns = { id = "int" }', "`columns`: Invalid value 'int'; valid values are: bigint, boolean, "),
        ('since = "soon"', "`since`: "),
        ("since = 2026-01-01", "`since` needs `date_param`: a source without dates has no past"),
        ("date_offset = -1", "`date_offset` needs `date_param`"),
        ("date_offset = 999999999", "`date_offset`: Expected `int` <= 3660"),
        ('due = "99999999999999d"', "`due`: '99999999999999d' is longer than ten years"),
        ('date_param = "d"\nsince = 0001-01-01', "`since` is too early: write 0001-01-02 or a later"),
        ('errors = "never"', "`errors`: Invalid value 'never'; valid values are: allow, beside, error"),
        (
            'errors = "beside"\npagination = { style = "page", size = 9, stop = "short" }',
            'another pagination.stop than "short"',
        ),
        ('auth = { style = "x" }', "auth.style `x` is unknown; allowed: bearer, api_key, basic, oauth2"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_table_names_file_table_and_key(line: str, told: str) -> None:
    message = mistake(ORDERS + line)
    assert message.startswith("my.toml: [sources.orders]")
    assert told in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "my.toml: no sources (declare at least one: [sources.orders]"),
        ("sources = 5", "my.toml: no sources"),
        ("[sources]", "my.toml: no sources"),
        ("[sources", "my.toml: not TOML: "),
        ("x = " + "1" * 5_000, "my.toml: not TOML: "),
        ("x = " + "[" * 5_000, "my.toml: not TOML: "),
        ("[source.orders]", "my.toml: the file: key `source` is unknown; did you mean `sources`?"),
        ("[sources]\na = 5", "my.toml: [sources.a] is not a table (write [sources.a] on its own line"),
        ("[sources.Orders]", "my.toml: [sources.Orders]: a name has at most 63 characters of a-z"),
        ("[sources.orders]", "my.toml: [sources.orders]: `url` is missing (for example url ="),
        ("[sources.api-a]\nurl = ''", "my.toml: [sources.api-a]: `url` is missing"),
        ("[sources.a]\nurl = 5", "my.toml: [sources.a]: `url`: Expected `str`, got `int`"),
        (
            "[sources.raw]\nurl = 'https://x'",
            "my.toml: [sources.raw] and the view `raw` have the same name in SQL: raw",
        ),
        ("[sources.partitions]\nurl = 'https://x'", "the view `partitions` have the same name in SQL"),
        (
            "[sources.a-b]\nurl = 'https://x'\n[sources.a_b]\nurl = 'https://x'",
            "my.toml: [sources.a_b] and [sources.a-b] have the same name in SQL: a_b",
        ),
    ],
)
def test_a_mistake_in_the_file_names_it(text: str, told: str) -> None:
    assert told in mistake(text)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("api.test/orders", "it must begin with https:// or http:// and name a host"),
        ("ftp://api.test", "it must begin with https://"),
        ("https://", "name a host"),
        ("https://[x", "name a host"),
        ("https://api.test:99999/", "name a host"),
        ("https://api.test/a b", "is not a valid URL"),
        ("https://api.test/\u0000", "is not a valid URL"),
        ("https://user:secret@api.test/", "remove them: urls are logged"),
        ("https://user@api.test/", "remove them: urls are logged"),
        ("https://api.test/#top", "a fragment is never sent: remove it"),
    ],
)
def test_a_url_that_is_none_is_refused_and_no_secret_is_repeated(url: str, told: str) -> None:
    message = mistake(f"[sources.a]\nurl = {json.dumps(url)}")
    assert message.startswith("my.toml: [sources.a]: ")
    assert told in message
    assert "secret" not in message
    assert mistake(ORDERS, ENDPOINT_MAP=json.dumps({"orders": url})).startswith("ENDPOINT_MAP: orders: ")


@given(st.text(max_size=80) | st.text('[]sources.abc="{}\n0', max_size=60))
def test_no_text_whatever_raises_anything_but_a_config_error(text: str) -> None:
    try:
        told = "sources.toml: " if read_sources(text, {}) else ""
    except ConfigError as error:
        told = str(error)
    assert told.startswith("sources.toml: ")


A = "https://api.test/a"
MIXED = "[sources.api-a]\n" + ORDERS + "date_param = 'd'\nsince = 2026-01-01\nparallel = 9\n"
ALL = {name: f"https://api.test/{name}" for name in DEFAULT_NAMES}


@pytest.mark.parametrize("value", ["", " "])
def test_a_source_with_a_url_is_real_and_the_defaults_are_mock_until_told_otherwise(value: str) -> None:
    assert origins(MIXED) == origins(MIXED, USE_REAL_HTTP=value) == {"api-a": "mock", "orders": "real"}


@pytest.mark.parametrize("value", ["true", "TRUE", " 1 ", "yes"])
def test_true_forbids_mock(value: str) -> None:
    assert origins(ORDERS, USE_REAL_HTTP=value) == {"orders": "real"}
    assert "USE_REAL_HTTP=true, and source `api-a` has no url (name it in ENDPOINT_MAP" in mistake(
        MIXED, USE_REAL_HTTP=value
    )
    assert origins(None, USE_REAL_HTTP=value, ENDPOINT_MAP=json.dumps(ALL)) == dict.fromkeys(DEFAULT_NAMES, "real")


@pytest.mark.parametrize("value", ["false", "False", "0", "no"])
def test_false_forces_mock_and_keeps_the_dates(value: str) -> None:
    assert origins(MIXED, USE_REAL_HTTP=value) == {"api-a": "mock", "orders": "mock"}
    source = read_sources(MIXED, {"USE_REAL_HTTP": value, "ENDPOINT_MAP": json.dumps({"orders": A})})["orders"]
    assert (source.url, source.date_param, str(source.since)) == ("mock://orders", "d", "2026-01-01")
    dated = 'method = "POST"\nbody = { day = "{date}" }\n'
    for more, date_param in (("", None), (dated, "date")):
        forced = read_sources(f'[sources.s]\nurl = "https://api.test/s"\n{more}', {"USE_REAL_HTTP": value})["s"]
        assert (forced.url, forced.date_param) == ("mock://s", date_param)


def test_an_endpoint_map_gives_a_url_to_what_is_real() -> None:
    given: Sources = read_sources(None, {"USE_REAL_HTTP": "true", "ENDPOINT_MAP": json.dumps(ALL)})
    assert {name: source.url for name, source in given.items()} == ALL
    moved = read_sources(ORDERS + "parallel = 9", {"ENDPOINT_MAP": json.dumps({"orders": A})})["orders"]
    assert (moved.url, moved.parallel) == (A, 9)


def test_an_endpoint_map_alone_makes_no_mock_source_real() -> None:
    assert origins(None, ENDPOINT_MAP=json.dumps(ALL)) == dict.fromkeys(DEFAULT_NAMES, "mock")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"USE_REAL_HTTP": "maybe"}, "USE_REAL_HTTP is 'maybe' (write true or false)"),
        ({"ENDPOINT_MAP": "x"}, "ENDPOINT_MAP is not a JSON object of source to url: "),
        ({"ENDPOINT_MAP": '["a"]'}, "ENDPOINT_MAP is not a JSON object"),
        ({"ENDPOINT_MAP": '{"orders": 5}'}, "ENDPOINT_MAP is not a JSON object"),
        ({"ENDPOINT_MAP": '{"order": "https://x"}'}, "ENDPOINT_MAP: source `order` is unknown; did you mean `orders`?"),
        ({"ENDPOINT_MAP": '{"orders": "x"}'}, "ENDPOINT_MAP: orders: url 'x' is not a valid URL"),
    ],
)
def test_a_mistake_in_the_environment_names_its_variable_and_not_the_file(env: dict[str, str], told: str) -> None:
    assert mistake(ORDERS, **env).startswith(told)
