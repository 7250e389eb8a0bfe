"""From a body to lines: formats, shapes, the fast and the lossless way, fields, and errors that a body reports."""

from __future__ import annotations

from option_a.ingest.decode.body import read_body
from option_a.ingest.decode.columns import ColumnType, columns_as_toml, decode_lines, infer_columns
from option_a.ingest.decode.fields import Fields, absent_fields, apply_fields
from option_a.ingest.decode.format import DELIMITER, KEY_FIELD, BodyFormat, Format
from option_a.ingest.decode.locate import RecordList, Shape, record_lists, suggest_records
from option_a.ingest.decode.lossless import KEPT, DecodedBody, check_errors
from option_a.ingest.decode.reported_errors import ERRORS, Errors

__all__ = [
    "DELIMITER",
    "ERRORS",
    "KEPT",
    "KEY_FIELD",
    "BodyFormat",
    "ColumnType",
    "DecodedBody",
    "Errors",
    "Fields",
    "Format",
    "RecordList",
    "Shape",
    "absent_fields",
    "apply_fields",
    "check_errors",
    "columns_as_toml",
    "decode_lines",
    "infer_columns",
    "read_body",
    "record_lists",
    "suggest_records",
]
