"""A user's mistakes: exit 2, no traceback, and words that name the place and the way out."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.acceptance.command import DAY, Place

ORDERS = '[sources.orders]\nurl = "https://api.example.com/orders"\n'


class Mistake(NamedTuple):
    """What is declared, and the words that must be in the message."""

    text: str
    said: tuple[str, ...]


DECLARED = {
    "a key with a typo": Mistake(ORDERS + "paralel = 3", ("[sources.orders]", "`paralel`", "did you mean `parallel`")),
    "a table with a typo": Mistake('[source.orders]\nurl = "https://a.example"', ("`source`", "`sources`")),
    "a value of another type": Mistake(ORDERS + 'parallel = "four"', ("[sources.orders]", "`parallel`", "int", "str")),
    "a value out of range": Mistake(ORDERS + "parallel = 65", ("[sources.orders]", "`parallel`", "64")),
    "a date that is text": Mistake(ORDERS + 'date_param = "d"\nsince = "May"', ("[sources.orders]", "`since`")),
    "a style that is none": Mistake(
        ORDERS + 'pagination = { style = "pages" }', ("[sources.orders]", "pagination.style", "`pages`", "next_url")
    ),
    "a key of another style": Mistake(
        ORDERS + 'pagination = { style = "next_url", size = 3 }', ("[sources.orders] pagination", "`size`", "path")
    ),
    "stop beside a total": Mistake(
        ORDERS + 'pagination = { style = "page", stop = "empty", total_pages = "n" }',
        ("[sources.orders]", "pagination", "`stop`", "mutually exclusive"),
    ),
    "a column of a type that is none": Mistake(
        ORDERS + 'columns = { id = "number" }', ("[sources.orders]", "columns", "number")
    ),
    "a duration that is none": Mistake(ORDERS + 'patience = "long"', ("[sources.orders]", "'long'", "6h")),
    "since without dates": Mistake(ORDERS + "since = 2024-01-01", ("[sources.orders]", "`since`", "`date_param`")),
    "no url": Mistake("[sources.orders]\nparallel = 3", ("[sources.orders]", "`url`")),
    "a url that is none": Mistake('[sources.orders]\nurl = "orders"', ("[sources.orders]", "url", "https://")),
    "a password in the url": Mistake(
        '[sources.orders]\nurl = "https://u:hunter2@api.example.com"', ("[sources.orders]", "password")
    ),
    "a name that keys cannot hold": Mistake('[sources."a/b"]\nurl = "https://a.example"', ("[sources.a/b]", "name")),
    "two sources with one view": Mistake(
        '[sources.a-b]\nurl = "https://a.example"\n[sources.a_b]\nurl = "https://a.example"',
        ("[sources.a-b]", "[sources.a_b]", "a_b"),
    ),
    "no TOML": Mistake("[sources.orders\n", ("not TOML", "line 1")),
    "no sources": Mistake("", ("no sources", "[sources.orders]")),
}


@pytest.mark.parametrize("mistake", DECLARED.values(), ids=DECLARED)
def test_a_mistake_in_the_file_is_named_with_its_table_and_key(option_a: Place, mistake: Mistake) -> None:
    (option_a.folder / "team.toml").write_text(mistake.text + "\n")
    done = option_a("run", "--sources", "team.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: team.toml: ")
    for words in mistake.said:
        assert words in done.err, done.err
    assert "hunter2" not in done.err
    assert not option_a.lake.exists()
    assert not option_a.home.exists()


@pytest.mark.parametrize("name", ["run", "plan", "status", "verify", "check", "dead", "redrive", "query"])
def test_every_command_that_reads_the_file_refuses_a_wrong_one(option_a: Place, name: str) -> None:
    option_a.declare(ORDERS + "paralel = 3")
    done = option_a(name)
    if name in ("verify", "dead"):
        assert done.code in (0, 2), "they need no source"
    else:
        assert (done.code, done.out) == (2, "")
        assert "sources.toml: [sources.orders]: key `paralel`" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--date", "2024-02-30"), ("--date", "'2024-02-30' is not a valid date", "YYYY-MM-DD")),
        (("run", "--date", "yesterday"), ("--date", "'yesterday' is not a valid date")),
        (("logs", "api-a", "24-5-1"), ("'24-5-1' is not a valid date",)),
        (("run", "--source", "api-x"), ("no source `api-x`", "api-a, api-b, api-c, api-d")),
        (("preview", "api-x"), ("no source `api-x`",)),
        (("logs", "api-x", DAY), ("no source `api-x`",)),
        (("verify", "--source", "api-x"), ("no source `api-x`",)),
        (("redrive", "api-x"), ("no source `api-x`",)),
        (("cancel", "api-x", "--from", DAY, "--to", DAY), ("no source `api-x`",)),
        (("backfill", "--from", "2024-05-02", "--to", DAY), ("--from 2024-05-02 is after --to 2024-05-01",)),
        (("cancel", "api-a", "--from", "2024-05-02", "--to", DAY), ("--from 2024-05-02 is after --to 2024-05-01",)),
        (("backfill", "--from", DAY), ("--to",)),
        (("backfill", "--from", DAY, "--to", DAY, "--only", "some"), ("--only", "missing", "incomplete", "failed")),
        (("run", "--workers", "0"), ("--workers", "1<=x<=256")),
        (("run", "--lake", "ftp://host/lake"), ("--lake", "ftp://host/lake", "s3://")),
        (("status", "--lake", "s4://bucket"), ("--lake", "s4://bucket", "s3://")),
        (("run", "--sources", "missing.toml"), ("missing.toml: no such file", "--sources")),
        (("run", "--sources", "."), (".: cannot be read",)),
        (("query", "SELEC 1"), ("syntax error", "SELEC")),
        (("query", "SELECT * FROM orders"), ("orders", "there are: raw, partitions, api_a")),
        (("mock-api", "--port", "65536"), ("--port",)),
        (("statsu",), ("Did you mean 'status'?",)),
        (("run", "--dte", DAY), ("--date",)),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_mistake_on_the_command_line_says_what_would_do(
    option_a: Place, arguments: tuple[str, ...], said: tuple[str, ...]
) -> None:
    done = option_a(*arguments)
    assert (done.code, done.out) == (2, ""), done.err
    for words in said:
        assert words in done.err, done.err


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"USE_REAL_HTTP": "true"}, ("USE_REAL_HTTP=true", "`api-a`", "ENDPOINT_MAP", "[sources.api-a]")),
        (
            {"USE_REAL_HTTP": "true", "ENDPOINT_MAP": '{"api-a":"http://a.example","api-b":"http://b.example"}'},
            ("`api-c`", "ENDPOINT_MAP"),
        ),
        ({"USE_REAL_HTTP": "maybe"}, ("USE_REAL_HTTP", "'maybe'", "true or false")),
        ({"ENDPOINT_MAP": "api-a=http://a.example"}, ("ENDPOINT_MAP", "JSON object")),
        ({"ENDPOINT_MAP": '["http://a.example"]'}, ("ENDPOINT_MAP", "JSON object")),
        ({"ENDPOINT_MAP": '{"api-a": 3}'}, ("ENDPOINT_MAP", "JSON object")),
        ({"ENDPOINT_MAP": '{"api-aa": "http://a.example"}'}, ("ENDPOINT_MAP", "`api-aa`", "did you mean `api-a`")),
        ({"ENDPOINT_MAP": '{"api-a": "a.example"}'}, ("ENDPOINT_MAP: api-a", "https://")),
    ],
)
def test_a_mistake_in_the_environment_is_named_by_its_variable(
    option_a: Place, env: dict[str, str], said: tuple[str, ...]
) -> None:
    done = option_a("run", **env)
    assert (done.code, done.out) == (2, "")
    for words in said:
        assert words in done.err, done.err
    assert not option_a.lake.exists()


def test_a_snapshot_has_no_past(option_a: Place) -> None:
    option_a.declare('[sources.planes]\nurl = "http://127.0.0.1:9/planes"\n')
    for arguments in (("run", "--date", DAY), ("backfill", "--source", "planes", "--from", DAY, "--to", DAY)):
        done = option_a(*arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert "`planes` has no date_param, so it is a snapshot" in done.err


def test_a_file_that_is_no_text_is_named(option_a: Place) -> None:
    (option_a.folder / "sources.toml").write_bytes(b"\xff\xfe[sources]")
    done = option_a("run")
    assert done.code == 2
    assert done.err.startswith("error: sources.toml: cannot be read")


def test_a_file_where_the_lake_should_be_is_named(option_a: Place) -> None:
    option_a.lake.write_text("")
    done = option_a("run", "--date", DAY)
    assert done.code == 1
    assert str(option_a.lake) in done.err
    assert "a file stands where the lake wants a folder" in done.err


def test_a_port_that_is_taken_is_named(option_a: Place) -> None:
    with option_a.start("mock-api", "--port", "0", PYTHONUNBUFFERED="1") as server:
        assert server.stdout is not None
        port = server.stdout.readline().split("http://127.0.0.1:")[1].split("/")[0]
        done = option_a("mock-api", "--port", port)
        server.terminate()
    assert done.code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.err
    assert "--port" in done.err
