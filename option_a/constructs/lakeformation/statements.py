"""A right that several roles of Lake Formation's part have."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3


def listing(bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    """To list below a prefix, and never with none: what others have there would show."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}/*"]}},
    )
