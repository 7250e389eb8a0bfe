"""sources.toml: what a source is, how it is read and checked."""

from __future__ import annotations

from option_a.ingest.config.auth import ApiKey, Basic, Bearer, OAuth2
from option_a.ingest.config.body_template import fill_template, set_path
from option_a.ingest.config.messages import check_keys, explain_validation, unknown_key
from option_a.ingest.config.read import Sources, forces_mock, read_sources
from option_a.ingest.config.source import DEFAULT_NAMES, NAME, Source, view_name
from option_a.ingest.config.statuses import Meaning, meaning
from option_a.ingest.config.window import Window, date_ends_at, format_date

__all__ = [
    "DEFAULT_NAMES",
    "NAME",
    "ApiKey",
    "Basic",
    "Bearer",
    "Meaning",
    "OAuth2",
    "Source",
    "Sources",
    "Window",
    "check_keys",
    "date_ends_at",
    "explain_validation",
    "fill_template",
    "forces_mock",
    "format_date",
    "meaning",
    "read_sources",
    "set_path",
    "unknown_key",
    "view_name",
]
