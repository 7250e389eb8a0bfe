"""What a query answers, whoever ran it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Result(msgspec.Struct):
    """The columns of an answer, and its rows as they come."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]
