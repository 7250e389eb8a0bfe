"""A secret with a name nobody else has, through every path that there is: it is found nowhere."""

from __future__ import annotations

import base64
import gzip
import html
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, quote_plus, urlsplit

import msgspec
import pytest
from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.telemetry import Telemetry
from option_a.ingest.config.read import read_sources
from option_a.ingest.http.build import build_client
from option_a.ingest.load.worker import Worker
from option_a.ingest.secrets import Reference
from option_a.workspace.clock import SystemClock
from tests.acceptance.command import DAY, Done, Place
from tests.conftest import Proof
from tests.support.apis.connection_recorder import record_connections
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.pipeline import Pipeline

CANARY = "k4n4r13nv0g3l/+=&%x"
"""What a header takes as it is, and a query only quoted."""
STYLES = {
    "bearer": 'auth = { style = "bearer", token = "env:CANARY" }',
    "header": 'auth = { style = "api_key", key = "env:CANARY", header = "X-Key" }',
    "param": 'auth = { style = "api_key", key = "env:CANARY", param = "key" }',
    "basic": 'auth = { style = "basic", username = "etl", password = "env:CANARY" }',
    "oauth-body": 'auth = { style = "oauth2", token_url = "{url}/token", client_id = "etl", '
    'client_secret = "env:CANARY" }',
    "oauth-basic": 'auth = { style = "oauth2", token_url = "{url}/token", client_id = "etl", '
    'client_secret = "env:CANARY", send = "basic" }',
    "own-header": 'headers = { X-Secret = "env:CANARY" }',
    "own-param": 'params = { key = "env:CANARY" }',
}
PATHS = ("fine", "401", "403", "redirect", "loop", "next", "half", "elsewhere", "malformed", "records", "page")
SLOW = ("503", "reset", "html")
"""For two of the styles: there is a wait in them."""
ACTIONS = [
    ["run", "--json", "--date", DAY], ["status"], ["status", "--json"], ["logs"],
    ["logs", "--json"], ["dead"], ["dead", "--json"], ["verify", "--json"], ["check"], ["check", "--json"],
    ["plan", "--json", "--date", DAY], ["redrive", "--json"],
]  # fmt: skip


class Heard(NamedTuple):
    """What the server was sent, so that the test knows that the secret went out at all."""

    sent: list[bytes]


def behave(exchange: Exchange, heard: Heard) -> None:
    """An API that misbehaves by its path, and says again what it was sent wherever it can."""
    echo = "\n".join([exchange.target, *(f"{name}: {value}" for name, value in exchange.headers.items())])
    echo += "\n" + exchange.body.decode()
    heard.sent.append(echo.encode())
    kind = urlsplit(exchange.target).path.rpartition("/")[2]
    if exchange.target == "/token":
        exchange.send(reply(b'{"access_token": "a-token-of-its-own", "expires_in": 600}'))
    elif kind in ("401", "403", "503", "token") or (kind == "half" and "more=1" in exchange.target):
        exchange.send(reply(echo.encode(), {"token": 400, "half": 403}.get(kind) or int(kind), {"X-Echo": quote(echo)}))
    elif kind == "malformed":  # urllib3 warns of it, and names the URL
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nno header\r\nX-Y: 1\r\n\r\n" + b'{"next": null}')
    elif kind == "html":
        exchange.send(reply(b"<!doctype html><title>Log in</title>"))
    elif kind == "page":
        exchange.send(reply(b"<!doctype html><pre>" + html.escape(echo).encode()))
    elif kind == "records":
        exchange.send(reply(msgspec.json.encode({"data": [1], "next": exchange.target, "sent": echo})))
    elif kind == "reset":
        exchange.send(reply(b"{}")[:-1])
        exchange.reset()
    elif kind in ("redirect", "elsewhere"):
        host = "http://evil.test" if kind == "elsewhere" else "http://127.0.0.1:1"
        exchange.send(reply(b"", 302, {"Location": f"{host}{exchange.target}"}))
    elif kind == "loop":
        exchange.send(reply(b"", 302, {"Location": exchange.target}))
    else:
        more = kind in ("next", "half") and "more=1" not in exchange.target
        following = exchange.target + "&more=1" if more else None
        exchange.send(reply(msgspec.json.encode({"data": [{"id": len(exchange.target)}], "next": following})))


