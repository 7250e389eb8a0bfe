"""A mistake in a choice is answered with all that there is to choose from, wherever a source has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.inspect import DictType, LiteralType, StructType, UnionType, type_info

from option_a.ingest.config.messages import explain_validation
from option_a.ingest.config.source import Source

WRONG = "no-such"
Mistake = tuple[Any, list[str]]
"""A table with a choice that is none, and what it may be."""


def mistakes(kind: Any) -> Iterator[Mistake]:
    """Every way to choose what is not there in a value of this type."""
    match kind:
        case LiteralType(values=values):
            yield WRONG, [str(value) for value in values]
        case UnionType(types=types):
            for one in types:
                yield from mistakes(one)
            if tags := [str(one.tag) for one in types if isinstance(one, StructType) and one.tag is not None]:
                yield {"style": WRONG}, tags
        case DictType(value_type=value):
            for wrong, allowed in mistakes(value):
                yield {"404": wrong}, allowed
        case StructType(fields=fields, tag_field=key, tag=tag):
            for field in fields:
                for wrong, allowed in mistakes(field.type):
                    yield ({} if key is None else {key: tag}) | {field.encode_name: wrong}, allowed


EVERY = list(mistakes(type_info(Source)))


def test_there_are_choices_in_a_source() -> None:
    shown = [str(table) for table, _ in EVERY]
    assert {"{'auth': {'style': 'no-such'}}", "{'errors': 'no-such'}", "{'columns': {'404': 'no-such'}}"} <= {*shown}
    assert len(shown) > 15


@pytest.mark.parametrize(("table", "allowed"), EVERY, ids=str)
def test_a_choice_that_is_none_lists_all_that_there_are(table: dict[str, Any], allowed: list[str]) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"name": "s", **table}, Source)
    told, _, listed = explain_validation(caught.value, table, Source).partition("; valid values are: ")
    assert told.endswith(f"Invalid value '{WRONG}'")
    assert sorted(listed.split(", ")) == sorted(allowed)
