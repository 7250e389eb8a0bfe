"""A lake in a bucket, on an S3 server that is not ours, over the wire."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import DAY, Place
from tests.support.aws.moto import MotoServer

LAKE = "s3://option-a-lake/deep/inside"


class Bucket:
    """The bucket as another client sees it."""

    def __init__(self, aws: MotoServer) -> None:
        self.env = {**aws.env, "OPTION_A_LAKE": LAKE}
        self._client: Any = aws.client("s3")

    def empty(self) -> None:
        self._client.create_bucket(Bucket="option-a-lake")
        for key in self.objects():
            self.delete(key)

    def objects(self) -> dict[str, bytes]:
        found = self._client.list_objects_v2(Bucket="option-a-lake").get("Contents", [])
        return {item["Key"]: self._get(item["Key"]) for item in found}

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket="option-a-lake", Key=key)

    def _get(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket="option-a-lake", Key=key)["Body"].read()
        return body


@pytest.fixture
def bucket(server: MotoServer) -> Bucket:
    made = Bucket(server)
    made.empty()
    return made


@pytest.fixture
def option_a(tmp_path: Path, bucket: Bucket) -> Place:
    return Place(tmp_path, **bucket.env)


def test_a_bucket_holds_the_same_keys_and_bytes_as_a_folder(option_a: Place, bucket: Bucket) -> None:
    assert option_a("run", "--date", DAY).code == 0
    assert option_a("run", "--date", DAY, "--lake", "lake").code == 0
    pages = {key: data for key, data in bucket.objects().items() if "/raw/" in key}
    folder = {f"deep/inside/{key}": data for key, (_, data) in option_a.files().items() if key.startswith("raw/")}
    assert pages == folder
    assert pages
    assert {key.split("/")[2] for key in bucket.objects()} == {"raw", "manifest"}


def test_run_status_verify_and_query_work_over_a_bucket(option_a: Place, bucket: Bucket) -> None:
    first = option_a("run", "--date", DAY)
    assert first.code == 0, first.err
    before = bucket.objects()
    assert "Nothing to do" in option_a("run", "--date", DAY).out
    assert bucket.objects() == before
    rows = [row for row in option_a("status", "--json").json()["partitions"] if row["date"] == DAY]
    assert [row["state"] for row in rows] == ["complete"] * 4
    verified = option_a("verify", "--json").json()
    assert verified["ok"] is True
    assert verified["read"]["records"] == sum(row["records"] for row in rows)
    lines = sum(gzip.decompress(data).count(b"\n") for key, data in before.items() if "/raw/" in key)
    for view in ("raw", "(SELECT id FROM api_a UNION ALL SELECT id FROM api_b UNION ALL SELECT id FROM api_c "
                 "UNION ALL SELECT id FROM api_d)"):  # fmt: skip
        answer = option_a("query", f"SELECT count(*) AS n FROM {view}", "--format", "json")
        assert answer.json() == [{"n": lines}]


def test_a_fresh_load_is_promoted_within_the_bucket(option_a: Place, bucket: Bucket) -> None:
    option_a("run", "--date", DAY, "--source", "api-a")
    before = {key: data for key, data in bucket.objects().items() if "/raw/" in key}
    bucket.delete(next(iter(before)))
    assert option_a("verify").code == 1
    assert option_a("run", "--date", DAY, "--source", "api-a", "--fresh").code == 0
    after = bucket.objects()
    assert {key: data for key, data in after.items() if "/raw/" in key} == before
    assert not [key for key in after if "/staging/" in key]
    assert option_a("verify").code == 0


def test_looking_at_an_empty_bucket_writes_nothing(option_a: Place, bucket: Bucket) -> None:
    for look in ("status", "plan", "verify", "query"):
        assert option_a(look).code == 0, look
    assert bucket.objects() == {}


def test_a_bucket_that_is_not_there_is_named(option_a: Place) -> None:
    done = option_a("run", "--date", DAY, "--lake", "s3://no-such-bucket/lake")
    assert done.code == 1
    assert "error: cannot " in done.err
    assert "in the lake s3://no-such-bucket/lake" in done.err
    assert "check the bucket, the credentials and the network" in done.err
    assert "testing" not in done.err
