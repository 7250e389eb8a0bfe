"""Secrets: of this machine, and of a Secrets Manager that is not ours, over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from option_a.aws.secrets import ManagedSecrets
from option_a.ingest.errors import SecretError, TransientError
from option_a.ingest.secrets import reference
from option_a.local.secrets import LocalSecrets
from tests.support.apis.http_server import Server as ApiServer
from tests.support.apis.http_server import reply
from tests.support.aws.moto import MotoServer, moto_server

SECRET = "sk_live_51H8"


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as running:
        client = running.client("secretsmanager")
        client.create_secret(Name="plain", SecretString=f"{SECRET}\n")
        client.create_secret(Name="team/json", SecretString=f'{{"token": "{SECRET}", "empty": "", "n": 1}}')
        client.create_secret(Name="binary", SecretBinary=b"\x00")
        yield running


def managed(server: MotoServer) -> ManagedSecrets:
    return ManagedSecrets(lambda: server.client("secretsmanager"))


@pytest.mark.parametrize("text", ["aws-secret:plain", "aws-secret:team/json#token"])
def test_a_managed_secret_is_read_whole_or_by_its_key(server: MotoServer, text: str) -> None:
    assert managed(server)(reference(text)) == SECRET


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("aws-secret:nobody", "the secret nobody cannot be read: ResourceNotFoundException"),
        ("aws-secret:binary", "is binary"),
        ("aws-secret:plain#token", "no text value under `token`"),
        ("aws-secret:team/json#other", "no text value under `other`"),
        ("aws-secret:team/json#empty", "no text value under `empty`"),
        ("aws-secret:team/json#n", "no text value under `n`"),
        ("env:T", "exists on your machine only"),
    ],
)
def test_one_that_cannot_be_used_is_named_with_the_way_out_and_never_shown(
    server: MotoServer, text: str, says: str
) -> None:
    with pytest.raises(SecretError) as caught:
        managed(server)(reference(text))
    assert says in caught.value.what
    assert caught.value.hint
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_outage_of_secrets_manager_is_transient(status: int) -> None:
    answer = b'{"__type": "ServiceUnavailable"}'
    with ApiServer(lambda exchange: exchange.send(reply(answer, status))) as down, pytest.raises(TransientError):
        ManagedSecrets(lambda: MotoServer(down.url).client("secretsmanager"))(reference("aws-secret:plain"))


def test_no_network_is_transient() -> None:
    nowhere = ManagedSecrets(lambda: MotoServer("http://127.0.0.1:9").client("secretsmanager"))
    with pytest.raises(TransientError, match="the secret plain"):
        nowhere(reference("aws-secret:plain"))


def test_variables_and_files_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    secrets = LocalSecrets({"T": f" {SECRET} "}, elsewhere=lambda wanted: f"of {wanted.name}")
    assert secrets(reference("env:T")) == SECRET
    assert secrets(reference(f"file:{tmp_path}/token")) == SECRET
    assert secrets(reference("aws-secret:plain")) == "of plain"


def test_what_this_machine_does_not_have_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    secrets = LocalSecrets({"EMPTY": ""}, elsewhere=lambda wanted: "")
    for text in ("env:NONE", "env:EMPTY", f"file:{tmp_path}/none", f"file:{tmp_path}/empty", f"file:{tmp_path}/bytes"):
        with pytest.raises(SecretError, match=text.partition(":")[2]) as caught:
            secrets(reference(text))
        assert caught.value.hint