def table(style: str, path: str, url: str) -> str:
    """One source: its credentials, and how its API behaves."""
    auth = STYLES[style].replace("{url}", url if path != "token" else f"{url}/oauth/token")
    return (
        f'[sources.{style}-{path}]\nurl = "{url}/{style}/{path}"\ndate_param = "date"\npatience = "1s"\ntimeout = 5\n'
        f'pagination = {{ style = "next_url" }}\n{auth}\n'
    )


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard([])


@pytest.fixture(scope="module")
def declared(heard: Heard) -> Iterator[str]:
    """The sources, while their APIs are there."""
    with Server(lambda exchange: behave(exchange, heard)) as server:
        every = [(style, path) for style in STYLES for path in PATHS]
        every += [(style, path) for style in ("basic", "param") for path in SLOW]
        every += [(style, "token") for style in STYLES if style.startswith("oauth")]
        yield "\n".join(table(style, path, server.url) for style, path in every)


def spellings() -> list[bytes]:
    """The secret as it is, in a query, and in base64 at each of its three offsets."""
    plain = CANARY.encode()
    quoted = [quote(CANARY).encode(), quote_plus(CANARY).encode(), quote(CANARY, "").encode()]
    coded = [base64.b64encode(b"x" * shift + text)[4:-4] for text in (plain, *quoted) for shift in range(3)]
    return [plain, *quoted, *coded]


def found_in(data: bytes) -> list[bytes]:
    return [spelling for spelling in spellings() if spelling in data]


def test_the_secret_is_known_in_every_spelling() -> None:
    for data in (CANARY, quote(CANARY), quote_plus(CANARY), base64.b64encode(f"etl:{CANARY}".encode()).decode()):
        assert found_in(f"..{data}..".encode()), data


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, declared: str) -> Place:
    made = Place(tmp_path_factory.mktemp("canary"), CANARY=CANARY)
    made.declare(declared)
    return made


@pytest.fixture(scope="module")
def said(place: Place) -> dict[str, Done]:
    """What each command printed, in this order."""
    previews = [["preview", f"{style}-403", "--json"] for style in STYLES]
    previews += [["preview", f"{style}-next"] for style in STYLES]
    doctors = [["doctor", f"{style}-{path}"] for style in STYLES for path in ("next", "page")]
    halves = [["logs", f"{style}-half", DAY] for style in STYLES]
    return {" ".join(action): place(*action) for action in [*ACTIONS, *previews, *doctors, *halves]}


@pytest.mark.bar(13)
def test_it_was_sent_by_every_style(said: dict[str, Done], heard: Heard) -> None:
    assert said
    for style in STYLES:
        if not style.startswith("oauth"):
            assert any(found_in(sent) for sent in heard.sent if sent.startswith(f"/{style}/".encode())), style
    for how in (b"authorization: ", b"client_secret="):
        assert any(found_in(sent) for sent in heard.sent if sent.startswith(b"/token") and how in sent), how


@pytest.mark.bar(13)
def test_no_command_prints_it(said: dict[str, Done], proof: Proof) -> None:
    found = {name for name, done in said.items() if found_in((done.out + done.err).encode())}
    assert found == set()
    proof.figure("places searched for a secret: outputs of commands", len(said), least=len(STYLES))
    proof.figure("secrets found", len(found), most=0)
    assert said["run --json --date " + DAY].code == 1
    assert {row["state"] for row in said["run --json --date " + DAY].json()["partitions"]} >= {"complete", "failed"}


