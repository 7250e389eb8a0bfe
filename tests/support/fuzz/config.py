"""Fuzz targets for what users write: sources.toml, access.toml, row filters, environment variables."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from option_a.ingest.errors import ConfigError
from option_a.ingest.http.request import build_request
from option_a.ingest.http.urls import with_params
from option_a.ingest.partition import Partition
from option_a.ingest.plan.freshness import expected_partitions
from option_a.ingest.task import Task
from option_a.lakeformation.grants import group_permissions
from option_a.lakeformation.read import read_access
from option_a.lakeformation.row_filter import check_rows
from tests.support.clock import NOW
from tests.support.fuzz.checks import check_keys, expecting
from tests.support.fuzz.engine import Target
from tests.support.pipeline import DATE, RUN, source

SEED = b"""
[sources.orders]
url = "https://api.test/v1/orders?x=1"
records = "result.items"
date_param = "date"
date_offset = -1
lookback = 3
since = 2023-01-01
params = { status = "open", n = 1, all = true, f = 1.5 }
headers = { X-Tenant = "t", X-Key = "env:KEY" }
parallel = 8
timeout = 30
patience = "90m"
due = "4h"
rate = "10/s"
statuses = { 404 = "empty", 4xx = "permanent" }
columns = { id = "bigint", amount = "double", at = "timestamp" }
fields = { drop = ["phone"], hash = ["mail"], rename = { id = "order_id" }, salt = "env:SALT" }
pagination = { style = "page", total_pages = "meta.pages", size = 100, size_param = "per_page" }
auth = { style = "bearer", token = "env:TOKEN" }

[sources.b-2]
url = "http://127.0.0.1:8080/b"
method = "POST"
body = { day = "{date}", at = { cursor = "{cursor}" }, list = ["{from}", "{to}"] }
window = { zone = "Europe/Warsaw", end = "inclusive", format = "%Y-%m-%dT%H:%M:%S" }
pagination = { style = "cursor", path = "next", has_more = "more" }
auth = { style = "basic", username = "u", password = "file:/run/p" }

[sources.c]
url = "https://api.test/c"
format = "csv"
delimiter = ";"
window = { from = "since", to = "until", format = "unix_ms" }
pagination = { style = "link" }
auth = { style = "api_key", key = "aws-secret:n#k", param = "key" }
"""
SEEDS = [
    SEED, SEED[: SEED.index(b"[sources.b-2]")], SEED[SEED.index(b"[sources.b-2]") :], b"",
    b'[sources.k]\nurl = "https://a.test/"\nshape = "keyed"\nrecords = "@"\nkey_field = "k"\ndate_format = "%d.%m.%Y"\n'
    b'date_param = "d"\npagination = { style = "offset", size = 2, total_records = "n" }\n',
    b'[sources.api-a]\nwindow = { from = "f", to = "t", zone = "America/New_York" }\n[sources.n]\nurl = "https://a.test/n"\n'
    b'pagination = { style = "next_url", path = "links.next", stop = "next_missing" }\n',
]  # fmt: skip
VALUES = [json.dumps(tomllib.loads(seed.decode()).get("sources", {}), default=str).encode() for seed in SEEDS]
WORDS = [
    b'"""', b"'''", b"[[", b"]]", b"[sources.", b"\n", b" = ", b"0001-01-01", b"9999-12-31", b"2023-11-01T00:00:00Z",
    b"inf",
    b"nan", b"1e9", b"-5", b"99999999999999999999", b'"{date}"', b'"{x}"', b'"%"', b'"%s"', b'"%-"', b'"\\u0000%Y"',
    b'"%Ey"',
    b'"UTC"', b'"../../etc/passwd"', b'"Europe"', b'"env:"', b'"file:a b"', b'"1h"', b'"1/h"', b'"\xd9\xa1h"',
    b"sources",
    b"url", b'"mock://x"', b'"https://u:p@h/"', b'"http://["', b'"https://h:99999/"', b'"https://h/#f"', b"pagination",
    b"style",
    b'"\\ud800"', b'"\\U0010FFFF"', b"body", b"headers", b'"header:X"',
]  # fmt: skip


def sources(data: bytes) -> bool:
    """A file yields sources that can be planned, fingerprinted and requested, or a ConfigError."""
    with expecting(ConfigError):
        for declared in read_sources(data.decode(errors="replace"), {}).values():
            _check(declared)
        return True
    return False


