"""The two buckets: the lake, and what Athena answers."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from option_a.constructs.switches import Switches

_RESULTS_KEPT = Duration.days(14)
_OLD_VERSIONS_KEPT = Duration.days(30)


class Lake(Construct):
    """Private, encrypted, TLS only. The lake is versioned: a page that was overwritten can be had back for 30 days."""

    def __init__(self, scope: Construct, id: str, *, switches: Switches) -> None:
        super().__init__(scope, id)
        self.bucket = self._bucket(
            "Bucket",
            switches,
            versioned=True,
            lifecycle=s3.LifecycleRule(
                id="old-versions-and-aborted-uploads",
                noncurrent_version_expiration=_OLD_VERSIONS_KEPT,
                expired_object_delete_marker=True,
                abort_incomplete_multipart_upload_after=Duration.days(7),
            ),
        )
        self.results = self._bucket(
            "Results",
            switches,
            versioned=False,
            lifecycle=s3.LifecycleRule(
                id="results-expire",
                expiration=_RESULTS_KEPT,
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
        )

    def _bucket(self, id: str, switches: Switches, *, versioned: bool, lifecycle: s3.LifecycleRule) -> s3.Bucket:
        return s3.Bucket(
            self,
            id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=versioned,
            lifecycle_rules=[lifecycle],
            removal_policy=RemovalPolicy.DESTROY if switches.destroys else RemovalPolicy.RETAIN,
        )
