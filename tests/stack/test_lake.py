"""The buckets: private, encrypted, TLS only, and what becomes of them."""

from __future__ import annotations

import pytest

from tests.stack.assembly import DEFAULT, Assembly, Resource, default, flat, synthesize


def bucket(assembly: Assembly, output: str) -> Resource:
    """The bucket that an output names, with what stands beside its properties."""
    whole = assembly.whole("S3::Bucket")
    return whole[assembly.root["Outputs"][output]["Value"]["Ref"]]


@pytest.mark.parametrize("output", ["LakeBucket", "AthenaResultsBucket"])
def test_a_bucket_is_private_and_encrypted(output: str) -> None:
    properties = bucket(default(), output)["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@pytest.mark.parametrize("output", ["LakeBucket", "AthenaResultsBucket"])
def test_a_bucket_refuses_plain_http(output: str) -> None:
    id = default().root["Outputs"][output]["Value"]["Ref"]
    policy = default().one("S3::BucketPolicy", Bucket={"Ref": id})
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Action"] == "s3:*"
    assert statement["Principal"] == {"AWS": "*"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert flat(statement["Resource"]) == [f"${{{id}.Arn}}", f"${{{id}.Arn}}/*"]


def test_the_lake_keeps_old_versions_for_a_month() -> None:
    lake = bucket(default(), "LakeBucket")["Properties"]
    assert lake["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = lake["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rule["ExpiredObjectDeleteMarker"] is True
    assert "ExpirationInDays" not in rule, "a page is never too old"


def test_results_expire() -> None:
    (rule,) = bucket(default(), "AthenaResultsBucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 14)


def test_buckets_stay_unless_they_are_told_to_go() -> None:
    going = synthesize(DEFAULT, removal="destroy")
    for output in ("LakeBucket", "AthenaResultsBucket"):
        kept, gone = bucket(default(), output), bucket(going, output)
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert (gone["DeletionPolicy"], gone["UpdateReplacePolicy"]) == ("Delete", "Delete")
        assert "stays when the stack goes" in default().root["Outputs"][output]["Description"]
        assert "goes with the stack, once it is empty" in going.root["Outputs"][output]["Description"]
    assert going.root["Resources"].keys() == default().root["Resources"].keys(), "no function that empties them"