def values(data: bytes) -> bool:
    """The same for tables given as JSON, whose values are mutated and written as TOML."""
    try:
        table = json.loads(data)
        text = "".join(f"[sources.{_toml(name)}]\n{_lines(keys)}" for name, keys in table.items())
    except (ValueError, RecursionError, AttributeError):
        return False
    return sources(text.encode("utf-8", "replace"))


def _lines(keys: dict[str, Any]) -> str:
    return "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in keys.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, float) else json.dumps(value)


def environment(data: bytes) -> bool:
    """USE_REAL_HTTP and ENDPOINT_MAP, separated by a bar."""
    real, _, endpoints = data.decode(errors="surrogateescape").partition("|")
    with expecting(ConfigError):
        for declared in read_sources(None, {"USE_REAL_HTTP": real, "ENDPOINT_MAP": endpoints}).values():
            _check(declared)
        return True
    return False


def _check(declared: Source) -> None:
    assert len(declared.fingerprint) == 12
    check_keys(Partition(declared.name, DATE), RUN)
    assert declared.view.replace("_", "a").isalnum()
    request = build_request(declared, Task(declared.name, DATE, RUN), 1, None)
    assert with_params(request.url, request.params)
    assert declared.patience_seconds >= 0.0 <= declared.interval
    assert len(list(expected_partitions([declared], NOW))) <= 1


COLUMNS = {"id": "bigint", "status": "string", "paid": "boolean", "amount": "double"}
KNOWN = {
    "api-a": source(name="api-a", columns=COLUMNS), "api-b": source(name="api-b"),
    "orders": source(name="orders", columns=COLUMNS),
}  # fmt: skip
ACCESS = b"""
[groups.analysts]
sources = ["api-a", "orders"]
columns = ["id", "status"]
rows = "status = 'paid' AND id > 5"
who = { style = "account" }

[groups.all]
sources = "*"

[groups.limited]
sources = ["orders"]
without = ["amount"]
who = { style = "principals", arns = ["arn:aws:iam::123456789012:role/analysts"] }

[groups.people]
sources = ["api-b"]
who = { style = "identity_center", permission_set = "Analysts" }
"""
ROWS = [
    b"id = 5", b"status = 'paid' AND (id > 5 OR NOT paid = true)", b"status IN ('a', 'b''c') AND id BETWEEN 1 AND 5.5",
    b"status NOT LIKE 'a%' OR paid IS NOT NULL", b'"status" <> \'\'', b"ingestion_date >= '2023-11-01'",
]  # fmt: skip
ROW_WORDS = [
    b" AND ", b" OR ", b" NOT ", b"(", b")", b"'", b"''", b'"', b"--", b"/*", b";", b" IN (", b"LIKE", b"BETWEEN",
    b"NULL", b"IS",
    b"TRUE", b"id", b"status", b"ingestion_date", b"NOT " * 500, b"(" * 500, b"1.", b"'\\''", b"UNION SELECT",
]  # fmt: skip


def access(data: bytes) -> bool:
    """A file yields groups whose grants can be listed, or a ConfigError."""
    with expecting(ConfigError):
        groups = read_access(data.decode(errors="replace"), KNOWN)
        for group in groups.values():
            assert group_permissions(group, KNOWN)
        return True
    return False


def rows(data: bytes) -> bool:
    """A row filter uses declared columns in a single expression, or is rejected."""
    text = data.decode(errors="replace")
    with expecting(ValueError):
        named = check_rows(text, {**KNOWN["orders"].columns, "ingestion_date": "string"})
        assert named
        outside = "".join(text.split("'")[::2])  # quoted text is data
        assert not set(outside) & set(";`\\{}[]#"), text
        assert "--" not in outside.replace("- -", "")
        return True
    return False


TARGETS = [
    Target("sources.toml", SEEDS, sources, 0.5, WORDS),
    Target("sources.toml by its values", VALUES, values, 0.5),
    Target(
        "environment",
        [b'true|{"api-a":"https://a.test/a","api-b":"https://a.test/b","api-c":"https://c","api-d":"http://d"}',
         b'|{"api-a":"https://a.test/?q=1"}', b"false|", b"no|{}", b"1|[]"],
        environment,
        words=WORDS,
    ),
    Target("access.toml", [ACCESS, ACCESS[: ACCESS.index(b"[groups.all]")]], access, 0.5, [*WORDS, *ROW_WORDS]),
    Target("row filters", ROWS, rows, 2.0, ROW_WORDS),
]  # fmt: skip
