"""sources.toml, USE_REAL_HTTP and ENDPOINT_MAP to sources. Pure; a mistake names file, table, key and the way out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from option_a.ingest.config.auth import ApiKey, Basic, Bearer, OAuth2
from option_a.ingest.config.messages import check_keys, explain_validation, unknown_key
from option_a.ingest.config.secret_scanner import looks_secret
from option_a.ingest.config.source import DEFAULT_NAMES, MOCK, NAME, Source, mock_source
from option_a.ingest.config.window import Window
from option_a.ingest.decode import Fields
from option_a.ingest.errors import ConfigError, Where
from option_a.ingest.jsontext import UNDECODABLE
from option_a.ingest.pagination import (
    CursorPaginator,
    LinkHeaderPaginator,
    NextUrlPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

Sources = dict[str, Source]
STYLES: dict[str, dict[str, type[msgspec.Struct]]] = {
    "pagination": {
        "page": PageNumberPaginator,
        "offset": OffsetPaginator,
        "cursor": CursorPaginator,
        "next_url": NextUrlPaginator,
        "link": LinkHeaderPaginator,
        "none": SinglePagePaginator,
    },
    "auth": {"bearer": Bearer, "api_key": ApiKey, "basic": Basic, "oauth2": OAuth2},
}
_EXAMPLES = {
    "pagination": 'pagination = { style = "page", total_pages = "total_pages" }',
    "auth": 'auth = { style = "bearer", token = "env:ORDERS_TOKEN" }',
}


def read_sources(text: str | None, env: Mapping[str, str], file: str = "sources.toml") -> Sources:
    """The sources that a file (None: there is none) and the environment declare. Raises ConfigError."""
    try:
        declared = {name: mock_source(name) for name in DEFAULT_NAMES} if text is None else _parse(text)
    except ConfigError as error:
        raise error.at(Where(file=file)) from None
    return _settle(declared, _flag(env.get("USE_REAL_HTTP")), _endpoints(env.get("ENDPOINT_MAP")))


def forces_mock(env: Mapping[str, str]) -> bool:
    """Whether mock data is asked for. Raises ConfigError."""
    return _flag(env.get("USE_REAL_HTTP")) is False


def _parse(text: str) -> Sources:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not TOML: {error}") from None
    check_keys("the file", document, ["sources"])
    tables = document.get("sources")
    if not isinstance(tables, dict) or not tables:
        raise ConfigError("no sources", hint='declare at least one: [sources.orders] and url = "https://…"')
    sources = {name: _source(name, table) for name, table in tables.items()}
    _distinct_views(sources)
    return sources


def _source(name: str, table: Any) -> Source:
    place = f"[sources.{name}]"
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{place}: a name has at most 63 characters of a-z, 0-9, - and _, and begins with a letter or digit"
        )
    if not isinstance(table, dict):
        raise ConfigError(f"{place} is not a table", hint=f"write {place} on its own line, with its keys below")
    check_keys(place, table, [field for field in Source.__struct_fields__ if field != "name"])
    for key in STYLES:
        _check_styled(place, key, table.get(key))
    if isinstance(table.get("fields"), dict):
        check_keys(f"{place} fields", table["fields"], Fields.__struct_fields__)
    if isinstance(table.get("window"), dict):
        check_keys(f"{place} window", table["window"], Window.__struct_encode_fields__)
    if name in DEFAULT_NAMES and "url" not in table:
        table = {"url": MOCK + name, **({} if "window" in table else {"date_param": "date"}), **table}
    elif not table.get("url"):
        raise ConfigError(f"{place}: `url` is missing", hint='for example url = "https://api.example.com/v1/orders"')
    try:
        source = msgspec.convert({**table, "name": name}, Source)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {explain_validation(error, table, Source)}") from None
    _check_url(place, source.url)
    return source


def _check_styled(place: str, key: str, table: Any) -> None:
    """A table that has a `style`: which style, and which keys that one has."""
    if table is None:
        return
    if not isinstance(table, dict) or not isinstance(table.get("style"), str):
        raise ConfigError(f"{place}: `{key}` is a table with a `style`", hint=f"for example {_EXAMPLES[key]}")
    if table["style"] not in STYLES[key]:
        raise ConfigError(f"{place}: {key}.style {unknown_key(table['style'], STYLES[key])}")
    check_keys(f"{place} {key}", table, ["style", *STYLES[key][table["style"]].__struct_fields__])


def _check_url(place: str, url: str) -> None:
    if url.startswith(MOCK):
        return
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or not url.isprintable() or " " in url:
        raise ConfigError(
            f"{place}: url {url!r} is not a valid URL", hint="it must begin with https:// or http:// and name a host"
        )
    if parts.username or parts.password:
        raise ConfigError(f"{place}: the url contains a user or a password", hint="remove them: urls are logged")
    for name, value in parse_qsl(parts.query):
        if looks_secret(name, value):
            hint = f'take it out and name it: auth = {{ style = "api_key", param = "{name}", key = "env:NAME" }}'
            raise ConfigError(f"{place}: `{name}` in the url looks like a secret, and urls are logged", hint=hint)
    if parts.fragment:
        raise ConfigError(f"{place}: the url ends in #{parts.fragment}", hint="a fragment is never sent: remove it")


def _distinct_views(sources: Sources) -> None:
    views: dict[str, str] = {"raw": "the view `raw`", "partitions": "the view `partitions`"}
    for source in sources.values():
        if source.view in views:
            raise ConfigError(
                f"[sources.{source.name}] and {views[source.view]} have the same name in SQL: {source.view}"
            )
        views[source.view] = f"[sources.{source.name}]"


def _flag(value: str | None) -> bool | None:
    if value is None or not value.strip():
        return None
    if value.strip().lower() in ("true", "1", "yes"):
        return True
    if value.strip().lower() in ("false", "0", "no"):
        return False
    raise ConfigError(f"USE_REAL_HTTP is {value!r}", hint="write true or false")


def _endpoints(value: str | None) -> dict[str, str]:
    if value is None or not value.strip():
        return {}
    try:
        return msgspec.json.decode(value, type=dict[str, str])
    except UNDECODABLE as error:
        hint = """write a JSON object: ENDPOINT_MAP='{"api-a": "https://api.example.com/a"}'"""
        raise ConfigError(f"ENDPOINT_MAP is not a JSON object of source to url: {error}", hint=hint) from None


def _settle(declared: Sources, real: bool | None, endpoints: Mapping[str, str]) -> Sources:
    """Which of the sources are mock and which are real: a source with a url is real, unless USE_REAL_HTTP=false."""
    for name, url in endpoints.items():
        if name not in declared:
            raise ConfigError(f"ENDPOINT_MAP: source {unknown_key(name, declared)}")
        _check_url(f"ENDPOINT_MAP: {name}", url)
    if real is False:
        return {name: source if source.origin == "mock" else _as_mock(source) for name, source in declared.items()}
    return {name: _one(source, real, endpoints.get(name)) for name, source in declared.items()}


def _one(source: Source, real: bool | None, url: str | None) -> Source:
    if url is not None and (real or source.origin == "real"):
        return msgspec.structs.replace(source, url=url)
    if real and source.origin == "mock":
        raise ConfigError(
            f"USE_REAL_HTTP=true, and source `{source.name}` has no url",
            hint=f"name it in ENDPOINT_MAP or in sources.toml ([sources.{source.name}] url = …), or leave it out",
        )
    return source


def _as_mock(source: Source) -> Source:
    forced = mock_source(source.name)
    date = None if source.snapshot else source.date_param or "date"
    return msgspec.structs.replace(forced, date_param=date, date_offset=source.date_offset, since=source.since)
