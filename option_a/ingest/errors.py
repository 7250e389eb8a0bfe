"""The tree of errors. Every one says what happened, where (file, source, date, page) and what to do.

OptionAError
├── UserError               the user's own mistake: exit 2, never a traceback
│   ├── ConfigError         sources.toml, ENDPOINT_MAP, an option that contradicts another
│   ├── InvalidRequest      an undeclared source, a date in the future, a reversed range
│   └── QueryError          SQL that does not run
├── TransientError          worth asking again: 408, 425, 429, 5xx, timeouts, resets
├── PermanentError          asking again will not help: fails the partition, with its cause
│   ├── HttpError           401, 403, 404 and their like; a refused redirect
│   ├── AddressError         an address that the source may not reach: private, link-local, a metadata service
│   ├── BodyError           a body that is none: cut, HTML, invalid UTF-8 or JSON, records that are no objects
│   ├── PaginationError     a promise of the paginator was broken: a repeated page, a page cap, a missing position
│   │   └── RepeatError     a page that was answered before
│   ├── TotalError          what landed does not reconcile with the total that the API declares
│   ├── PatienceError       a transient fault outlasted the source's patience
│   ├── SecretError         a secret that is not there, or that no header can carry
│   ├── SnapshotError       a day's snapshot was not taken on that day
│   └── StalledError        ran out of time twice with nothing landed
├── LeaseLost               another worker took the partition over: write nothing more
├── MessageError            a message on the queue that nobody can read
├── LakeError               the lake refused a read or a write (full disk, no permission, no network)
│   └── ManifestError       a manifest or a segment that cannot be read
├── QueueError              the queue's own storage failed
├── AwsError                AWS refused what the command line asked of a stack, or was not reached
└── BuildError              the functions' asset could not be built
"""

from __future__ import annotations

import msgspec


class Where(msgspec.Struct, frozen=True, omit_defaults=True):
    """The place of an error; what is not known is left out."""

    source: str | None = None
    date: str | None = None
    page: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        parts = [self.file, self.source, self.date, f"page {self.page}" if self.page else None]
        return " ".join(part for part in parts if part)


class OptionAError(Exception):
    """What happened, where, and the way out. Base of every error that the project raises on purpose."""

    kind = "error"
    body: bytes | None = None
    """The answer that it is about, where there is one."""

    def __init__(self, what: str, *, hint: str = "", where: Where | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.where = where or Where()

    def at(self, where: Where) -> OptionAError:
        """The same error with its place known; the first place that was told stays."""
        if self.where == Where():
            self.where = where
        return self

    def __str__(self) -> str:
        place = f"{self.where}: " if str(self.where) else ""
        return f"{place}{self.what}" + (f" ({self.hint})" if self.hint else "")


class UserError(OptionAError):
    """A mistake of the user's."""

    kind = "user"


class ConfigError(UserError):
    """A setting that cannot be."""

    kind = "config"


class InvalidRequest(UserError):
    """A request that contradicts itself or the declared sources; the command line adds its usage."""

    kind = "request"


class QueryError(UserError):
    """SQL that does not run."""

    kind = "query"


class TransientError(OptionAError):
    """A fault that may pass. `retry_after` is the wait that the server asked for, in seconds, if it did."""

    kind = "transient"

    def __init__(
        self,
        what: str,
        *,
        retry_after: float | None = None,
        hint: str = "",
        where: Where | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(what, hint=hint, where=where)
        self.retry_after = retry_after
        self.body = body


class PermanentError(OptionAError):
    """A fault that asking again does not mend. `body` is kept under dead/ where there was one.

    `restart` says that what has landed cannot be trusted to go on from: a later run begins at page 1.
    """

    kind = "permanent"
    restart = False

    def __init__(self, what: str, *, hint: str = "", where: Where | None = None, body: bytes | None = None) -> None:
        super().__init__(what, hint=hint, where=where)
        self.body = body


class HttpError(PermanentError):
    """The API refused the request."""

    kind = "http"

    def __init__(self, what: str, *, status: int, hint: str = "", body: bytes | None = None) -> None:
        super().__init__(what, hint=hint, body=body)
        self.status = status


class AddressError(PermanentError):
    """The source may not reach that address."""

    kind = "address"


class BodyError(PermanentError):
    """The body is not what an API sends. `shown` is a piece of it, without which `bare` says the same."""

    kind = "body"

    def __init__(
        self, what: str, *, shown: str = "", hint: str = "", where: Where | None = None, body: bytes | None = None
    ) -> None:
        super().__init__(f"{what} {shown}" if shown else what, hint=hint, where=where, body=body)
        self.bare = what


class PaginationError(PermanentError):
    """The API broke a promise that its pagination in sources.toml makes."""

    kind = "pagination"
    restart = True


class RepeatError(PaginationError):
    """A page that was answered before."""


class TotalError(PermanentError):
    """What landed is not what the API declares."""

    kind = "total"
    restart = True


class PatienceError(PermanentError):
    """The source was down for longer than its patience."""

    kind = "patience"


class SecretError(PermanentError):
    """A secret that sources.toml names cannot be used."""

    kind = "secret"


class SnapshotError(PermanentError):
    """A day's snapshot was not taken on that day."""

    kind = "snapshot"


class StalledError(PermanentError):
    """Out of time twice with nothing landed in between."""

    kind = "stalled"


class LeaseLost(OptionAError):
    """The lease on the partition ran out or was taken."""

    kind = "lease-lost"


class MessageError(OptionAError):
    """A message that nobody can read."""

    kind = "message"


class LakeError(OptionAError):
    """The lake refused. `whole` says that it is the lake as such, not one of its objects: a full disk, a dead one."""

    kind = "lake"

    def __init__(self, what: str, *, whole: bool = False, hint: str = "", where: Where | None = None) -> None:
        super().__init__(what, hint=hint, where=where)
        self.whole = whole


class ManifestError(LakeError):
    """A manifest that cannot be read."""

    kind = "manifest"


class QueueError(OptionAError):
    """The queue's storage failed."""

    kind = "queue"


class AwsError(OptionAError):
    """AWS refused, or was not reached."""

    kind = "aws"


class BuildError(OptionAError):
    """The asset of the functions could not be built."""

    kind = "build"
