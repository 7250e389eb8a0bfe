"""Glue and Athena: the crawler, the tables that are right from the first minute, the workgroup."""

from __future__ import annotations

import json
from functools import cache

import pytest

from tests.stack.assembly import DEFAULT, STACK, Assembly, Resource, default, flat, synthesize

DATABASE = "optionaingestiondemopy"
COLUMNS = """
[sources.orders]
url = "https://api.example.com/orders"
date_param = "date"
since = 2026-01-01
date_offset = 3
columns = { id = "bigint", Price = "decimal", "a.b" = "json", seen_at = "timestamp", day = "date", ok = "boolean", x = "double", "größe" = "string" }
"""  # noqa: E501 - one line of TOML


@cache
def typed() -> Assembly:
    return synthesize(COLUMNS)


def table(assembly: Assembly, name: str) -> Resource:
    tables = [one["TableInput"] for one in assembly.all("Glue::Table").values()]
    found: list[Resource] = [table for table in tables if table["Name"] == name]
    assert len(found) == 1
    return found[0]


def test_the_database_is_of_the_stack() -> None:
    assert default().one("Glue::Database")["DatabaseInput"]["Name"] == DATABASE
    assert default().root["Outputs"]["GlueDatabase"]["Value"] == DATABASE
    assert {one["DatabaseName"] for one in default().all("Glue::Table").values()} == {DATABASE}


def test_the_crawler_merges_and_never_deletes() -> None:
    crawler = default().one("Glue::Crawler")
    assert flat(crawler["Targets"]) == {"S3Targets": [{"Path": "s3://${LakeBucketB1D32E10}/raw/"}]}
    assert crawler["Schedule"] == {"ScheduleExpression": "cron(0 3 * * ? *)"}
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}
    assert crawler["TablePrefix"] == "crawled_"
    told = json.loads(crawler["Configuration"])
    assert told["Grouping"] == {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3}
    assert told["CrawlerOutput"] == {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    }


@pytest.mark.parametrize("source", ["api-a", "api-b", "api-c", "api-d"])
def test_a_source_has_a_table_of_its_lines(source: str) -> None:
    found = table(default(), f"{source.replace('-', '_')}_lines")
    place = f"s3://${{LakeBucketB1D32E10}}/raw/source={source}/"
    assert flat(found["StorageDescriptor"]["Location"]) == place
    assert found["StorageDescriptor"]["Columns"] == [{"Name": "record", "Type": "string"}]
    assert found["PartitionKeys"] == [{"Name": "ingestion_date", "Type": "string"}]
    serde = found["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    assert serde["Parameters"] == {"field.delim": "\u0001", "serialization.format": "\u0001"}
    assert found["TableType"] == "EXTERNAL_TABLE"
    assert flat(found["Parameters"]) == {
        "EXTERNAL": "TRUE",
        "projection.enabled": "true",
        "projection.ingestion_date.type": "date",
        "projection.ingestion_date.format": "yyyy-MM-dd",
        "projection.ingestion_date.range": "2000-01-01,NOW+1DAYS",
        "projection.ingestion_date.interval": "1",
        "projection.ingestion_date.interval.unit": "DAYS",
        "storage.location.template": f"{place}ingestion_date=${{ingestion_date}}/",
    }


def test_only_declared_columns_make_a_typed_table() -> None:
    assert len(default().all("Glue::Table")) == 4
    names = {one["TableInput"]["Name"] for one in typed().all("Glue::Table").values()}
    assert names == {"orders", "orders_lines"}


def test_the_typed_table_declares_what_its_serde_can_read() -> None:
    found = table(typed(), "orders")["StorageDescriptor"]
    assert {one["Name"]: one["Type"] for one in found["Columns"]} == {
        "id": "bigint",
        "price": "string",
        "a_b": "string",
        "seen_at": "string",
        "day": "string",
        "ok": "boolean",
        "x": "double",
        "gr__e": "string",
    }
    assert found["SerdeInfo"] == {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {
            "ignore.malformed.json": "true",
            "case.insensitive": "false",
            "dots.in.keys": "true",
            "mapping.price": "Price",
            "mapping.gr__e": "größe",
        },
    }


def test_projection_begins_with_the_source_and_reaches_as_far_ahead_as_it() -> None:
    for name in ("orders", "orders_lines"):
        assert table(typed(), name)["Parameters"]["projection.ingestion_date.range"] == "2026-01-01,NOW+4DAYS"


def test_the_workgroup_is_enforced() -> None:
    group = default().one("Athena::WorkGroup")
    told = group["WorkGroupConfiguration"]
    assert (group["Name"], group["RecursiveDeleteOption"]) == (STACK, True)
    assert told["EnforceWorkGroupConfiguration"] is told["PublishCloudWatchMetricsEnabled"] is True
    assert told["BytesScannedCutoffPerQuery"] == 100 * 10**9
    assert told["EngineVersion"] == {"SelectedEngineVersion": "Athena engine version 3"}
    results = default().root["Outputs"]["AthenaResultsBucket"]["Value"]["Ref"]
    assert flat(told["ResultConfiguration"]) == {
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
        "OutputLocation": f"s3://${{{results}}}/",
    }


def test_the_cutoff_is_a_switch() -> None:
    group = synthesize(DEFAULT, scanCutoff=5).one("Athena::WorkGroup")
    assert group["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"] == 5 * 10**9


def test_queries_are_saved_in_the_workgroup() -> None:
    assert {one["Name"] for one in typed().all("Athena::NamedQuery").values()} == {
        *("records-a-day", "newest-records", "pages-of-a-day", "a-field", "typed")
    }
    for saved in typed().all("Athena::NamedQuery").values():
        assert (saved["WorkGroup"], saved["Database"]) == (STACK, DATABASE)
        assert len(saved["Description"]) > 10
