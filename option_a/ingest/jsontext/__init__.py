"""JSON as text: an RFC 8259 parser that keeps every byte, and values found by path."""

from __future__ import annotations

from option_a.ingest.jsontext.decode import UNDECODABLE, decode_exact, decode_or_none, exact_int
from option_a.ingest.jsontext.parser import Kind, MalformedJson, Node, is_utf8, key_text, parse, quote_key
from option_a.ingest.jsontext.values import (
    MISSING,
    Exact,
    describe_keys,
    exact_float,
    exact_list,
    find_path,
    flag,
    preview,
    to_raw,
    whole_number,
)

__all__ = [
    "MISSING",
    "UNDECODABLE",
    "Exact",
    "Kind",
    "MalformedJson",
    "Node",
    "decode_exact",
    "decode_or_none",
    "describe_keys",
    "exact_float",
    "exact_int",
    "exact_list",
    "find_path",
    "flag",
    "is_utf8",
    "key_text",
    "parse",
    "preview",
    "quote_key",
    "to_raw",
    "whole_number",
]
