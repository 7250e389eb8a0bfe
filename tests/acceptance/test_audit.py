"""What a user trusts: `verify` finds every tampering, `logs` tells what happened, `preview` lands nothing."""

from __future__ import annotations

import gzip
import tomllib
from pathlib import Path

import pytest

from tests.acceptance.command import DAY, Place
from tests.support.apis.page_server import ApiRequest, ApiResponse, data_body, serve_api

ORDERS = '[sources.orders]\nurl = "{url}/orders"\ndate_param = "date"\n{more}\n'


def folder(option_a: Place, tree: str = "raw") -> Path:
    return option_a.lake / tree / "source=api-a" / f"ingestion_date={DAY}"


def delete(page: Path) -> None:
    page.unlink()


def tear(page: Path) -> None:
    page.write_bytes(page.read_bytes()[:-9])


def flip(page: Path) -> None:
    data = bytearray(page.read_bytes())
    data[4] ^= 1  # the time in gzip's header, which no decompression notices
    page.write_bytes(data)


def shorten(page: Path) -> None:
    page.write_bytes(gzip.compress(b"".join(gzip.decompress(page.read_bytes()).splitlines(keepends=True)[1:]), mtime=0))


def double(page: Path) -> None:
    page.with_name("page=000777.json.gz").write_bytes(page.read_bytes())


def litter(page: Path) -> None:
    page.with_name("notes.txt").write_text("mine")


TAMPERINGS = {
    "a page is deleted": (delete, "missing", "page 2"),
    "a page is cut": (tear, "torn", "page 2"),
    "a bit is flipped": (flip, "changed", "page 2"),
    "a record is taken out": (shorten, "records", "page 2"),
    "a page is added": (double, "stray", "page=000777.json.gz"),
    "a file is added": (litter, "stray", "notes.txt"),
}


def test_verify_of_an_untouched_lake_counts_all_and_finds_nothing(option_a: Place) -> None:
    rows = option_a("run", "--date", DAY, "--json").json()["partitions"]
    answer = option_a("verify", "--json").json()
    assert (answer["ok"], answer["differences"], answer["partitions"]) == (True, [], 4)
    assert answer["read"] == {key: sum(row[key] for row in rows) for key in ("pages", "records", "bytes")}
    done = option_a("verify")
    assert done.code == 0
    assert "4 partitions" in done.out
    assert "all as the manifest has it" in done.out


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_verify_names_what_was_tampered_with_and_a_fresh_run_mends_it(option_a: Place, tampering: str) -> None:
    tamper, what, named = TAMPERINGS[tampering]
    option_a("run", "--date", DAY, "--source", "api-a")
    before = option_a.pages("api-a")
    tamper(folder(option_a) / "page=000002.json.gz")
    done = option_a("verify")
    assert done.code == 1
    assert any(line.startswith(f"{what}: ") and named in line for line in done.out.splitlines()), done.out
    assert "option-a run --fresh" in done.out
    found = option_a("verify", "--json")
    assert found.code == 1
    assert what in {difference["what"] for difference in found.json()["differences"]}
    assert option_a("run", "--fresh", "--source", "api-a", "--date", DAY).code == 0
    assert option_a("verify").code == 0
    assert option_a.pages("api-a") == before


def test_verify_finds_pages_of_a_partition_that_nobody_loaded(option_a: Place) -> None:
    option_a("run", "--date", DAY, "--source", "api-a")
    stranger = option_a.lake / "raw" / "source=other" / "ingestion_date=2024-01-01" / "page=000001.json.gz"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"")
    done = option_a("verify")
    assert done.code == 1
    assert "source=other/ingestion_date=2024-01-01/page=000001.json.gz" in done.out


def test_verify_reads_just_the_source_and_the_dates_that_are_asked_for(option_a: Place) -> None:
    option_a("backfill", "--from", DAY, "--to", "2024-05-03", "--source", "api-a", "--source", "api-b")
    (folder(option_a) / "page=000002.json.gz").unlink()
    for fine in (("--source", "api-b"), ("--from", "2024-05-02"), ("--source", "api-a", "--from", "2024-05-02")):
        assert option_a("verify", *fine).code == 0, fine
    for broken in (("--source", "api-a"), ("--to", DAY), ()):
        assert option_a("verify", *broken).code == 1, broken


def test_a_ledger_that_cannot_be_read_is_named_and_not_loaded_over(option_a: Place) -> None:
    option_a("run", "--date", DAY, "--source", "api-a")
    before = option_a.pages("api-a")
    manifest = folder(option_a, "manifest") / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert option_a("verify").code == 1
    done = option_a("run", "--date", DAY, "--source", "api-a")
    assert done.code == 1
    assert f"the manifest {manifest.relative_to(option_a.lake)} cannot be read" in done.err
    assert option_a.pages("api-a") == before


