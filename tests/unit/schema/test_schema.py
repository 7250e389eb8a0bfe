"""What is generated from the types: it is up to date, it takes what `check` takes, and it refuses what is none."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from option_a.ingest.config.read import STYLES, read_sources
from option_a.schema.generate import document, schema
from option_a.schema.texts import STRUCTS, Row, Table, fields, markdown, meanings, tables

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
FILES = [ROOT / "sources.toml", ROOT / "examples" / "nyc_flights" / "sources.toml"]
STALE = "run `make docs`"


@pytest.fixture(scope="module")
def validator() -> Any:
    import jsonschema  # type: ignore[import-untyped]  # two seconds, where its checks of formats are installed too

    written = json.loads((DOCS / "sources.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(written)
    return jsonschema.Draft7Validator(written, format_checker=jsonschema.FormatChecker())


def plain(text: str) -> Any:
    """A TOML document as JSON has it, dates as text."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def test_the_schema_is_what_the_types_make_of_it() -> None:
    assert (DOCS / "sources.schema.json").read_text("utf-8") == schema(tables()), STALE


def test_the_tables_of_the_document_are_what_the_types_make_of_them() -> None:
    text = (DOCS / "sources.md").read_text("utf-8")
    assert text == document(text, tables()), STALE
    placed = re.findall(r"<!-- keys: ([\w-]+) -->", text)
    assert sorted(placed) == sorted(table.name for table in tables() if table.name)
    assert text.count("| key | default |") == len(placed), "a table of keys that is written by hand"


def faults(found: list[Table]) -> Iterator[str]:
    """Keys that nobody explains, that are explained twice, or that are none."""
    for name, struct in STRUCTS.items():
        told = [key for table in found if table.struct == name for row in table.rows for key in row.keys]
        yield from (f"{name}.{key} has no text" for key in fields(struct) if key not in told)
        yield from (f"{name}.{key} is no key" for key in told if key not in fields(struct))
        yield from (f"{name}.{key} has two texts" for key in set(told) if told.count(key) > 1)


def test_every_key_has_a_text_and_every_text_a_key() -> None:
    assert list(faults(tables())) == []


def test_a_key_without_a_text_is_seen() -> None:
    found = [table for table in tables() if table.struct != "Basic"]
    assert list(faults(found)) == ["Basic.username has no text", "Basic.password has no text"]
    twice = Table("Basic", [Row(["password", "colour"]), Row(["password"]), Row(["username"])])
    assert set(faults([*found, twice])) == {"Basic.colour is no key", "Basic.password has two texts"}


def test_every_style_is_explained() -> None:
    assert {style for styles in STYLES.values() for style in styles.values()} <= set(STRUCTS.values())


def test_a_default_is_that_of_the_type_unless_a_text_says_more() -> None:
    rows = [Row(["timeout"], "x"), Row(["since"], "y"), Row(["method", "body"], "z"), Row(["url"], "u", default="must")]
    assert markdown(Table("Source", rows)).splitlines()[2:] == [
        "| `timeout` | `60` | x |", "| `since` | none | y |", '| `method`, `body` | `"GET"`, none | z |',
        "| `url` | must | u |",
    ]  # fmt: skip


def test_an_editor_shows_the_text_of_every_key() -> None:
    parts = json.loads(schema(tables()))["$defs"]
    for name, struct in STRUCTS.items():
        assert [key for key in fields(struct) if not parts[name]["properties"][key].get("description")] == []
    assert not [text for text in meanings(tables()).values() if not text]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_the_files_of_this_project_are_taken(file: Path, validator: Any) -> None:
    validator.validate(plain(file.read_text("utf-8")))


def test_every_recipe_and_every_example_of_the_document_is_taken_by_both(validator: Any) -> None:
    head = '[sources.s]\nurl = "https://api.test"\n'
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "recipes.md").read_text("utf-8"), re.DOTALL)
    lines = re.findall(
        r"^(?:pagination|auth|window|fields|headers) = .*$", (DOCS / "sources.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(lines) > 15
    for text in [*blocks, *(head + line for line in lines)]:
        read_sources(text, {})
        validator.validate(plain(text))


@pytest.mark.parametrize(
    "text",
    [
        "[source.s]", "[sources.S]\nurl = 'https://api.test'", "[sources.s]\nurll = 'x'", "[sources.s]\nparallel = 65",
        "[sources.s]\ntotal = 'maybe'", "[sources.s]\nsince = 'soon'", "[sources.s]\nname = 's'",
        "[sources.s]\npagination = { style = 'pages' }", "[sources.s]\npagination = { style = 'page', sise = 5 }",
        "[sources.s]\nauth = { style = 'bearer' }", "[sources.s]\nfields = { drop = 'a' }",
        "[sources.s]\nformat = 'xml'",
        "[sources.s]\nwindow = { first = 'a' }",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str, validator: Any) -> None:
    assert not validator.is_valid(plain(text))
