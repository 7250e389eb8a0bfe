"""What `preview`, `doctor` and `add` show of an answer that is refused: its beginning, since they keep nothing."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from tests.acceptance.command import Done, Place
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, serve_api

SECRET = "canary-4711+4712"
TOLD = b'{"why": "no \x1b[31m quota", "key": "%s"}' % SECRET.encode()
ANSWERS = {
    "closed": ApiResponse(TOLD, 401),
    "packed": ApiResponse(gzip.compress(TOLD), 403, headers={"Content-Encoding": "gzip"}),
    "down": ApiResponse(TOLD, 500),
    "limited": ApiResponse(TOLD, 429),
    "html": ApiResponse(b"<html>why: no \x1b[31m quota " + SECRET.encode(), type="text/html"),
    "text": ApiResponse(b"why: no \x1b[31m quota " + SECRET.encode()),
    "errors": ApiResponse(b'{"data": [], "errors": [{"why": "no \\u001b[31m quota", "key": "%s"}]}' % SECRET.encode()),
    "null": ApiResponse(
        b'{"data": null, "error": "why: no \\u009b quota, %s"}' % SECRET.replace("+", "\\u002B").encode()
    ),
    "long": ApiResponse(b'{"why": "no ' + b"\xc3\xa9" * 2000 + SECRET.encode() + b'"}', 400),
}
BY_ALL = ("closed", "down", "html", "errors")


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    with serve_api(lambda asked: ANSWERS[asked.name] if asked.name in ANSWERS else other(asked)) as running:
        yield running


def other(asked: ApiRequest) -> bytes:
    return b'{"data": [], "errors": ["%s"]}' % ("x" * 400).encode()


def commands(option_a: Place, url: str, more: str = "") -> list[Done]:
    """The three of them at one API, or the first one alone where they do not differ."""
    auth = '{ style = "bearer", token = "env:KEY" }'
    option_a.declare(f'[sources.s]\nurl = "{url}"\nauth = {auth}\npagination = {{ style = "none" }}\n{more}\n')
    given = [part for line in (f"auth = {auth}", *([more] if more else [])) for part in ("--set", line)]
    every = [("preview", "s"), ("doctor", "s"), ("add", url, *given)]
    return [option_a(*words, KEY=SECRET) for words in (every if url.endswith(BY_ALL) else every[:1])]


@pytest.mark.parametrize("name", ANSWERS)
def test_the_beginning_of_a_body_is_shown_harmless_and_without_the_secret(
    name: str, api: FakeApi, option_a: Place
) -> None:
    for done in commands(option_a, f"{api.url}/{name}"):
        assert done.code == 1
        (line,) = [line for line in done.err.splitlines() if line.startswith("  the body begins: ")]
        assert done.err.endswith(f"{line}\n")
        assert "no " in line
        assert len(line) < 230
        assert line.isprintable()
        assert "4712" not in done.out + done.err
        assert "kept" not in done.err
        assert not (option_a.lake / "dead").exists()


@pytest.mark.parametrize("name", BY_ALL)
def test_where_fields_are_dropped_nothing_of_a_body_is_shown(name: str, api: FakeApi, option_a: Place) -> None:
    for done in commands(option_a, f"{api.url}/{name}", 'fields = { drop = ["why"] }'):
        assert done.code == 1
        assert "error: " in done.err
        assert [word for word in ("the body begins", "quota", "why", "4711", "kept") if word in done.err] == []


def test_a_body_of_200_bytes_is_shown_whole_and_of_a_longer_one_that_much(api: FakeApi, option_a: Place) -> None:
    option_a.declare(f'[sources.s]\nurl = "{api.url}/x"\npagination = {{ style = "none" }}\n')
    line = option_a("preview", "s").err.splitlines()[-1]
    assert line == "  the body begins: " + other(ApiRequest("x", {}))[:200].decode() + "…"
    assert "its beginning is below" in option_a("preview", "s").err


@pytest.mark.parametrize(
    "more", ['auth = { style = "bearer", token = "env:GONE" }', 'fields = { hash = ["id"], salt = "env:GONE" }']
)
def test_a_secret_that_is_missing_is_set_and_the_command_given_again(more: str, option_a: Place) -> None:
    with serve_api(lambda asked: b'{"data": [{"id": "1"}]}') as api:
        option_a.declare(f'[sources.s]\nurl = "{api.url}/x"\npagination = {{ style = "none" }}\n{more}\n')
        done = option_a("preview", "s")
    assert done.code == 1
    assert "the environment has no GONE\n  export GONE=…, then again" in done.err
    assert "redrive" not in done.err
