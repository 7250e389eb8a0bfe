"""A dead letter in SQS: the task's own message, with its cause in attributes. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from option_a.ingest.ports import EXHAUSTED, MAX_RECEIVES, Cause, DeadLetter
from option_a.ingest.task import read_task

_LONGEST = 2_000
"""Characters of a cause's message that travel; the manifest holds it whole."""


def encode_cause(cause: Cause) -> dict[str, str]:
    """The attribute that holds a cause. ASCII: SQS refuses some of what an API may have sent."""
    short = msgspec.structs.replace(cause, message=cause.message[:_LONGEST])
    return {"cause": json.dumps(msgspec.to_builtins(short))}


def decode_dead_letter(queue: str, message: Mapping[str, Any]) -> DeadLetter:
    """The letter that a message of a dead-letter queue is; SQS itself puts them there with no cause."""
    body = message["Body"].encode("utf-8", "surrogatepass")
    attributes = message.get("MessageAttributes", {})
    declared = attributes.get("receives", {}).get("StringValue", "")
    return DeadLetter(
        queue=queue,
        receipt=message["ReceiptHandle"],
        body=body,
        died_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
        receives=int(declared) if re.fullmatch(r"[0-9]{1,9}", declared) else MAX_RECEIVES,
        cause=_cause(attributes.get("cause", {}).get("StringValue", "")),
        task=read_task(body),
    )


def _cause(text: str) -> Cause:
    try:
        return msgspec.convert(json.loads(text), Cause)
    except (ValueError, RecursionError):
        return EXHAUSTED
