"""The result of a query on any engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Result(msgspec.Struct):
    """The columns of a result, and its rows as they arrive."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]
