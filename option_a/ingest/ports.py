"""What the pipeline needs of the world. Wiring hands in the real things, tests hand in their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from option_a.ingest.secrets import Reference
from option_a.ingest.task import Delivery, Task


class Request(msgspec.Struct, frozen=True):
    """One request. `params` are appended to the query of `url`; `timeout` is seconds for the whole of it."""

    source: str
    url: str
    params: Mapping[str, str] = {}
    timeout: float = 60.0
    max_body: int = 256 * 2**20
    """Bytes of body, after decompression, beyond which it is refused."""
    headers: Mapping[str, str] = {}
    """Credentials among them: sent to the source's own host alone, and shown nowhere."""
    method: str = "GET"
    body: bytes | None = None
    credentials: Mapping[str, str] = {}
    """Query parameters that hold secrets: added to the url when it is sent, and shown nowhere."""

    def __repr__(self) -> str:
        return f"Request({self.source!r}, {self.url!r}, {dict(self.params)!r})"


Redact = Callable[[bytes], bytes]
"""Removes from an answer what was secret in its request."""


def unredacted(data: bytes) -> bytes:
    """What hides nothing: no secret was sent."""
    return data


class Response(msgspec.Struct, frozen=True):
    """A whole, decompressed answer with a status of 2xx. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    empty: bool = False
    """The source takes this status, which may be any, for a page with no records."""
    redact: Callable[[bytes], bytes] = unredacted
    """Masks the secrets that were sent, for what is kept or shown of the answer."""

    def __repr__(self) -> str:
        return f"Response({self.status}, {dict(self.headers)!r}, {self.body!r}, empty={self.empty})"


class Fetch(Protocol):
    """One request gives one response; anything else is a TransientError or a PermanentError."""

    def __call__(self, request: Request) -> Response: ...


class RateLimiter(Protocol):
    """Whose turn it is to ask a source that has a rate."""

    def __call__(self, source: str, interval: float, /) -> float:
        """Take the next turn, `interval` seconds behind the last one; the seconds until it comes."""


class Secrets(Protocol):
    """The secret of a reference. Raises SecretError, or TransientError where it may be read later."""

    def __call__(self, wanted: Reference) -> str: ...


class Clock(Protocol):
    """Time, so that tests own it."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait; a stop request may cut it short."""


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a task could not be done."""

    kind: str
    message: str
    page: int | None = None
    status: int | None = None
    body: str | None = None
    """The key under dead/ that holds the body."""
    restart: bool = False


MAX_RECEIVES = 5
"""Receipts after which a message that was never done is a dead letter, in every queue."""
EXHAUSTED = Cause(
    "receives", f"received {MAX_RECEIVES} times and never finished: its worker died, or the message is unreadable"
)
"""The cause of a letter that its queue put there by itself."""


class Depth(msgspec.Struct, frozen=True):
    """What a queue holds. `oldest` is the epoch second at which its oldest live task was first sent."""

    queue: str
    visible: int = 0
    delayed: int = 0
    in_flight: int = 0
    dead: int = 0
    oldest: float | None = None

    @property
    def live(self) -> int:
        """Tasks that are still to be done."""
        return self.visible + self.delayed + self.in_flight


class DeadLetter(msgspec.Struct, frozen=True):
    """A task that could not be done. `task` is None where the message cannot be read."""

    queue: str
    receipt: str
    body: bytes
    died_at: float
    receives: int
    cause: Cause
    task: Task | None = None


class Queue(Protocol):
    """A queue for each source, with the semantics of SQS. All calls raise QueueError alone."""

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        """Enqueue; how many were taken. Hop 0 of a (run, source, date) that lives is not taken twice, but by SQS.

        There its second delivery finds the partition leased or done.
        """

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        """Take the next visible task and hide it for `lease` seconds; None if nothing is visible."""

    def ack(self, delivery: Delivery) -> None:
        """The task is done: forget it. A receipt that is no longer valid does nothing."""

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        """Hide it for so long from now on; False if the receipt is no longer valid."""

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        """Put the task to the dead letters with its cause, and forget it here."""
