"""What things are called on AWS: the stack, the wiring and the command line must agree on it. Pure."""

from __future__ import annotations

import hashlib
import re

DEFAULT_STACK = "OptionAIngestionDemoPy"
NAMESPACE = "OptionA"
"""Of the metrics in CloudWatch."""
PARTITION_KEY = "ingestion_date"
"""Of every table, as the lake's keys spell it."""
MOST_DAYS = 400
"""Dates of a source that one request may put on its queue."""
TOO_MUCH = (
    f"ask for at most {MOST_DAYS} at once: a queue keeps a task for 10 days, and a night's waits behind the others"
)
_DEAD = "-Dead"
"""No source's name holds a capital, so none is called like another's dead letters."""
_LONGEST_QUEUE = 80
_LONGEST_PREFIX = 40


def queue_prefix(stack: str) -> str:
    """What the names of a stack's queues begin with; policies and the planner go by it.

    No stack's name holds an underscore, so no other stack's queues begin so.
    """
    return _short(stack, _LONGEST_PREFIX) + "__"


def queue_name(stack: str, source: str) -> str:
    """The queue of a source."""
    prefix = queue_prefix(stack)
    return prefix + _short(source, _LONGEST_QUEUE - len(_DEAD) - len(prefix))


def dead_queue_name(stack: str, source: str) -> str:
    """The dead letters of a source."""
    return queue_name(stack, source) + _DEAD


def text_table(view: str) -> str:
    """The Athena table that has each record as one column of text."""
    return f"{view}_lines"


def athena_column(key: str) -> str:
    """A key of a record as Athena can call it."""
    return re.sub(r"[^a-z0-9_]", "_", key.lower()) or "_"


def _short(text: str, limit: int) -> str:
    """The text, or its beginning and a digest of it, in at most so many characters."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return text if len(text) <= limit else f"{text[: limit - 9]}-{digest}"
