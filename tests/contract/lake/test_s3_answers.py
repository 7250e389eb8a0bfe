"""What a lake in a bucket makes of the answers that S3 gives and its imitations do not."""

from __future__ import annotations

import pytest

from option_a.aws.functions.worker import CHECKPOINT, LEASE
from option_a.ingest.errors import LakeError
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.open import ASKED_AGAIN, ONE_REQUEST, open_lake
from option_a.local.pipeline import limits_over
from tests.support.apis.http_server import Server, reply

SECRET = "hush-hush"


def error(status: int, code: str) -> bytes:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    return reply(body.encode(), status, {"Content-Type": "application/xml"})


def lake_at(server: Server, monkeypatch: pytest.MonkeyPatch) -> BucketLake:
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1"}
    for name, value in {**env, "AWS_ENDPOINT_URL": server.url}.items():
        monkeypatch.setenv(name, value)
    lake = open_lake("s3://bucket/prefix", {"AWS_ENDPOINT_URL": server.url})
    assert isinstance(lake, BucketLake)
    return lake


@pytest.mark.parametrize(
    ("status", "code", "tag"),
    [
        (412, "PreconditionFailed", "tag"),
        (412, "PreconditionFailed", None),
        (404, "NoSuchKey", "tag"),
        (409, "ConditionalRequestConflict", None),
    ],
)
def test_every_way_of_losing_a_swap_is_too_late_and_no_error(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, tag: str | None
) -> None:
    with Server(lambda exchange: exchange.send(error(status, code))) as server:
        assert lake_at(server, monkeypatch).compare_and_swap("key", b"x", tag) is None
    assert set(server.targets) == {"/bucket/prefix/key"}


def test_a_refusal_names_the_lake_and_the_way_out_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(lambda exchange: exchange.send(error(403, "AccessDenied"))) as server:
        lake = lake_at(server, monkeypatch)
        with pytest.raises(LakeError, match="s3://bucket/prefix") as caught:
            lake.put("key", b"x")
    assert "check the bucket, the credentials" in caught.value.hint
    assert SECRET not in str(caught.value)


def test_a_write_that_a_claim_allowed_is_over_or_given_up_before_the_claim_runs_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bucket cannot be fenced: what is asked again for minutes would write over another worker's pages."""
    with Server(lambda exchange: None) as server:
        lake = lake_at(server, monkeypatch)
    store, here = lake._store, limits_over(lake, lambda: False)
    assert store.retry_config["retry_timeout"] == ASKED_AGAIN
    assert "timeout" not in store.client_options
    assert lake.max_write_seconds == (ASKED_AGAIN + ONE_REQUEST).total_seconds()
    assert 2 * lake.max_write_seconds <= LEASE - CHECKPOINT
    assert 2 * lake.max_write_seconds <= here.lease - here.heartbeat


@pytest.mark.parametrize(
    ("name", "endpoint", "env"),
    [
        (
            "s3://bucket/prefix",
            "AWS_ENDPOINT",
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ALLOW_HTTP": "true"},
        ),
        (
            "az://bucket/prefix",
            "AZURE_STORAGE_ENDPOINT",
            {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5", "AZURE_ALLOW_HTTP": "true"},
        ),
        (
            "s3://bucket/prefix",
            "AWS_PROXY_URL",
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT": "http://minio.test"}
            | {"AWS_ALLOW_HTTP": "true"},
        ),
    ],
)
def test_what_the_environment_says_of_connections_holds(
    name: str, endpoint: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint over plain http, or a proxy: one client option given in code would put out all of these."""
    for unset in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(unset, raising=False)
    with Server(lambda exchange: exchange.send(error(404, "NoSuchKey"))) as server:
        for variable, value in {**env, endpoint: server.url}.items():
            monkeypatch.setenv(variable, value)
        assert open_lake(name, {}).get("key") is None
    (target,) = server.targets
    assert target.endswith("bucket/prefix/key")
