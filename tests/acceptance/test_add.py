"""`option-a add` and `option-a doctor`: what is found, what is written, what is left alone."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator

import pytest

from tests.acceptance.command import Place
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, serve_api

SIZE, COUNT = 20, 50
DAY = "2026-11-01"


def answer(asked: ApiRequest) -> bytes | ApiResponse:
    """Each endpoint pages in a way of its own, or not at all."""
    first = (asked.page - 1) * SIZE
    rows = [{"id": n, "day": asked.query.get("day", "?"), "name": "é"} for n in range(COUNT)]
    if asked.name == "paged":
        return json.dumps({"result": {"items": rows[first : first + SIZE]}, "tags": ["a"], "total": COUNT}).encode()
    if asked.name == "whole":
        return json.dumps(rows[:37]).encode()
    if asked.name == "gone":
        return json.dumps(rows[:7]).encode() if asked.page == 1 else ApiResponse(b"{}", 404)
    if asked.name == "csv":
        lines = [f"{row['id']},{row['name']}" for row in rows[first : first + SIZE]]
        return ApiResponse("\n".join(["id,name", *lines]).encode(), type="text/csv; charset=utf-8")
    if asked.name == "afar":
        return json.dumps({"data": rows[:SIZE], "next": "https://elsewhere.test/2"}).encode()
    if asked.name == "near":
        after = f"?page={asked.page + 1}" if asked.page < 3 else None
        return json.dumps({"data": rows[first : first + SIZE], "next": after, "prev": None}).encode()
    if asked.name == "keyed":
        return json.dumps({"users": {f"u{n}": {"id": n, "name": "x"} for n in range(3)}}).encode()
    if asked.name in ("failed", "partial"):
        told = {"data": rows[:3] if asked.name == "partial" else [], "errors": [{"message": "no"}]}
        return json.dumps(told).encode()
    return ApiResponse(b'{"error": "who are you?"}', 401)


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    with serve_api(answer) as running:
        yield running


@pytest.fixture(autouse=True)
def _anew(api: FakeApi) -> None:
    api.asked.clear()


def test_what_is_printed_is_a_table_that_loads_every_record(api: FakeApi, option_a: Place) -> None:
    done = option_a("add", f"{api.url}/paged?day={DAY}")
    assert done.code == 0, done.err
    table = tomllib.loads(done.out)["sources"]["paged"]
    assert table == {
        "url": f"{api.url}/paged", "records": "result.items", "date_param": "day",
        "pagination": {"style": "page", "size": SIZE, "total_records": "total"},
    }  # fmt: skip
    assert [asked.query for asked in api.asked] == [{"day": DAY}, {"day": DAY, "page": "2"}]
    assert done.err.startswith(f"GET {api.url}/paged?day={DAY}\nGET {api.url}/paged?day={DAY}&page=2\n")
    assert not option_a.lake.exists()
    option_a.declare(done.out)
    assert option_a("run", "--date", DAY).code == 0
    assert len(option_a.lines("paged", DAY)) == COUNT


@pytest.mark.parametrize(
    ("path", "table", "unsure"),
    [
        ("whole", {"records": "@", "pagination": {"style": "none"}}, "whether there are pages"),
        ("gone", {"records": "@", "pagination": {"style": "page"}, "statuses": {"404": "empty"}}, "one page only"),
        ("csv", {"format": "csv", "pagination": {"style": "page"}}, "snapshot"),
        ("near", {"records": "data", "pagination": {"style": "next_url", "path": "next"}}, "snapshot"),
        ("keyed", {"records": "users", "shape": "keyed", "pagination": {"style": "none"}}, "whether there are pages"),
    ],
)
def test_what_is_not_told_is_tried_within_three_requests_and_its_doubts_are_said(
    path: str, table: dict[str, object], unsure: str, api: FakeApi, option_a: Place
) -> None:
    done = option_a("add", f"{api.url}/{path}", "--json")
    assert done.code == 0, done.err
    assert done.json()["table"] == {"url": f"{api.url}/{path}", **table}
    assert any(unsure in doubt for doubt in done.json()["unsure"])
    assert 2 <= len(api.asked) <= 3


@pytest.mark.parametrize(("path", "beside", "way_out"), [("failed", "no", "allow"), ("partial", "the", "beside")])
def test_an_answer_that_says_an_error_is_refused_by_all_that_look_at_one(
    path: str, beside: str, way_out: str, api: FakeApi, option_a: Place
) -> None:
    head = f'[sources.s]\nurl = "{api.url}/{path}"\npagination = {{ style = "none" }}\n'
    option_a.declare(head)
    for words in (["add", f"{api.url}/{path}"], ["preview", "s"], ["doctor", "s"]):
        done = option_a(*words)
        assert done.code != 0
        assert f"the body says `errors` beside {beside} records at `data` as follows: [{{" in done.err
        assert f'errors = "{way_out}"' in done.err
    option_a.declare(f'{head}errors = "{way_out}"\n')
    allowed = ["add", f"{api.url}/{path}", "--set", f'errors = "{way_out}"']
    for words in (allowed, ["preview", "s"], ["doctor", "s"]):
        assert option_a(*words).code == 0
    assert 'records = "errors' not in option_a(*allowed).out


def test_a_next_url_on_another_host_is_not_followed_and_said(api: FakeApi, option_a: Place) -> None:
    done = option_a("add", f"{api.url}/afar")
    assert done.code == 0, done.err
    assert "but the next url leads to another host" in done.err
    assert len(api.asked) == 1


def test_a_table_is_appended_and_what_was_there_stays(api: FakeApi, option_a: Place) -> None:
    before = "# ours\n[sources.mine]\nurl = 'https://api.test/x'   # kept\n"
    option_a.declare(before)
    done = option_a("add", f"{api.url}/paged", "--name", "orders", "--write")
    assert done.code == 0, done.err
    assert (option_a.folder / "sources.toml").read_text().startswith(before)
    assert option_a("check").out.count("http") == 2
    again = option_a("add", f"{api.url}/paged", "--name", "orders", "--write")
    assert (again.code, "source `orders` exists already" in again.err) == (2, True)


def test_a_file_that_holds_no_source_yet_or_is_none_is_left_as_it_was_or_added_to(
    api: FakeApi, option_a: Place
) -> None:
    option_a.declare("# nothing yet\n")
    assert option_a("add", f"{api.url}/paged", "--write").code == 0
    assert option_a("check").code == 0
    option_a.declare("[sources.x\n")
    done = option_a("add", f"{api.url}/paged", "--write")
    assert (done.code, "not TOML" in done.err) == (2, True)
    assert (option_a.folder / "sources.toml").read_text() == "[sources.x\n"


def test_a_new_file_is_said_to_be_new(api: FakeApi, option_a: Place) -> None:
    done = option_a("add", f"{api.url}/paged", "--write")
    assert "the built-in mock sources" in done.err
    assert option_a("check").code == 0


def test_lines_that_are_given_are_not_guessed(api: FakeApi, option_a: Place) -> None:
    lines = ['records = "result.items"', 'pagination = { style = "page", stop = "empty" }', "params = { a = 1 }"]
    done = option_a("add", f"{api.url}/paged", *(part for line in lines for part in ("--set", line)), "--json")
    assert done.code == 0, done.err
    table = done.json()["table"]
    assert (table["pagination"], table["params"]) == ({"style": "page", "stop": "empty"}, {"a": 1})
    assert all(asked.query["a"] == "1" for asked in api.asked)


@pytest.mark.parametrize(
    ("query", "lines", "dated"),
    [
        (f"day={DAY}", ["date_offset = -1", "since = 2026-01-01"], {"date_param": "day"}),
        (f"from={DAY}&to=2026-11-02", ["date_offset = -1"], {"window": {"from": "from", "to": "to", "format": "date"}}),
        (f"day={DAY}", ['date_param = "day"', "date_offset = -1"], {"date_param": "day"}),
    ],
)
def test_what_is_given_about_dates_fits_the_date_of_the_url(
    query: str, lines: list[str], dated: dict[str, object], api: FakeApi, option_a: Place
) -> None:
    given = (part for line in lines for part in ("--set", line))
    done = option_a("add", f"{api.url}/paged?{query}", *given, "--write")
    assert done.code == 0, done.err
    table = tomllib.loads((option_a.folder / "sources.toml").read_text())["sources"]["paged"]
    assert {key: table.get(key) for key in dated} == dated
    assert table["date_offset"] == -1
    assert "date_offset" not in done.err
    assert option_a("check").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ftp://api.test/x"], 2, "it must begin with https:// or http://"),
        (["{url}/paged?api_key=canary-4711"], 2, "`params.api_key` looks like a secret"),
        (["{url}/paged", "--name", "No!"], 2, "a name has at most 63 characters of a-z"),
        (["{url}/paged", "--set", "records ="], 2, "--set is not valid TOML"),
        (["{url}/paged", "--set", "recrods = 'x'"], 2, "did you mean `records`?"),
        (["{url}/paged", "--set", "records = 'rows'"], 1, "records may be at: `result.items` (20)"),
        (["{url}/closed"], 1, "the API answered 401 (the API wants credentials"),
    ],
)
def test_a_mistake_is_told_in_words_and_never_shows_a_secret(
    arguments: list[str], code: int, said: str, api: FakeApi, option_a: Place
) -> None:
    done = option_a("add", *(argument.format(url=api.url) for argument in arguments), "--write")
    assert done.code == code, done.err
    assert said in done.err.replace("\n  ", " (")
    assert "canary-4711" not in done.out + done.err
    assert code == 1 or api.asked == []
    assert not (option_a.folder / "sources.toml").exists()


def test_doctor_asks_twice_and_its_exit_code_says_whether_records_may_be_lost(api: FakeApi, option_a: Place) -> None:
    head = f'[sources.s]\nurl = "{api.url}/paged"\nrecords = "result.items"\n'
    option_a.declare(head + 'pagination = { style = "none" }\n')
    done = option_a("doctor", "s", "--json")
    assert (done.code, len(api.asked)) == (1, 1)
    assert done.json()["warnings"] == [
        "`total` says 50 records, and pagination (none (one response is all)) ends after 20"
    ]
    option_a.declare(head)
    done = option_a("doctor", "s")
    assert (done.code, "advice: `total` says 50 records" in done.out) == (0, True)
    assert not option_a.lake.exists()
