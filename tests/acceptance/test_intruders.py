"""A hostile API, and what others planted in the lake, as a user meets them: at the command line, over a network."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib

import pytest

from tests.acceptance.command import DAY, Place, command
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.apis.page_server import ApiResponse, serve_api

pytestmark = pytest.mark.bar(13)

NAMES = ["x' OR 1=1; --", "*", "[a]", "A", "\x1b]0;it\x07", 'a"b', "a\nb", "-", "api-a "]
HOSTILE = 'x"\n[sources.evil]\nurl = "https://evil.test"\r# \x1b]0;it\x07\x7f'
SMUGGLED = "/next?q=1 HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nHost: x"


@pytest.fixture
def lake(option_a: Place) -> Place:
    """A lake in which two sources have landed."""
    assert option_a("run", "--date", DAY, "--source", "api-a", "--source", "api-b").code == 0
    return option_a


def test_a_folder_of_a_name_that_no_source_may_have_is_no_source(lake: Place) -> None:
    for name in NAMES:
        for room in ("manifest", "raw"):
            shutil.copytree(lake.lake / room / "source=api-a", lake.lake / room / f"source={name}")
        manifest = lake.lake / "manifest" / f"source={name}" / f"ingestion_date={DAY}" / "manifest.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "source": name}))

    assert lake("query", "SELECT count(DISTINCT source) AS n FROM raw", "--format", "csv").out == "n\n2\n"
    tables = lake("query", "--format", "json").json()
    assert [table["table"] for table in tables] == ["partitions", "raw", *(f"api_{it}" for it in "abcd")]
    done = lake("status")
    assert done.code == 0
    told = lake("verify")
    assert told.code == 1
    assert "belongs to no partition with a manifest" in told.out
    assert "\x1b" not in done.out + told.out + told.err


def test_a_link_under_raw_shows_nothing_of_what_it_leads_to(lake: Place) -> None:
    page = lake.lake / "raw" / "source=api-b" / f"ingestion_date={DAY}" / "page=000001.json.gz"
    private = lake.folder / "private.json.gz"
    shutil.copyfile(page, private)
    page.unlink()
    page.symlink_to(private)
    for sql in (["SELECT * FROM raw"], ["SELECT * FROM api_b"], []):
        done = lake("query", *sql)
        assert (done.code, done.out) == (2, "")
        assert str(page) in done.err
    assert "the object is missing" in lake("verify").out


def test_a_next_url_with_line_breaks_adds_no_header_and_no_request(option_a: Place) -> None:
    """It would end the request's first line, and begin another request."""
    asked: list[Exchange] = []

    def answer(exchange: Exchange) -> None:
        asked.append(exchange)
        more = SMUGGLED if exchange.target.startswith("/first") else None
        exchange.send(reply(json.dumps({"data": [{"n": len(asked)}], "next": more}).encode()))

    with Server(answer) as server:
        option_a.declare(f'[sources.it]\nurl = "{server.url}/first"\npagination = {{ style = "next_url" }}\n')
        assert option_a("run").code == 0
    assert [exchange.target.partition("?")[0] for exchange in asked] == ["/first", "/next"]
    assert not [name for exchange in asked for name in exchange.headers if "evil" in name.lower()]


def test_a_hostile_api_writes_no_table_of_its_own_into_sources_toml(option_a: Place) -> None:
    """The names of its keys stand in values and in comments of the table that `add` writes."""
    rows = [{"id": n, HOSTILE: n} for n in range(20)]
    body = {HOSTILE: {"items": rows, "total": 40, "next_cursor": HOSTILE, "has_more": True}, f"total{HOSTILE}": 40}
    with serve_api(lambda asked: ApiResponse(json.dumps(body).encode(), headers={"X-Total-Count": "40"})) as api:
        done = option_a("add", f"{api.url}/it", "--write")
    assert done.code == 0, done.err
    written = (option_a.folder / "sources.toml").read_text()
    assert "evil" in written
    assert set(tomllib.loads(written)["sources"]) == {"it"}
    assert "\x1b" not in done.out + done.err + written


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('url = "http://api.example.com/x"\nauth = { style = "bearer", token = "env:T" }', True),
        ('url = "http://api.example.com/x"\nheaders = { X-Key = "env:T" }', True),
        ('url = "http://api.example.com/x"\nparams = { key = "env:T" }', True),
        ('url = "http://api.example.com/x"', False),
        ('url = "https://api.example.com/x"\nauth = { style = "bearer", token = "env:T" }', False),
        ('url = "http://localhost:8000/x"\nauth = { style = "bearer", token = "env:T" }', False),
        ('url = "https://api.example.com/x"\nauth = { style = "oauth2", token_url = "http://id.example.com/t", '
         'client_id = "us", client_secret = "env:T" }', True),
    ],
)  # fmt: skip
def test_check_says_where_credentials_would_go_unencrypted(option_a: Place, table: str, told: bool) -> None:
    option_a.declare(f"[sources.it]\n{table}\n")
    done = option_a("check", T="q7Rz9KfW2mXc")
    assert done.code == 0, done.err
    assert ("it: its credentials go over http" in done.out) is told
    (row,) = option_a("check", "--json", T="q7Rz9KfW2mXc").json()
    assert [f"it: {warning}" in done.out.splitlines() for warning in row["warnings"]] == [True] * told


def test_under_a_umask_of_077_no_other_user_reads_a_file_of_the_lake_or_of_the_home(option_a: Place) -> None:
    shell = ["sh", "-c", 'umask 077; exec "$@"', "sh", *command("run", "--date", DAY, "--source", "api-a")]
    subprocess.run(shell, cwd=option_a.folder, env=option_a.env, check=True, capture_output=True, timeout=120)
    found = [path for top in (option_a.lake, option_a.home) for path in (top, *top.rglob("*"))]
    assert len(found) > 10
    assert [str(path) for path in found if path.stat().st_mode & 0o077] == []
