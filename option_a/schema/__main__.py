"""`python -m option_a.schema`: writes docs/sources.schema.json, and the tables of docs/sources.md."""

from __future__ import annotations

from pathlib import Path

from option_a.schema.generate import document, schema
from option_a.schema.texts import tables

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Write both."""
    found = tables()
    (DOCS / "sources.schema.json").write_text(schema(found), "utf-8")
    page = DOCS / "sources.md"
    page.write_text(document(page.read_text("utf-8"), found), "utf-8")


if __name__ == "__main__":
    main()
