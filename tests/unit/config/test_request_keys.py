"""The keys of a source that say how it is asked: what is a mistake, and what changes no shape."""

from __future__ import annotations

from typing import Any

import pytest

from option_a.ingest.config.read import read_sources
from option_a.ingest.config.source import Source
from option_a.ingest.errors import ConfigError
from tests.support.pipeline import source

KEYS: list[dict[str, Any]] = [
    {"rate": "10/s"},
    {"statuses": {"404": "empty"}},
    {"allow_private": True},
    {"ca_bundle": "certs/internal.pem"},
]


def declared(line: str) -> Source:
    return read_sources(f'[sources.orders]\nurl = "https://api.example.com"\n{line}\n', {})["orders"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            'rate = "10"',
            "[sources.orders]: `rate`: '10' is not a valid rate: write requests and s, min or h, as in 10/s",
        ),
        ('rate = "1/h"', "[sources.orders]: `rate`: '1/h' is slower than 1/min"),
        ("rate = 10", "[sources.orders]"),
        (
            'statuses = { "3xx" = "empty" }',
            """[sources.orders]: `statuses`: invalid status '3xx': write a status ("404")""",
        ),
        ('statuses = { "404" = "gone" }', "[sources.orders]"),
        ('allow_private = "yes"', "[sources.orders]"),
        ("allow_privat = true", "allow_private"),
    ],
)
def test_a_mistake_names_the_table_and_the_way_out(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        declared(line)
    assert says in str(caught.value)


def test_they_are_read_as_they_stand() -> None:
    read = declared('rate = "600/min"\nstatuses = { "404" = "empty", "5xx" = "permanent" }\nallow_private = true')
    assert (read.interval, read.statuses, read.allow_private) == (0.1, {"404": "empty", "5xx": "permanent"}, True)
    assert (declared("").interval, declared("").allow_private) == (0.0, False)


@pytest.mark.parametrize("change", KEYS)
def test_how_a_source_is_asked_changes_nothing_of_what_has_landed(change: dict[str, Any]) -> None:
    assert source(**change).fingerprint == source().fingerprint
