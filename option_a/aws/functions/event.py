"""What an event asks of the planner. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from option_a.ingest.config import explain_validation, unknown_key
from option_a.ingest.errors import ConfigError
from option_a.ingest.partition import EARLIEST
from option_a.ingest.plan import Only
from option_a.ingest.task import run_id

_HINT = (
    'for example {"date": "2026-11-23", "sources": ["api-a"]} '
    'or {"from": "2026-11-01", "to": "2026-11-23", "only": "missing"}'
)
_FAR = 250e9
"""Epoch seconds that no event is of: in the year 9892."""
_SHOWN = 20
"""Names that a message lists: a stack may have hundreds of sources."""


class PlanRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys that an event may carry. None of them: tonight's run."""

    date: dt.date | None = None
    first: dt.date | None = msgspec.field(default=None, name="from")
    last: dt.date | None = msgspec.field(default=None, name="to")
    sources: list[str] | None = None
    only: Only | None = None
    fresh: bool = False

    def __post_init__(self) -> None:
        if min(date for date in (self.date, self.first, EARLIEST) if date is not None) < EARLIEST:
            raise ValueError(f"a date is too early: write {EARLIEST} or a later one")
        if (self.first is None) != (self.last is None):
            raise ValueError("`from` and `to` go together")
        if self.date is not None and self.first is not None:
            raise ValueError("`date` excludes `from` and `to`")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"`from` {self.first} is after `to` {self.last}")


class Trigger(msgspec.Struct, frozen=True):
    """What an event asks, the run that it triggers, and when."""

    plan_request: PlanRequest
    run: str
    moment: float


def read_event(event: Any, request: str, now: float) -> Trigger:
    """The trigger that an event is. One of EventBridge's is one run however often it is delivered or retried.

    A person's event is a run of the moment it is handled: Lambda tells a retry no earlier one.

    Raises ConfigError for a key or a value that is none.
    """
    if not isinstance(event, dict):
        raise ConfigError("the event is not a JSON object", hint=_HINT)
    if "detail-type" in event:
        moment = _moment(event)
        return Trigger(_plan_request(event.get("detail") or {}), run_id(moment, str(event.get("id", ""))), moment)
    return Trigger(_plan_request(event), run_id(now, request), now)


def known_names(request: PlanRequest, declared: Mapping[str, Any]) -> list[str]:
    """The requested sources, or all. Raises ConfigError for one that is not declared."""
    if request.sources == []:
        raise ConfigError("the event's `sources` is empty", hint="leave it out for all of them")
    for name in request.sources or ():
        if name not in declared:
            raise ConfigError(f"the event's source {unknown_key(name, declared, _SHOWN)}")
    return list(dict.fromkeys(request.sources or declared))


def _plan_request(event: Any) -> PlanRequest:
    if not isinstance(event, dict):
        raise ConfigError("the event's `detail` is not a JSON object", hint=_HINT)
    allowed = [field.encode_name for field in msgspec.structs.fields(PlanRequest)]
    for key in event:
        if key not in allowed:
            raise ConfigError(f"the event's key {unknown_key(str(key), allowed, _SHOWN)}", hint=_HINT)
    try:
        return msgspec.convert(event, PlanRequest)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # a lone surrogate is no text
        what = (
            explain_validation(error, event, PlanRequest) if isinstance(error, msgspec.ValidationError) else str(error)
        )
        raise ConfigError(f"the event: {what}", hint=_HINT) from None


def _moment(event: dict[str, Any]) -> float:
    try:
        moment = dt.datetime.fromisoformat(str(event["time"])).timestamp()
    except (KeyError, ValueError, OverflowError):
        moment = -1.0
    if not 0.0 <= moment < _FAR:  # a run's id begins with the time, in fourteen digits
        raise ConfigError("the event has no `time`", hint="EventBridge's own events have one")
    return moment
