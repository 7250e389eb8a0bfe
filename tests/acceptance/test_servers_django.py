"""Against Django REST framework, which we did not write: its three paginations and its tokens."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.command import Place
from tests.support.apis.third_party_servers import SERVERS, free_port, running_server

DAYS = {"2026-11-01": 437, "2026-11-02": 100, "2026-11-03": 0, "2026-11-04": 1}
DAY = "2026-11-01"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
WAYS: dict[str, tuple[str, ...]] = {
    "number, by the total": ("number", '{ style = "page", size = 50, total_records = "count" }'),
    "number, by short pages, 404 past the end": (
        "number", '{ style = "page", size = 100, size_param = "page_size", stop = "short" }',
        'statuses = { "404" = "empty" }',
    ),
    "number, by next": ("number", '{ style = "next_url", total_records = "count" }'),
    "offset, by the total": ("offset", '{ style = "offset", size = 70, total_records = "count" }'),
    "offset, until it is empty": ("offset", '{ style = "offset", size = 70 }'),
    "offset, by next": ("offset", '{ style = "next_url", total_records = "count" }'),
    "cursor": ("cursor", '{ style = "next_url" }'),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("django")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """The API, running."""
    pytest.importorskip("rest_framework", reason="pip install djangorestframework, which requirements-dev.txt pins")
    port, days = free_port(), [f"{day}={count}" for day, count in DAYS.items()]
    with running_server([sys.executable, SERVERS / "django_api.py", port, *days], folder, port) as address:
        yield address


@pytest.fixture(scope="module")
def published(url: str, folder: Path) -> dict[str, list[dict[str, object]]]:
    """What the database holds, read past Django: day to records, as the serializer writes them."""
    with closing(sqlite3.connect(folder / "shop.sqlite")) as database:
        rows = database.execute("SELECT id, day, printf('%.2f', price), note FROM shop_order ORDER BY id").fetchall()
    records = [dict(zip(("id", "day", "price", "note"), row, strict=True)) for row in rows]
    return {day: [record for record in records if record["day"] == day] for day in DAYS}


def table(url: str, path: str, pagination: str, *more: str) -> str:
    return f'[sources.orders]\nurl = "{url}/{path}"\ndate_param = "day"\npagination = {pagination}\n{"".join(more)}\n'


@pytest.mark.parametrize("way", WAYS)
def test_every_record_of_every_day_lands_once_and_in_order(
    way: str, url: str, published: dict[str, list[dict[str, object]]], option_a: Place
) -> None:
    option_a.declare(table(url, *WAYS[way]))
    done = option_a("backfill", "--from", min(DAYS), "--to", max(DAYS))
    assert done.code == 0, done.err
    for day, records in published.items():
        assert [json.loads(line) for line in option_a.lines("orders", day)] == records
    assert option_a("verify").code == 0


def test_a_page_size_that_is_capped_in_silence_is_an_error_and_doctor_says_so(url: str, option_a: Place) -> None:
    capped = '{ style = "page", size = 500, size_param = "page_size", total_records = "count" }'
    option_a.declare(table(url, "number", capped))
    done = option_a("run", "--date", DAY)
    assert (done.code, "100 records landed, the API declares 437" in done.err) == (1, True), done.err
    said = option_a("doctor", "orders", "--date", DAY)
    assert (said.code, "`count` says 437 records" in said.out) == (1, True), said.out


def test_a_token_by_reference_opens_and_another_is_a_401_that_shows_neither(url: str, option_a: Place) -> None:
    declared = table(url, "guarded", '{ style = "next_url" }', 'headers = { Authorization = "env:DRF" }')
    option_a.declare(declared)
    refused = option_a("run", "--date", DAY, DRF="Token wrong-token-of-the-test")
    assert (refused.code, "401" in refused.err) == (1, True)
    done = option_a("run", "--date", DAY, DRF=f"Token {TOKEN}")
    assert done.code == 0, done.err
    assert len(option_a.lines("orders", DAY)) == 437
    kept = b"".join(content for _, content in option_a.files().values())
    for secret in (TOKEN, "wrong-token-of-the-test"):
        assert secret not in refused.out + refused.err + done.out + done.err
        assert secret.encode() not in kept


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("number?day=", '{ style = "next_url", path = "next", total_records = "count" }'),
        ("offset?day=", '{ style = "next_url", path = "next", total_records = "count" }'),
        ("cursor?day=", '{ style = "next_url", path = "next" }'),
    ],
)
def test_add_finds_the_way_by_itself(asked: str, found: str, url: str, option_a: Place) -> None:
    done = option_a("add", f"{url}/{asked}{DAY}", "--write", "--name", "orders")
    assert done.code == 0, done.err
    assert f"pagination = {found}" in done.out
    run = option_a("run", "--date", DAY)
    assert run.code == 0, run.err
    assert len(option_a.lines("orders", DAY)) == 437
