"""Lake Formation's answers name one thing in several ways; each is read as what it means."""

from __future__ import annotations

from typing import Any

import pytest

from option_a.lakeformation.granted import read
from option_a.lakeformation.grants import AllTables, Cells, Columns, Database, Location, Table


@pytest.mark.parametrize(
    ("resource", "meant"),
    [
        ({"Database": {"Name": "ours"}}, Database()),
        ({"Table": {"DatabaseName": "ours", "TableWildcard": {}}}, AllTables()),
        ({"Table": {"DatabaseName": "ours", "Name": "ALL_TABLES", "TableWildcard": {}}}, AllTables()),
        ({"TableWithColumns": {"DatabaseName": "ours", "Name": "ALL_TABLES", "ColumnWildcard": {}}}, AllTables()),
        ({"Table": {"DatabaseName": "ours", "Name": "t"}}, Table("t")),
        ({"TableWithColumns": {"DatabaseName": "ours", "Name": "t", "ColumnWildcard": {}}}, Table("t")),
        ({"TableWithColumns": {"Name": "t", "ColumnNames": ["b", "a"]}}, Columns("t", ("a", "b"))),
        (
            {"TableWithColumns": {"Name": "t", "ColumnWildcard": {"ExcludedColumnNames": ["b", "a"]}}},
            Columns("t", None, ("a", "b")),
        ),
        ({"DataCellsFilter": {"TableName": "t", "Name": "f"}}, Cells("f", Columns("t", None), "")),
        ({"DataLocation": {"ResourceArn": "arn:aws:s3:::lake/raw"}}, Location()),
        ({"LFTag": {"TagKey": "x"}}, None),
    ],
)
def test_one_thing_that_is_told_in_several_ways(resource: dict[str, Any], meant: object) -> None:
    assert read(resource) == meant
