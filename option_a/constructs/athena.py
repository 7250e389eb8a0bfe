"""Athena: a workgroup that nobody can talk out of its limits, and queries to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from constructs import Construct

from option_a.constructs import queries
from option_a.constructs.catalog import Catalog
from option_a.constructs.lake import Lake
from option_a.constructs.switches import Switches
from option_a.ingest.config import Source

_GB = 10**9


class Athena(Construct):
    """Results in their own bucket, encrypted; a query that scans more than the cutoff is cancelled."""

    def __init__(
        self, scope: Construct, id: str, *, lake: Lake, catalog: Catalog, sources: Sequence[Source], switches: Switches
    ) -> None:
        super().__init__(scope, id)
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=Stack.of(self).stack_name,
            description="Option A: the lake's queries",
            recursive_delete_option=True,
            work_group_configuration=configuration(lake, switches),
        )
        for name, (description, sql) in queries.saved(sources, catalog.name).items():
            athena.CfnNamedQuery(
                self,
                name,
                name=name,
                description=description,
                database=catalog.name,
                query_string=sql,
                work_group=self.workgroup.name,
            ).add_resource_dependency(self.workgroup)


def configuration(
    lake: Lake, switches: Switches, prefix: str = ""
) -> athena.CfnWorkGroup.WorkGroupConfigurationProperty:
    """The limits of a workgroup; `prefix` is where its results go, in the bucket of results."""
    return athena.CfnWorkGroup.WorkGroupConfigurationProperty(
        enforce_work_group_configuration=True,
        publish_cloud_watch_metrics_enabled=True,
        bytes_scanned_cutoff_per_query=switches.scanCutoff * _GB,
        engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
        result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
            output_location=f"s3://{lake.results.bucket_name}/{prefix}",
            encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(encryption_option="SSE_S3"),
        ),
    )
