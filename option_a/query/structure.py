"""What the records of a source look like: DuckDB's JSON structures, made one, and columns for SQL. Pure.

A structure is a type's name, a list of one structure, or an object of structures, as `json_group_structure` gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Structure = Any

_WHOLE = {"UBIGINT", "BIGINT"}
_NUMBERS = {*_WHOLE, "HUGEINT", "DOUBLE"}
_CASTS = {
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "decimal": "DECIMAL(38, 9)",
}


def merge(one: Structure, other: Structure) -> Structure:
    """The structure that holds the values of both; JSON, which is text, where they have nothing in common."""
    if one == other or other == "NULL":
        return one
    if one == "NULL":
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merge(one.get(key, "NULL"), other.get(key, "NULL")) for key in one | other}
    if isinstance(one, list) and isinstance(other, list):
        return [merge(one[0], other[0])]
    if isinstance(one, str) and isinstance(other, str) and {one, other} <= _NUMBERS:
        return "BIGINT" if {one, other} <= _WHOLE else "DOUBLE"
    return "JSON"


def typed(structure: Structure) -> Structure:
    """The structure as columns have it: whole numbers signed, what is always null as JSON, keys that SQL can tell."""
    if isinstance(structure, dict):
        if not structure or _clash(structure):
            return "JSON"
        return {key: typed(value) for key, value in structure.items()}
    if isinstance(structure, list):
        return [typed(structure[0])]
    return {"UBIGINT": "BIGINT", "NULL": "JSON"}.get(structure, structure)


def columns_of(structure: Structure) -> dict[str, Structure]:
    """The columns of records of that structure. Of keys that differ in case alone the first: SQL cannot tell them.

    Nor has it a name for the empty key.
    """
    columns: dict[str, Structure] = {}
    taken = {""}
    for key, value in structure.items() if isinstance(structure, dict) else ():
        if key.lower() not in taken:
            taken.add(key.lower())
            columns[key] = typed(value)
    return columns


def declared_columns(columns: Mapping[str, str]) -> tuple[dict[str, Structure], dict[str, str]]:
    """The columns that sources.toml declares: how they are read, as text, and to what they are cast."""
    read = {key: "JSON" if kind == "json" else "VARCHAR" for key, kind in columns.items()}
    return read, {key: _CASTS[kind] for key, kind in columns.items() if kind in _CASTS}


def _clash(structure: Mapping[str, Structure]) -> bool:
    return "" in structure or len({key.lower() for key in structure}) != len(structure)
