"""What an examination found: a source's table, why each key is so, and how that is written as TOML. Pure."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from option_a.discovery.signals import Signals
from option_a.ingest.config import NAME, Source, explain_validation
from option_a.ingest.decode import DecodedBody
from option_a.ingest.errors import ConfigError
from option_a.ingest.pagination import PageInfo


class Answered(msgspec.Struct, frozen=True):
    """One answer, read as its source is declared."""

    found: DecodedBody
    headers: Mapping[str, str]
    info: PageInfo | None = None

    @property
    def records(self) -> int:
        return self.found.records


class Line(msgspec.Struct, frozen=True):
    """One key of the table, and why it is so."""

    key: str
    value: Any
    why: str = ""


class Report(msgspec.Struct, frozen=True):
    """What was found out."""

    name: str
    lines: list[Line]
    unsure: list[str]
    first: Answered
    signs: Signals

    @property
    def table(self) -> dict[str, Any]:
        """The source's table."""
        return {line.key: line.value for line in self.lines}


def declared(name: str, table: Mapping[str, Any]) -> Source:
    """The source that a table declares. Raises ConfigError, in the words of the file."""
    try:
        return msgspec.convert({**table, "name": name}, Source)
    except msgspec.ValidationError as error:
        raise ConfigError(f"[sources.{name}]: {explain_validation(error, table, Source)}") from None


def as_toml(report: Report) -> str:
    """The table as it stands in sources.toml, with a comment above each key that has a reason."""
    lines = [f"[sources.{report.name}]"]
    for line in report.lines:
        if line.value in ({}, []):
            continue
        lines += [f"# {_comment(line.why)}"] if line.why else []
        lines.append(f"{line.key} = {toml_value(line.value)}")
    lines += [f"# unsure: {_comment(doubt)}" for doubt in report.unsure]
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML has it; a table on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool | int | float):
        return str(value).lower()
    # JSON's escapes are TOML's, but for the one character that TOML wants escaped and JSON does not
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def name_of(url: str) -> str:
    """A name for the source of a URL: the last word of its path that can be one."""
    path = re.sub(r"[?#].*", "", url).partition("://")[2].partition("/")[2]
    for word in reversed(re.split(r"[/.]", path.lower())):
        name = re.sub(r"[^a-z0-9_-]", "-", word).strip("-_")
        if name and name not in ("json", "csv", "api") and not re.fullmatch(r"v?\d+", name) and NAME.fullmatch(name):
            return name
    return "source"


def _comment(text: str) -> str:
    """One line, with nothing in it that would end a comment."""
    return "".join(char if char.isprintable() else " " for char in text)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)
