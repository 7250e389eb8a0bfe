"""The tables of a source in Athena: one that any record fits, and a typed one where columns are declared."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_glue as glue
from constructs import Construct

from option_a.constructs import projection, typed
from option_a.constructs.catalog import Catalog
from option_a.constructs.lake import Lake
from option_a.ingest.config import Source
from option_a.ingest.lake import RAW
from option_a.names import text_table

_TEXT_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_NEVER = "\u0001"
"""A delimiter that JSON cannot hold raw: the whole line is one column."""
_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


class SourceTables(Construct):
    """Right from the first minute: their partitions are computed, so no crawl has to find them."""

    def __init__(self, scope: Construct, id: str, *, source: Source, lake: Lake, catalog: Catalog) -> None:
        super().__init__(scope, id)
        self._source, self._catalog = source, catalog
        self._location = f"s3://{lake.bucket.bucket_name}/{RAW}/source={source.name}/"
        self._table(
            "Lines",
            text_table(source.view),
            {"record": "string"},
            serde=_TEXT_SERDE,
            parameters={"field.delim": _NEVER, "serialization.format": _NEVER},
        )
        if source.columns:
            self._table("Typed", source.view, typed.columns(source), serde=typed.SERDE, parameters=typed.serde(source))

    def _table(
        self, id: str, name: str, columns: Mapping[str, str], *, serde: str, parameters: Mapping[str, str]
    ) -> None:
        glue.CfnTable(
            self,
            id,
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self._catalog.name,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=f"Records of {self._source.name}; a partition is a day",
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", **projection.parameters(self._source, self._location)},
                partition_keys=[_column(projection.KEY, "string")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[_column(name, kind) for name, kind in columns.items()],
                    location=self._location,
                    input_format=_INPUT,
                    output_format=_OUTPUT,
                    compressed=True,
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=serde, parameters=dict(parameters)
                    ),
                ),
            ),
        ).add_resource_dependency(self._catalog.database)


def _column(name: str, kind: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=kind)
