"""Credentials: named in sources.toml, read when they are needed, shown nowhere."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from option_a.ingest.errors import ConfigError, HttpError, SecretError
from option_a.ingest.http.auth import KEPT, Authenticated
from option_a.ingest.ports import Request, Response
from option_a.ingest.secrets import Reference, reference
from tests.support.clock import FakeClock

SECRET = "sk_live_51H8"


def declared(auth: str) -> Source:
    return read_sources(f'[sources.s]\nurl = "https://api.test/s"\nauth = {auth}\n', {})["s"]


class Vault:
    """Secrets whose value can be changed; counts what was read."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.read: list[Reference] = []

    def __call__(self, wanted: Reference) -> str:
        self.read.append(wanted)
        return self.value


class Api:
    """Takes one token and answers 401 to any other."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.seen: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.seen.append(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise HttpError("the API answered 401", status=401)
        return Response(200, {}, b"{}")


def fetching(api: Api, vault: Vault, clock: FakeClock) -> Authenticated:
    return Authenticated(api, {"s": declared('{ style = "bearer", token = "env:T" }')}, vault, clock)


def test_each_style_makes_its_header() -> None:
    cases = {
        '{ style = "bearer", token = "env:T" }': {"Authorization": f"Bearer {SECRET}"},
        '{ style = "api_key", key = "file:/k" }': {"X-Api-Key": SECRET},
        '{ style = "api_key", key = "env:T", header = "Api-Token" }': {"Api-Token": SECRET},
        '{ style = "api_key", key = "env:T", param = "key" }': {},
        '{ style = "basic", username = "u", password = "aws-secret:a/b#c" }': {
            "Authorization": "Basic " + base64.b64encode(f"u:{SECRET}".encode()).decode()
        },
    }
    for text, headers in cases.items():
        auth = declared(text).auth
        assert auth is not None
        assert auth.headers(lambda wanted: SECRET) == headers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("env:T", Reference("env", "T")),
        ("file:/run/secrets/t", Reference("file", "/run/secrets/t")),
        ("aws-secret:team/orders", Reference("aws-secret", "team/orders")),
        ("aws-secret:team/orders#token", Reference("aws-secret", "team/orders", "token")),
    ],
)
def test_references_are_read(text: str, found: Reference) -> None:
    assert reference(text) == found


@given(st.text(max_size=40))
def test_what_is_no_reference_is_refused_and_never_repeated(text: str) -> None:
    if text.startswith(("env:", "file:", "aws-secret:")):
        return
    with pytest.raises(ValueError, match="not a secret reference") as caught:
        reference(text)
    with pytest.raises(ValueError, match="not a secret reference") as other:
        reference("another")
    assert str(caught.value) == str(other.value)


def test_a_literal_secret_in_the_file_is_refused_with_the_forms_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        declared(f'{{ style = "bearer", token = "{SECRET}" }}')
    assert "env:NAME, file:PATH or aws-secret:NAME#key" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_secret_is_read_once_and_again_when_it_is_old() -> None:
    api, vault, clock = Api(SECRET), Vault(SECRET), FakeClock()
    fetch = fetching(api, vault, clock)
    for _ in range(3):
        fetch(Request("s", "https://api.test/s"))
    assert len(vault.read) == 1
    clock.sleep(KEPT)
    fetch(Request("s", "https://api.test/s"))
    assert len(vault.read) == 2


def test_a_secret_that_was_rotated_is_taken_up_at_the_first_401() -> None:
    api, vault, clock = Api(SECRET), Vault(SECRET), FakeClock()
    fetch = fetching(api, vault, clock)
    fetch(Request("s", "https://api.test/s"))
    api.token = vault.value = "new"
    clock.sleep(1)
    assert fetch(Request("s", "https://api.test/s")).status == 200
    assert len(api.seen) == 3


def test_a_rotated_secret_is_taken_up_by_every_thread_that_had_sent_the_old_one() -> None:
    together = threading.Barrier(4)

    class Strict(Api):
        def __call__(self, request: Request) -> Response:
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                together.wait(20)  # all four have sent the old one before any is refused
            return super().__call__(request)

    api, vault, clock = Strict(SECRET), Vault(SECRET), FakeClock()
    fetch = fetching(api, vault, clock)
    fetch(Request("s", "https://api.test/s"))
    api.token = vault.value = "new"
    clock.sleep(1)
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(fetch, Request("s", "https://api.test/s")) for _ in range(4)]
        assert [answer.result().status for answer in answers] == [200] * 4


def test_a_401_to_what_was_just_read_is_final() -> None:
    api, vault = Api("other"), Vault(SECRET)
    with pytest.raises(HttpError):
        fetching(api, vault, FakeClock())(Request("s", "https://api.test/s"))
    assert (len(api.seen), len(vault.read)) == (1, 1)


@pytest.mark.parametrize("value", ["a\nb", "ключ", "a\x00"])
def test_a_secret_that_no_header_may_hold_is_an_error_that_does_not_show_it(value: str) -> None:
    with pytest.raises(SecretError, match="env:T") as caught:
        fetching(Api(""), Vault(value), FakeClock())(Request("s", "https://api.test/s"))
    assert value not in str(caught.value)


def test_a_request_does_not_show_its_headers() -> None:
    request = msgspec.structs.replace(Request("s", "https://api.test/s"), headers={"Authorization": SECRET})
    assert SECRET not in repr(request)


def sent(text: str, secret: str = SECRET) -> Request:
    """What reaches the fetch of a source with these lines."""
    source = read_sources(f'[sources.s]\nurl = "https://api.test/s"\n{text}\n', {})["s"]
    seen: list[Request] = []

    def api(request: Request) -> Response:
        seen.append(request)
        return Response(200, {}, b"{}")

    Authenticated(api, {"s": source}, Vault(secret), FakeClock())(
        Request("s", "https://api.test/s", {"page": "1"}, headers=source.plain_headers)
    )
    return seen[0]


def test_a_key_in_the_query_is_sent_and_not_shown() -> None:
    request = sent('auth = { style = "api_key", key = "env:T", param = "key" }')
    assert (request.credentials, request.params, request.headers) == ({"key": SECRET}, {"page": "1"}, {})
    assert SECRET not in repr(request)


def test_headers_and_parameters_may_name_secrets_too() -> None:
    request = sent('headers = { X-Org = "env:ORG", X-Plain = "a" }\nparams = { t = "env:T", n = 1 }')
    assert request.headers == {"X-Org": SECRET, "X-Plain": "a"}
    assert request.credentials == {"t": SECRET}


def test_a_named_header_goes_along_with_a_style() -> None:
    request = sent('headers = { X-Org = "env:ORG" }\nauth = { style = "bearer", token = "env:T" }')
    assert request.headers == {"X-Org": SECRET, "Authorization": f"Bearer {SECRET}"}


def test_a_header_that_names_what_no_header_may_hold_is_an_error() -> None:
    with pytest.raises(SecretError, match="env:ORG"):
        sent('headers = { X-Org = "env:ORG" }', "a\nb")


def test_a_refusal_that_repeats_the_key_is_kept_without_it() -> None:
    def api(request: Request) -> Response:
        raise HttpError("the API answered 403", status=403, body=b"no: s+k/e=y9 s%2Bk%2Fe%3Dy9 no")

    source = declared('{ style = "api_key", key = "env:T", param = "key" }')
    with pytest.raises(HttpError) as caught:
        Authenticated(api, {"s": source}, Vault("s+k/e=y9"), FakeClock())(Request("s", "https://api.test/s"))
    assert caught.value.body == b"no: *** *** no"


@pytest.mark.parametrize(
    ("secret", "body", "kept"),
    [
        ('"k\\y9z8', b'"k\\y9z8 \\"k\\\\y9z8', b"*** ***"),
        ("s+k/e=&y9", b"s\\u002Bk/e=\\u0026y9 s\\u002bk\\/e=\\u0026y9 s+k/e=\\u0026y9", b"*** *** ***"),
        ("abcdef", b"abcdef", b"***"),
        ("abcde", b"abcde", b"abcde"),
    ],
)
def test_a_key_is_known_as_json_has_it_too_and_by_six_characters(secret: str, body: bytes, kept: bytes) -> None:
    source = declared('{ style = "api_key", key = "env:T", param = "key" }')
    authorized = Authenticated(lambda request: Response(200, {}, b""), {"s": source}, Vault(secret), FakeClock())
    assert authorized(Request("s", "https://api.test/s")).redact(body) == kept


@pytest.mark.parametrize(
    ("auth", "body"),
    [
        ('{ style = "api_key", key = "env:T", param = "key" }', b"s+k/e=&y9 s%2Bk%2Fe%3D%26y9 s%2bk%2fe%3d%26y9"),
        ('{ style = "api_key", key = "env:T" }', b"s+k/e=&amp;y9 s+k\\/e=&y9 s%2Bk/e%3D%26y9"),
        ('{ style = "basic", username = "etl", password = "env:T" }', b"ZXRsOnMray9lPSZ5OQ== s+k/e=&y9 s+k/e=&y9"),
    ],
)
def test_an_answer_hides_what_was_sent_for_it_and_shows_nothing_of_it_itself(auth: str, body: bytes) -> None:
    def api(request: Request) -> Response:
        return Response(200, {}, b"{}")

    answer = Authenticated(api, {"s": declared(auth)}, Vault("s+k/e=&y9"), FakeClock())(
        Request("s", "https://api.test/s")
    )
    assert answer.redact(b"is: " + body) == b"is: *** *** ***"
    assert "y9" not in repr(answer)


def test_a_key_has_one_place() -> None:
    with pytest.raises(ConfigError, match="`header` and `param` are mutually exclusive"):
        declared('{ style = "api_key", key = "env:T", param = "key", header = "X-Key" }')
    with pytest.raises(ConfigError, match="not a valid header name"):
        declared('{ style = "api_key", key = "env:T", header = "X Key" }')
