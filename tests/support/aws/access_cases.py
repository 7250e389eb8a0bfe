"""Random sources and groups, and the columns each group may see, for tests of Lake Formation access."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hypothesis import strategies as st

from option_a.ingest.config.read import Sources, read_sources
from option_a.lakeformation.groups import Group, Groups
from option_a.lakeformation.read import read_access

DAY = "ingestion_date"
_SOURCES = ("orders", "api-a", "people", "web-log")
_KEYS = ("id", "email", "Name", "user.id", "paid", "größe")
_TYPES = {"id": "bigint", "email": "string", "Name": "string", "user.id": "json", "paid": "boolean", "größe": "double"}


class AccessCase(NamedTuple):
    """A sources.toml and an access.toml, as data."""

    columns: dict[str, list[str]]
    """The declared columns of each source, as records spell them."""
    groups: dict[str, dict[str, Any]]

    @property
    def sources(self) -> Sources:
        return read_sources("\n".join(_source(name, keys) for name, keys in self.columns.items()), {})

    @property
    def access(self) -> str:
        return "\n".join(f"[groups.{name}]\n" + _table(group) for name, group in self.groups.items())

    def read(self) -> Groups:
        return read_access(self.access, self.sources)

    def may_see(self, group: str) -> set[tuple[str, str]]:
        """Every column a group may see, by its name in Athena, derived without the code under test."""
        told = self.groups[group]
        mine = list(self.columns) if told["sources"] == "*" else told["sources"]
        named, without = _all(told.get("columns", [])), _all(told.get("without", []))
        return {
            (source, column)
            for source in mine
            for column in {*_all(self.columns[source]), DAY}
            if (not named or column in {*named, DAY}) and column not in without
        }


def athena_name(key: str) -> str:
    """A column's name in Athena."""
    return re.sub("[^a-z0-9_]", "_", key.lower())


def _all(keys: list[str]) -> set[str]:
    return {athena_name(key) for key in keys}


def _source(name: str, keys: list[str]) -> str:
    columns = ", ".join(f'"{key}" = "{_TYPES[key]}"' for key in keys)
    return f'[sources.{name}]\nurl = "https://x.example"\n' + (f"columns = {{ {columns} }}\n" if keys else "")


def _table(group: dict[str, Any]) -> str:
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value!r}" for key, value in group.items()]
    return "\n".join(lines) + "\n"


@st.composite
def access_cases(draw: st.DrawFn) -> AccessCase:
    """Valid cases: a limited group names sources that declare columns, and sees some of each."""
    names = draw(st.lists(st.sampled_from(_SOURCES), min_size=1, unique=True))
    columns = {name: draw(st.lists(st.sampled_from(_KEYS), max_size=4, unique=True)) for name in names}
    ids = draw(st.lists(st.from_regex("[a-z]{1,6}(-[a-z]{1,4})?", fullmatch=True), min_size=1, max_size=4,
                        unique_by=lambda name: name.replace("-", "")))  # fmt: skip
    return AccessCase(columns, {name: draw(_groups(columns)) for name in ids})


@st.composite
def _groups(draw: st.DrawFn, columns: dict[str, list[str]]) -> dict[str, Any]:
    typed = [name for name, keys in columns.items() if keys]
    limit = draw(st.sampled_from(["", "columns", "without", "rows"])) if typed else ""
    there = typed if limit else list(columns)
    some = draw(st.lists(st.sampled_from(there), min_size=1, unique=True))
    every = not limit or typed == list(columns)
    sources: Any = draw(st.sampled_from(["*", some] if every else [some]))
    mine = list(columns) if sources == "*" else some
    group: dict[str, Any] = {"sources": sources}
    if limit == "columns":
        # one of each, so that no source is left without columns
        group["columns"] = list(dict.fromkeys(draw(st.sampled_from(columns[name])) for name in mine))
    elif limit == "without":
        spare = {athena_name(columns[name][0]) for name in mine}
        candidates = sorted({key for name in mine for key in columns[name] if athena_name(key) not in spare})
        if candidates:
            group["without"] = draw(st.lists(st.sampled_from(candidates), min_size=1, unique=True))
    if limit == "rows" or (limit and draw(st.booleans())):
        group["rows"] = f"{DAY} >= '2026-01-01'"
    return group


def is_limited(group: Group) -> bool:
    """Whether a group is limited to part of the data."""
    return any((group.columns, group.without, group.rows))
