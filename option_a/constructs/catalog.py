"""Glue: the database, and a crawler that infers what nobody declared."""

from __future__ import annotations

import json
import re

from aws_cdk import Aws, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from option_a.constructs import roles as access
from option_a.constructs.lake import Lake
from option_a.ingest.lake import RAW

CRAWLED = "crawled_"
"""What the names of the crawler's tables begin with, so that they are no declared table's."""
_CONFIGURATION = {
    "Version": 1.0,
    "CrawlerOutput": {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    },
    # level 1 is the bucket, 2 is raw/, 3 is source=…: one table a source
    "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3},
}
_READS = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions"]
_WRITES = [
    "glue:BatchCreatePartition",
    "glue:BatchGetPartition",
    "glue:BatchUpdatePartition",
    "glue:CreatePartition",
    "glue:CreateTable",
    "glue:UpdatePartition",
    "glue:UpdateTable",
]


def database_name(stack: str) -> str:
    """The database of a stack: Athena wants lower case, digits and underscores."""
    return re.sub(r"[^a-z0-9_]", "_", stack.lower())


class Catalog(Construct):
    """The database and its crawler, which never deletes and never touches a declared table."""

    def __init__(self, scope: Construct, id: str, *, lake: Lake) -> None:
        super().__init__(scope, id)
        self.name = database_name(Stack.of(self).stack_name)
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.name, description="The lake of Option A: a table a source"
            ),
        )
        role = access.role(
            self,
            "CrawlerRole",
            service="glue.amazonaws.com",
            description="What the crawler may do",
            statements=self._rights(lake),
        )
        self.crawler = glue.CfnCrawler(
            self,
            "Crawler",
            description="Infers a table a source from what has landed",
            role=role.role_arn,
            database_name=self.name,
            table_prefix=CRAWLED,
            targets=glue.CfnCrawler.TargetsProperty(
                s3_targets=[glue.CfnCrawler.S3TargetProperty(path=f"s3://{lake.bucket.bucket_name}/{RAW}/")]
            ),
            schedule=glue.CfnCrawler.ScheduleProperty(schedule_expression="cron(0 3 * * ? *)"),
            configuration=json.dumps(_CONFIGURATION, separators=(",", ":")),
            schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="LOG"
            ),
            recrawl_policy=glue.CfnCrawler.RecrawlPolicyProperty(recrawl_behavior="CRAWL_EVERYTHING"),
        )
        self.crawler.add_resource_dependency(self.database)

    def _rights(self, lake: Lake) -> list[iam.PolicyStatement]:
        entries = [access.arn("glue", name) for name in ("catalog", f"database/{self.name}")]
        crawled = access.arn("glue", f"table/{self.name}/{CRAWLED}*")
        every = access.arn("glue", f"table/{self.name}/*")
        log = access.arn("logs", "log-group:/aws-glue/crawlers")
        return [
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[lake.bucket.arn_for_objects(f"{RAW}/*")]),
            access.listing(lake.bucket, RAW),
            iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[lake.bucket.bucket_arn]),
            iam.PolicyStatement(actions=_READS, resources=[*entries, every]),
            iam.PolicyStatement(actions=_WRITES, resources=[*entries, crawled]),
            iam.PolicyStatement(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log, f"{log}:*"],
            ),
        ]
