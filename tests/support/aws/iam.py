"""Evaluates IAM policies, for tests of least privilege: an explicit deny wins, then any allow, else it is denied.

Knows as much of the language as the stack's policies use; anything else is an error, never an allow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

Document = Mapping[str, Any]


class AwsCall(msgspec.Struct, frozen=True):
    """One request to AWS: `s3:GetObject` on an ARN, with the context keys that conditions may test."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.resource} {dict(self.context) or ''}".strip()


def is_allowed(call: AwsCall, identity: Iterable[Document], resource: Iterable[Document] = ()) -> bool:
    """Whether identity policies and resource policies allow the call, within one account."""
    statements = [statement for document in (*identity, *resource) for statement in as_list(document["Statement"])]
    matching = [statement for statement in statements if _matches(statement, call)]
    if any(statement["Effect"] == "Deny" for statement in matching):
        return False
    return any(statement["Effect"] == "Allow" for statement in matching)


def as_list(value: Any) -> list[Any]:
    """A policy value that may be one or several, as a list."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _matches(statement: Document, call: AwsCall) -> bool:
    unknown = statement.keys() - {
        "Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"
    }  # fmt: skip
    if unknown:
        raise NotImplementedError(f"a statement with {unknown}")
    return (
        _names(statement, "Action", call.action, ignore_case=True)
        and _names(statement, "Resource", call.resource, ignore_case=False)
        and _conditions(statement.get("Condition", {}), {key.lower(): value for key, value in call.context})
    )


def _names(statement: Document, key: str, value: str, *, ignore_case: bool) -> bool:
    if key in statement:
        return any(_like(pattern, value, ignore_case=ignore_case) for pattern in as_list(statement[key]))
    if f"Not{key}" in statement:
        return not any(_like(pattern, value, ignore_case=ignore_case) for pattern in as_list(statement[f"Not{key}"]))
    raise NotImplementedError(f"a statement with no {key}")


def _like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    if "${" in pattern:
        raise NotImplementedError(f"a policy variable: {pattern}")
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL) is not None


Test = Callable[[str, str], bool]
_POSITIVE: dict[str, Test] = {
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "NumericLessThan": lambda wanted, found: float(found) < float(wanted),
}
_NEGATIVE: dict[str, Test] = {
    "StringNotEquals": _POSITIVE["StringEquals"],
    "StringNotLike": _POSITIVE["StringLike"],
    "ArnNotEquals": _POSITIVE["ArnLike"],
    "ArnNotLike": _POSITIVE["ArnLike"],
}


def _conditions(conditions: Document, context: Mapping[str, str]) -> bool:
    return all(
        _holds(operator, as_list(wanted), context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, wanted: list[Any], found: str | None) -> bool:
    """One key of one operator. A key missing from the request fails a positive test and passes a negative one."""
    name = operator.removesuffix("IfExists")
    texts = [str(value) for value in wanted]
    if name == "Null":
        return (found is None) == (texts[0].lower() == "true")
    if found is None:
        return name in _NEGATIVE or operator.endswith("IfExists")
    if name in _POSITIVE:
        return any(_POSITIVE[name](text, found) for text in texts)
    if name in _NEGATIVE:
        return not any(_NEGATIVE[name](text, found) for text in texts)
    raise NotImplementedError(f"the condition {operator}")
