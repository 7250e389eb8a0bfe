"""What a status other than success means: asked again, or the end of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from option_a.ingest.config import Meaning
from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.resilience import is_transient, parse_retry_after, seconds_until_reset, server_time

_LIMITED = frozenset({403, 429})
"""How APIs refuse a request beyond their rate limit."""


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, means: Meaning | None, now: float
) -> TransientError | HttpError:
    """The error that a status is: what the source declares of it, else the usual. Header names are in lower case."""
    reset = seconds_until_reset(headers, now)
    limited = status in _LIMITED and reset is not None
    if means == "transient" or (means is None and (limited or is_transient(status))):
        wait = parse_retry_after(headers.get("retry-after"), server_time(headers, now))
        wait = reset if wait is None and limited else wait
        return TransientError(f"the API answered {status}", retry_after=wait, body=body or None)
    return HttpError(f"the API answered {status}", status=status, hint=_advice(status), body=body or None)


def _advice(status: int) -> str:
    return {
        401: "the API wants credentials, or others",
        403: "these credentials may not read this",
        404: 'check `url`; where a date with no records is answered so: statuses = { "404" = "empty" }; '
        "some APIs answer so past the last page: declare a total, or a stop rule",
    }.get(status, "the API takes the request for a wrong one")
