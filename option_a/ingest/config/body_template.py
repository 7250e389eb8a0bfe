"""The JSON body of a POST as sources.toml has it: `{date}`, `{page}`, `{cursor}` and their like are filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from option_a.ingest.jsontext import to_raw

SLOTS = ("date", "from", "to", "page", "offset", "cursor")
_SLOT = re.compile(r"\{(" + "|".join(SLOTS) + r")\}")
_ABSENT: Any = object()


def template_slots(template: Any) -> frozenset[str]:
    """The slots that a body names."""
    return frozenset(name for text in _texts(template) for name in _SLOT.findall(text))


def fill_template(template: Any, values: Mapping[str, Any]) -> Any:
    """The body with its slots filled in. A text that is one slot and no more takes the value with its type.

    What names a slot that has no value yet (the cursor of the first page) is left out.
    """
    if isinstance(template, Mapping):
        filled = {key: fill_template(value, values) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not _ABSENT}
    if isinstance(template, list):
        return [value for value in (fill_template(item, values) for item in template) if value is not _ABSENT]
    return _filled(template, values) if isinstance(template, str) else template


def set_path(body: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a dotted path; tables on the way are made where there are none."""
    *way, last = path.split(".")
    for key in way:
        if not isinstance(body.get(key), dict):
            body[key] = {}
        body = body[key]
    body[last] = value


def _filled(text: str, values: Mapping[str, Any]) -> Any:
    names = _SLOT.findall(text)
    if any(values.get(name) is None for name in names):
        return _ABSENT
    if (alone := _SLOT.fullmatch(text)) is not None:
        return to_raw(values[alone[1]])
    return _SLOT.sub(lambda slot: str(values[slot[1]]), text)


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, Mapping):
        template = list(template.values())
    if isinstance(template, list):
        for item in template:
            yield from _texts(item)
    elif isinstance(template, str):
        yield template
