"""How the bodies of a source are to be read, as its table says. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from option_a.ingest.decode.locate import Shape

Format = Literal["json", "ndjson", "csv"]
KEY_FIELD = "_key"
DELIMITER = ","
_ACCEPT: dict[Format, str] = {
    "ndjson": "application/x-ndjson, application/jsonl, application/json;q=0.5",
    "csv": "text/csv, text/plain;q=0.5",
}
"""The `Accept` header of formats other than JSON, which is the client's default."""


class BodyFormat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The keys of a source that say what its bodies are. Raises ValueError where they contradict each other."""

    format: Format = "json"
    records: str | None = None
    shape: Shape = "objects"
    key_field: str = KEY_FIELD
    delimiter: str = DELIMITER

    def __post_init__(self) -> None:
        if self.format != "json" and self.records is not None:
            raise ValueError(f'`records` is a path in a JSON body, and format = "{self.format}" has none: leave it out')
        if self.format == "csv" and self.shape != "objects":
            raise ValueError(f'`shape` = "{self.shape}" is for JSON: a line of CSV is an object')
        if self.format == "ndjson" and self.shape == "keyed":
            raise ValueError('`shape` = "keyed" needs format = "json": NDJSON has no keys around its records')
        if self.shape == "keyed" and self.records is None:
            raise ValueError('`shape` = "keyed" needs `records`: the path to the object, "@" for the whole body')
        if self.key_field != KEY_FIELD and self.shape != "keyed":
            raise ValueError('`key_field` is for shape = "keyed"')
        if self.delimiter != DELIMITER and self.format != "csv":
            raise ValueError('`delimiter` is for format = "csv"')
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ValueError(f"`delimiter` {self.delimiter!r} is not a single character that can separate fields")

    @property
    def accept(self) -> dict[str, str]:
        """The headers that ask for this format."""
        return {"Accept": _ACCEPT[self.format]} if self.format in _ACCEPT else {}
