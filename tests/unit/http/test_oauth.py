"""OAuth2 client credentials: a token is asked for once, kept, renewed before its end and after a 401, shown nowhere."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from option_a.ingest.errors import ConfigError, HttpError, SecretError, TransientError
from option_a.ingest.http.auth import Authenticated
from option_a.ingest.ports import Request, Response
from option_a.ingest.secrets import Reference
from tests.support.clock import FakeClock

SECRET = "q7Rz9KfW2mXc"
URL = "https://login.test/token"
TABLE = f'{{ style = "oauth2", token_url = "{URL}", client_id = "us", client_secret = "env:S"'
ASKED = Request("s", "https://api.test/s")


def declared(more: str = "", name: str = "s") -> dict[str, Source]:
    return read_sources(f'[sources.{name}]\nurl = "https://api.test/s"\nauth = {TABLE}{more} }}\n', {})


class Issuer:
    """Gives tokens t1, t2, … and takes the newest alone; `gives` changes what it answers."""

    def __init__(self, **gives: Any) -> None:
        self.gives = {"expires_in": 3600, **gives}
        self.asked: list[Request] = []
        self.served = 0
        self.refusal: Exception | None = None
        self.revoked = False
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        with self._lock:
            if request.url == URL:
                return self._give(request)
            if self.revoked or request.headers.get("Authorization") != f"Bearer t{len(self.asked)}":
                self.revoked = False
                raise HttpError("the API answered 401", status=401)
            self.served += 1
            return Response(200, {}, b"{}")

    def _give(self, request: Request) -> Response:
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal
        token = {"access_token": f"t{len(self.asked)}", "token_type": "Bearer", **self.gives}
        return Response(200, {}, json.dumps({k: v for k, v in token.items() if v is not None}).encode())


def secret(wanted: Reference) -> str:
    return SECRET


def fetching(issuer: Issuer, clock: FakeClock, more: str = "") -> Authenticated:
    return Authenticated(issuer, declared(more), secret, clock)


def test_a_token_is_asked_for_as_the_rfc_has_it() -> None:
    issuer = Issuer()
    fetching(issuer, FakeClock(), ', scope = "read all", audience = "api"')(ASKED)
    (asked,) = issuer.asked
    assert (asked.method, asked.headers) == ("POST", {"Content-Type": "application/x-www-form-urlencoded"})
    assert parse_qs((asked.body or b"").decode()) == {
        "grant_type": ["client_credentials"], "client_id": ["us"], "client_secret": [SECRET],
        "scope": ["read all"], "audience": ["api"],
    }  # fmt: skip
    assert SECRET not in repr(asked)


def test_the_client_may_prove_itself_in_a_header() -> None:
    issuer = Issuer()
    fetching(issuer, FakeClock(), ', send = "basic"')(ASKED)
    (asked,) = issuer.asked
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(f"us:{SECRET}".encode()).decode()
    assert asked.body == b"grant_type=client_credentials"


@pytest.mark.parametrize(
    ("life", "seconds"),
    [(3600, 3540), (100, 90), ("600", 540), (None, 270), (0, 0.9), ("soon", 270)],
)
def test_a_token_is_kept_until_shortly_before_its_end(life: object, seconds: float) -> None:
    issuer, clock = Issuer(expires_in=life), FakeClock()
    fetch = fetching(issuer, clock)
    fetch(ASKED)
    clock.sleep(seconds - 0.05)
    fetch(ASKED)
    assert len(issuer.asked) == 1
    clock.sleep(0.1)
    fetch(ASKED)
    assert (len(issuer.asked), issuer.served) == (2, 3)


def test_a_token_that_is_refused_is_renewed_once() -> None:
    issuer, clock = Issuer(), FakeClock()
    fetch = fetching(issuer, clock)
    fetch(ASKED)
    clock.sleep(1)
    issuer.revoked = True
    assert fetch(ASKED).status == 200
    assert (len(issuer.asked), issuer.served) == (2, 2)


def test_a_token_that_was_just_given_and_is_refused_is_final() -> None:
    issuer = Issuer()
    issuer.revoked = True
    with pytest.raises(HttpError, match="401"):
        fetching(issuer, FakeClock())(ASKED)
    assert len(issuer.asked) == 1


def test_threads_and_sources_of_one_client_share_a_token() -> None:
    issuer = Issuer()
    sources = declared() | declared(name="t")
    fetch = Authenticated(issuer, sources, secret, FakeClock())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: fetch(Request("st"[n % 2], "https://api.test/s")), range(32)))
    assert [answer.status for answer in answers] == [200] * 32
    assert len(issuer.asked) == 1


def test_every_thread_whose_token_was_revoked_goes_on_with_the_new_one() -> None:
    """The second one to be refused finds a token younger than its own request, and must not give up."""
    issuer, clock, meeting = Issuer(), FakeClock(), threading.Barrier(4, timeout=20)

    def api(request: Request) -> Response:
        if request.url != URL and request.headers["Authorization"] == "Bearer t1" and issuer.served:
            meeting.wait()
            clock.sleep(0.5)
            raise HttpError("the API answered 401", status=401)
        return issuer(request)

    fetch = Authenticated(api, declared(), secret, clock)
    fetch(ASKED)
    clock.sleep(1)
    with ThreadPoolExecutor(4) as pool:
        assert [answer.status for answer in pool.map(fetch, [ASKED] * 4)] == [200] * 4
    assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error": "invalid_client", "error_description": "q7Rz9KfW2mXc"}', "answered 401, invalid_client"),
        (b'{"error": "q7Rz9KfW2mXc"}', "answered 401"),
        (b"<html>q7Rz9KfW2mXc</html>", "answered 401"),
        (None, "answered 401"),
    ],
)
def test_a_client_that_is_refused_is_told_without_its_secret(body: bytes | None, says: str) -> None:
    issuer = Issuer()
    issuer.refusal = HttpError("the API answered 401", status=401, body=body)
    with pytest.raises(SecretError) as caught:
        fetching(issuer, FakeClock())(ASKED)
    assert "no token from login.test" in str(caught.value)
    assert says in str(caught.value)
    assert "client_secret" in caught.value.hint
    assert SECRET not in str(caught.value)
    assert caught.value.body is None


def test_a_refusal_that_repeats_the_token_is_kept_without_it() -> None:
    issuer = Issuer(access_token="tok-5f3a9b1c7e")

    def api(request: Request) -> Response:
        if request.url == URL:
            return issuer(request)
        raise HttpError("the API answered 403", status=403, body=b"tok-5f3a9b1c7e may not")

    with pytest.raises(HttpError) as caught:
        Authenticated(api, declared(), secret, FakeClock())(ASKED)
    assert caught.value.body == b"*** may not"


def test_an_issuer_that_is_down_is_waited_for() -> None:
    issuer = Issuer()
    issuer.refusal = TransientError("the API answered 503", retry_after=7.0)
    with pytest.raises(TransientError, match=r"no token from login.test: the API answered 503") as caught:
        fetching(issuer, FakeClock())(ASKED)
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize(
    "gives", [{"access_token": None}, {"access_token": ""}, {"token_type": "mac"}, {"access_token": 7}]
)
def test_an_answer_that_holds_no_bearer_token_is_an_error(gives: dict[str, Any]) -> None:
    with pytest.raises(SecretError, match=r"login\.test"):
        fetching(Issuer(**gives), FakeClock())(ASKED)


@pytest.mark.parametrize("deep", [b'{"x":' * 9_000, b"[" * 100_000])
def test_an_answer_that_is_nested_too_deeply_is_none(deep: bytes) -> None:
    def answered(request: Request) -> Response:
        return Response(200, {}, deep)

    def refused(request: Request) -> Response:
        raise HttpError("the API answered 400", status=400, body=deep)

    for issuer in (answered, refused):
        with pytest.raises(SecretError, match=r"login\.test"):
            Authenticated(issuer, declared(""), secret, FakeClock())(ASKED)


def test_the_secrets_of_a_client_are_those_that_it_names() -> None:
    assert declared()["s"].secrets == ("env:S",)
    text = TABLE.replace('client_id = "us"', 'client_id = "env:ID"')
    source = read_sources(f'[sources.s]\nurl = "https://api.test/s"\nauth = {text} }}\n', {})["s"]
    assert source.secrets == ("env:ID", "env:S")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"env:S"', f'"{SECRET}"'), "not a secret reference"),
        ((URL, "ftp://login.test"), "`token_url` is not a valid URL"),
        (("token_url", "token_uri"), "key `token_uri` is unknown; did you mean `token_url`"),
        (('"us"', '"us", send = "header"'), "Invalid value"),
    ],
)
def test_a_client_that_cannot_be_is_refused(change: tuple[str, str], message: str) -> None:
    text = TABLE.replace(*change)
    with pytest.raises(ConfigError, match=message) as caught:
        read_sources(f'[sources.s]\nurl = "https://api.test/s"\nauth = {text} }}\n', {})
    assert SECRET not in str(caught.value)