@pytest.mark.bar(13)
def test_no_file_of_the_lake_or_of_the_home_holds_it(said: dict[str, Done], place: Place, proof: Proof) -> None:
    files = [path for folder in (place.lake, place.home) for path in folder.rglob("*") if path.is_file()]
    kinds = {path.relative_to(place.folder).parts[1 if path.is_relative_to(place.lake) else 0] for path in files}
    assert kinds >= {"raw", "manifest", "dead", "control", ".option-a"}
    found = [path for path in files if found_in(contents(path))]
    assert found == []
    proof.figure("places searched for a secret: files of lake and home", len(files), least=len(STYLES) * len(PATHS))
    proof.figure("secrets found", len(found), most=0)


def contents(path: Path) -> bytes:
    """A file as it is, and as it is unpacked."""
    data = path.read_bytes()
    try:
        return data + gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return data


@pytest.mark.bar(13)
def test_no_line_of_a_functions_log_holds_it(
    tmp_path: Path, declared: str, caplog: pytest.LogCaptureFixture, proof: Proof
) -> None:
    """Neither what it says by itself, nor what the libraries beneath it tell the root logger."""
    caplog.set_level("DEBUG")
    sources = read_sources(declared, {})
    log = io.StringIO()
    pipeline = Pipeline(tmp_path, lambda request: b"", *sources.values())
    asked = build_client(sources, SystemClock(), canary)
    telemetry = Telemetry(Logger("canary", level="DEBUG", stream=log), Metrics("OptionA", "canary"))
    pipeline.services = msgspec.structs.replace(pipeline.services, fetch=asked, emit=telemetry)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    for name in sources:
        pipeline.send(name=name)
    with record_connections():
        outcomes = pipeline.drain(1_000)
    assert {"complete", "failed", "waiting"} <= set(outcomes)
    assert log.getvalue().count("failed") > len(STYLES)
    assert found_in((log.getvalue() + caplog.text).encode()) == []
    letters = [msgspec.json.encode(letter.cause) + letter.body for letter in pipeline.queue.dead]
    assert (len(letters) > len(STYLES), found_in(b"".join(letters))) == (True, [])
    lines = len(log.getvalue().splitlines()) + len(caplog.records)
    proof.figure("places searched for a secret: lines of logs, dead letters", lines + len(letters))


def canary(wanted: Reference) -> str:
    return CANARY


LITERALS = {
    "bearer": f'auth = {{ style = "bearer", token = "{CANARY}" }}',
    "api_key": f'auth = {{ style = "api_key", key = "{CANARY}" }}',
    "basic": f'auth = {{ style = "basic", username = "etl", password = "{CANARY}" }}',
    "oauth2": 'auth = { style = "oauth2", token_url = "https://x.test", client_id = "a", '
    f'client_secret = "{CANARY}" }}',
    "a header": f'headers = {{ Authorization = "Bearer {CANARY}" }}',
    "a parameter": f'params = {{ api_key = "{CANARY}" }}',
    "a body": f'method = "POST"\nbody = {{ password = "{CANARY}" }}',
    "the url's user": f'url = "https://etl:{quote(CANARY, "")}@api.test/x"',
    "the url's query": f'url = "https://api.test/x?api_key={quote(CANARY, "")}"',
    "half a reference": f'auth = {{ style = "bearer", token = "env:{CANARY} x" }}',
    "a key that is none": f'auth = {{ style = "bearer", token = "env:T", secret = "{CANARY}" }}',
    "what is not a table": f'auth = "{CANARY}"',
    "what is no text": f'auth = {{ style = "bearer", token = ["{CANARY}"] }}',
    "what is no TOML": f'auth = {{ style = "bearer" token = "{CANARY}" }}',
}


@pytest.mark.bar(13)
@pytest.mark.parametrize("name", LITERALS)
def test_a_secret_that_is_written_down_is_refused_and_not_repeated(name: str, option_a: Place, proof: Proof) -> None:
    url = "" if LITERALS[name].startswith("url") else 'url = "https://api.test/x"\n'
    option_a.declare(f"[sources.s]\n{url}{LITERALS[name]}\n")
    for action in (["check"], ["run", "--json"]):
        done = option_a(*action)
        assert done.code == 2, done
        assert found_in((done.out + done.err).encode()) == []
    proof.figure("secrets written down, refused and not repeated", 1)