def test_logs_tell_each_attempt_with_its_end_and_its_cause(option_a: Place) -> None:
    with serve_api(lambda asked: ApiResponse(b"<html>") if asked.page == 2 else ApiResponse(one(asked))) as api:
        option_a.declare(ORDERS.format(url=api.url, more=""))
        option_a("run", "--date", DAY)
        failed = option_a("logs", "orders", DAY)
        assert failed.code == 0
        assert f"orders {DAY}: failed, 1 page, 1 record, origin real" in failed.out
        assert "The body as received: dead/source=orders" in failed.out
        api.pages = one
        option_a("redrive")
    answer = option_a("logs", "orders", DAY, "--json").json()
    assert [attempt["outcome"] for attempt in answer["attempts"]] == ["failed", "complete"]
    assert f"orders {DAY} page 2: " in answer["attempts"][0]["message"]
    assert (answer["state"], answer["cause"]) == ("complete", None)


def test_logs_of_a_partition_that_nobody_loaded_say_how_to_load_it(option_a: Place) -> None:
    done = option_a("logs", "api-a", DAY)
    assert (done.code, done.out) == (1, "")
    assert f"option-a run --source api-a --date {DAY}" in done.err


def test_preview_shows_one_page_and_lands_nothing(option_a: Place) -> None:
    with serve_api(lambda asked: data_body([b'{"id":1,"name":"Kru\xc3\xb3w"}'], pages=9)) as api:
        option_a.declare(ORDERS.format(url=api.url, more='pagination = { style = "page", total_pages = "pages" }'))
        done = option_a("preview", "orders", "--date", DAY)
        assert len(api.asked) == 1
    assert done.code == 0
    for words in (f"GET {api.url}/orders?date={DAY}&page=1", "Records: 1 (the list at `data`)", "pages 2 to 9"):
        assert words in done.out
    assert [path.name for path in option_a.folder.iterdir()] == ["sources.toml"]


def test_preview_of_an_answer_that_is_none_names_the_place(option_a: Place) -> None:
    with serve_api(lambda asked: b"<html>") as api:
        option_a.declare(ORDERS.format(url=api.url, more=""))
        done = option_a("preview", "orders", "--date", DAY)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: orders {DAY} page 1: the body is not JSON")
    assert not option_a.lake.exists()


def test_preview_shows_records_as_they_would_land_and_what_is_mistyped(option_a: Place) -> None:
    fields = 'fields = { drop = ["mail", "mial"], rename = { id = "number" } }'
    with serve_api(lambda asked: data_body([b'{"id":1,"mail":"a@b"}'])) as api:
        option_a.declare(ORDERS.format(url=api.url, more=fields))
        done = option_a("preview", "orders", "--date", DAY, "--json").json()
    assert done["sample"] == [{"number": 1}]
    assert done["notes"] == ["`fields` names `mial`, which no record has"]


def test_preview_says_where_the_records_may_be_if_the_body_is_taken_for_one(option_a: Place) -> None:
    with serve_api(lambda asked: b'{"rows":[{"id":1},{"id":2}]}') as api:
        option_a.declare(ORDERS.format(url=api.url, more=""))
        done = option_a("preview", "orders", "--date", DAY)
    assert done.code == 0, done.err
    assert "The body itself is treated as the record; records may be at: `rows` (2)" in done.out


def test_the_columns_of_preview_are_toml_that_sources_toml_takes(option_a: Place) -> None:
    record = '{"id":1,"a b":"x","ż":1.5,"q\\"":true,"ok":null,"l":[1],"o":{"a":1},"big":123456789012345678901234567890}'
    plain = {"id": "bigint", "a b": "string", "ż": "double", 'q"': "boolean", "ok": "string"}
    columns = {**plain, "l": "json", "o": "json", "big": "string"}
    with serve_api(lambda asked: data_body([record.encode()] if asked.page == 1 else [])) as api:
        option_a.declare(ORDERS.format(url=api.url, more=""))
        line = option_a("preview", "orders", "--date", DAY, "--columns").out
        assert tomllib.loads(line)["columns"] == columns
        option_a.declare(ORDERS.format(url=api.url, more=line))
        assert option_a("check").code == 0
        assert option_a("run", "--date", DAY).code == 0
    (row,) = option_a("query", 'SELECT "a b", "ż", big FROM orders', "--format", "json").json()
    assert row == {"a b": "x", "ż": 1.5, "big": "123456789012345678901234567890"}


def one(asked: ApiRequest) -> bytes:
    return data_body([b'{"id":%d}' % asked.page] if asked.page <= 2 else [])
