"""The lake's pages as a location of Lake Formation's, read by a role that can do nothing else."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct

from option_a.constructs.lake import Lake
from option_a.constructs.lakeformation.statements import listing
from option_a.ingest.lake import RAW
from option_a.lakeformation.grants import Mode


class Registration(Construct):
    """Whoever may read a table reads its pages with this role's rights, for an hour, and never with their own."""

    def __init__(self, scope: Construct, id: str, *, lake: Lake, mode: Mode) -> None:
        super().__init__(scope, id)
        self.place = lake.bucket.arn_for_objects(RAW)
        role = iam.Role(
            self,
            "DataAccess",
            assumed_by=iam.ServicePrincipal(
                "lakeformation.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            description="What Lake Formation reads the lake with",
            inline_policies={
                "Least": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{self.place}/*"]),
                        listing(lake.bucket, RAW),
                    ]
                )
            },
        )
        self.location = lakeformation.CfnResource(
            self,
            "Location",
            resource_arn=self.place,
            role_arn=role.role_arn,
            use_service_linked_role=False,
            hybrid_access_enabled=mode == "hybrid",
        )
