"""The answers of an AWS operation that hands out its results in parts. botocore has no paginator for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def pages(operation: Callable[..., Mapping[str, Any]], **request: Any) -> Iterator[Mapping[str, Any]]:
    """Each answer, until one has no `NextToken`. Raises what the operation raises."""
    token: dict[str, str] = {}
    while True:
        answer = operation(**request, **token)
        yield answer
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def items(operation: Callable[..., Mapping[str, Any]], key: str, **request: Any) -> Iterator[Any]:
    """What stands under `key`, of all answers together."""
    for answer in pages(operation, **request):
        yield from answer[key]
