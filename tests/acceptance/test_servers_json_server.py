"""Against json-server of npm, which we did not write: numbers, Link and X-Total-Count; and a last page that repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import Place
from tests.support.apis.third_party_servers import NODE, free_port, json_server, running_server

COUNT = 437
DAY = "2026-11-01"
RECORDS = [{"id": str(n), "day": DAY, "price": n / 7, "name": f"é {n}"} for n in range(COUNT)]
OTHERS = [{"id": f"x{n}", "day": "2026-11-02", "price": 1, "name": "other"} for n in range(60)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the records are that both servers read."""
    folder = tmp_path_factory.mktemp("json_server")
    (folder / "db.json").write_text(json.dumps({"orders": [*RECORDS, *OTHERS], "nothing": []}))
    return folder


@pytest.fixture(scope="module")
def old(folder: Path) -> Iterator[str]:
    """json-server 0.17.4: `_page` and `_limit`, the body is the list."""
    port = free_port()
    command = [NODE, json_server(0), "--host", "127.0.0.1", "--port", str(port), "--quiet", "db.json"]
    with running_server(command, folder, port) as address:
        yield address


@pytest.fixture(scope="module")
def new(folder: Path) -> Iterator[str]:
    """json-server 1.0.0-beta: `_page` and `_per_page`, the body tells the number of pages."""
    port = free_port()
    with running_server(
        [NODE, json_server(1), "db.json", "--host", "127.0.0.1", "--port", str(port)], folder, port
    ) as address:
        yield address


def table(url: str, params: str, pagination: str, more: str = "") -> str:
    return (
        f'[sources.orders]\nurl = "{url}/orders"\ndate_param = "day"\nparams = {params}\n'
        f"pagination = {pagination}\n{more}\n"
    )


def landed(option_a: Place) -> list[dict[str, object]]:
    return [json.loads(line) for line in option_a.lines("orders", DAY)]


@pytest.mark.parametrize(
    ("params", "pagination"),
    [
        ("{ _limit = 50, _page = 1 }", '{ style = "link", total_records = "header:X-Total-Count" }'),
        ("{}", '{ style = "page", param = "_page", size_param = "_limit", size = 50, '
               'total_records = "header:X-Total-Count" }'),
        ("{}", '{ style = "page", param = "_page", size_param = "_limit", size = 50, stop = "short" }'),
        ("{ _limit = 50 }", '{ style = "page", param = "_page" }'),
        ("{ _limit = 50 }", '{ style = "link", param = "_page" }'),
        ("{}", '{ style = "offset", param = "_start", size_param = "_limit", size = 50, '
               'total_records = "header:X-Total-Count" }'),
        ("{}", '{ style = "none" }'),
    ],
)  # fmt: skip
def test_every_record_lands_once_by_each_way_that_it_offers(
    params: str, pagination: str, old: str, option_a: Place
) -> None:
    option_a.declare(table(old, params, pagination))
    done = option_a("run", "--date", DAY)
    assert done.code == 0, done.err
    assert landed(option_a) == RECORDS


def test_the_beta_tells_its_number_of_pages(new: str, option_a: Place) -> None:
    declared = '{ style = "page", param = "_page", size_param = "_per_page", size = 50, total_pages = "pages" }'
    option_a.declare(table(new, "{}", declared, 'records = "data"'))
    done = option_a("run", "--date", DAY)
    assert done.code == 0, done.err
    assert landed(option_a) == RECORDS
    assert len(option_a.pages("orders", DAY)) == 9


def test_the_beta_repeats_its_last_page_for_ever_and_that_is_an_error_and_no_loop(new: str, option_a: Place) -> None:
    option_a.declare(table(new, "{ _per_page = 50 }", '{ style = "page", param = "_page" }', 'records = "data"'))
    done = option_a("run", "--date", DAY)
    assert done.code == 1
    assert "page 10 repeats page 9" in done.err
    assert "total" in done.err


@pytest.mark.parametrize(
    ("path", "style"),
    [("old/orders?_page=1&_limit=50&day=", "link"), ("new/orders?_page=1&_per_page=50&day=", "page")],
)
def test_add_finds_the_way_by_itself(path: str, style: str, old: str, new: str, option_a: Place) -> None:
    which, _, rest = path.partition("/")
    done = option_a("add", f"{ {'old': old, 'new': new}[which] }/{rest}{DAY}", "--write")
    assert done.code == 0, done.err
    assert f'style = "{style}"' in done.out
    run = option_a("run", "--date", DAY)
    assert run.code == 0, run.err
    assert landed(option_a) == RECORDS


def test_doctor_sees_that_the_parameter_is_another(old: str, option_a: Place) -> None:
    option_a.declare(table(old, "{}", '{ style = "page", param = "page" }'))
    done = option_a("doctor", "orders", "--date", DAY)
    assert (done.code, "page 2 repeats page 1" in done.out) == (1, True), done.out
