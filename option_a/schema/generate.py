"""What is made of the types: the JSON Schema of sources.toml, and the tables of docs/sources.md. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from option_a.ingest.config import NAME, Source
from option_a.schema.texts import STRUCTS, Table, markdown, meanings

_TABLE = re.compile(r"(<!-- keys: ([\w-]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(#[^)]+\)")
TITLE = "sources.toml of Option A"


def schema(tables: list[Table]) -> str:
    """The JSON Schema, for editors: docs/sources.schema.json."""
    (root,), parts = msgspec.json.schema_components([Source], ref_template="#/$defs/{name}")
    del parts["Source"]["properties"]["name"]
    parts["Source"]["required"] = [key for key in parts["Source"].get("required", []) if key != "name"]
    for (struct, key), meaning in meanings(tables).items():
        parts[struct]["properties"][key]["description"] = _plain(meaning)
    for struct in STRUCTS:
        parts[struct].pop("title", None)
    document: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "sources": {
                "type": "object",
                "description": "One table a source, one source an API endpoint.",
                "propertyNames": {"pattern": f"^{NAME.pattern}$"},
                "additionalProperties": root,
            }
        },
        "$defs": dict(sorted(parts.items())),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def document(text: str, tables: list[Table]) -> str:
    """docs/sources.md with its tables made anew, each at its place."""
    made = {table.name: markdown(table) for table in tables if table.name is not None}
    return _TABLE.sub(lambda found: found[1] + made[found[2]] + found[3], text)


def _plain(meaning: str) -> str:
    """A text with no link into the document."""
    return _LINK.sub(r"\1", meaning).replace("; see below", "")
