"""A dead letter in SQS: the task's own message, with its cause in attributes. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from option_a.ingest.errors import MessageError
from option_a.ingest.ports import Cause, DeadLetter
from option_a.ingest.task import Task, decode_task

_LONGEST = 2_000
"""Characters of a cause's message that travel; the manifest holds it whole."""
_UNKNOWN = Cause("receives", "received 5 times and never done: its worker died, or nobody can read it")


def encode_cause(cause: Cause) -> dict[str, str]:
    """The attribute that holds a cause. ASCII: SQS refuses some of what an API may have sent."""
    short = msgspec.structs.replace(cause, message=cause.message[:_LONGEST])
    return {"cause": json.dumps(msgspec.to_builtins(short))}


def decode_dead_letter(queue: str, message: Mapping[str, Any], receives: int) -> DeadLetter:
    """The letter that a message of a dead-letter queue is; SQS itself puts them there with no cause."""
    body = message["Body"].encode("utf-8", "surrogatepass")
    attributes = message.get("MessageAttributes", {})
    told = attributes.get("receives", {}).get("StringValue", "")
    return DeadLetter(
        queue=queue,
        receipt=message["ReceiptHandle"],
        body=body,
        died_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
        receives=int(told) if re.fullmatch(r"[0-9]{1,9}", told) else receives,
        cause=_cause(attributes.get("cause", {}).get("StringValue", "")),
        task=_task(body),
    )


def _cause(text: str) -> Cause:
    try:
        return msgspec.convert(json.loads(text), Cause)
    except (ValueError, RecursionError):
        return _UNKNOWN


def _task(body: bytes) -> Task | None:
    try:
        return decode_task(body)
    except MessageError:
        return None
