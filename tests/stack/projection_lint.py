"""What is wrong with the parameters of a table whose partitions Athena computes. Glue takes any."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

_NOW = re.compile(r"NOW(?:[+-]\d+(?:YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?))?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FORMAT = "yyyy-MM-dd"
_UNITS = ("DAYS", "WEEKS", "MONTHS", "YEARS")
_KNOWN = ("type", "format", "range", "interval", "interval.unit")


def faults(given: Mapping[str, str], keys: list[str], location: str) -> Iterator[str]:
    """What would fail at query time: each fault in words. `keys` are the table's partition keys."""
    if given.get("projection.enabled") != "true":
        yield "projection.enabled is not true"
    for key in keys:
        yield from _key_faults(given, key)
    yield from _foreign(given, keys)
    yield from _template_faults(given.get("storage.location.template"), keys, location)


def _key_faults(given: Mapping[str, str], key: str) -> Iterator[str]:
    name = f"projection.{key}"
    if given.get(f"{name}.type") != "date":
        yield f"{name}.type is {given.get(f'{name}.type')!r}, not 'date'"
    if given.get(f"{name}.format") != _FORMAT:
        yield f"{name}.format is {given.get(f'{name}.format')!r}, not {_FORMAT!r}, as the lake's keys are written"
    yield from _range_faults(f"{name}.range", given.get(f"{name}.range", ""))
    if not re.fullmatch(r"[1-9]\d*", given.get(f"{name}.interval", "1")):
        yield f"{name}.interval is no whole number from 1"
    if given.get(f"{name}.interval.unit", "DAYS") not in _UNITS:
        yield f"{name}.interval.unit is {given[f'{name}.interval.unit']!r}; allowed: {', '.join(_UNITS)}"


def _range_faults(name: str, text: str) -> Iterator[str]:
    ends = text.split(",")
    if len(ends) != 2:
        yield f"{name} is {text!r}, not two ends with a comma between"
        return
    for end in ends:
        if not _NOW.fullmatch(end) and not _is_day(end):
            yield f"{name}: {end!r} is neither {_FORMAT} nor NOW, NOW+1DAYS, …"
    if all(map(_is_day, ends)) and ends[0] > ends[1]:
        yield f"{name} ends before it begins"


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and dt.date.fromisoformat(text))
    except ValueError:
        return False


def _foreign(given: Mapping[str, str], keys: list[str]) -> Iterator[str]:
    """Parameters of a key that the table does not have, or that projection does not know."""
    for parameter in given:
        name = parameter.removeprefix("projection.")
        known = {"enabled", *(f"{key}.{word}" for key in keys for word in _KNOWN)}
        if name != parameter and name not in known:
            yield f"{parameter} is of no partition key, or of no meaning"


def _template_faults(template: str | None, keys: list[str], location: str) -> Iterator[str]:
    if template is None:
        yield "storage.location.template is missing"
        return
    if not template.startswith(location):
        yield f"storage.location.template {template!r} is outside of the table's {location!r}"
    if not template.endswith("/"):
        yield "storage.location.template does not end in /"
    for key in keys:
        if f"{key}=${{{key}}}/" not in template:
            yield f"storage.location.template lacks {key}=${{{key}}}/"
    for name in re.findall(r"\$\{([^}]*)\}", template.removeprefix(location)):
        if name not in keys:
            yield f"storage.location.template names {name!r}, which is no partition key"
