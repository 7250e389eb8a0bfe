"""The `-c` switches of a deployment, read from the context of the CDK app. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from option_a.ingest.errors import ConfigError
from option_a.ingest.suggest import closest
from option_a.lakeformation.groups import PRINCIPAL
from option_a.names import DEFAULT_STACK

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The days that CloudWatch keeps logs for; it takes no others."""
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,63}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_FOREIGN = re.compile(r"[@:]|^acknowledged-issue-numbers$")
"""Keys of the context that are CDK's own: feature flags, look-ups, notices."""

Read = Callable[[str], Any]


class Switches(msgspec.Struct, frozen=True, kw_only=True):
    """What `-c` may say of a deployment."""

    reservedConcurrency: int | None = None
    removal: Literal["retain", "destroy"] = "retain"
    alarmEmail: str | None = None
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory: int = 1_024
    logRetention: int = 30
    scanCutoff: int = 100
    sources: str = "sources.toml"
    stack: str = DEFAULT_STACK
    nested: bool = False
    """Nested stacks from the first source on: going from 50 to 51 would move every queue, and SQS refuses that."""
    bundle: bool = True
    lakeFormation: Literal["off", "hybrid", "enforce"] = "off"
    lakeFormationAdmin: str | None = None
    access: str = "access.toml"

    @property
    def destroys(self) -> bool:
        """Whether the buckets go when the stack goes."""
        return self.removal == "destroy"


def read_switches(context: Mapping[str, Any]) -> Switches:
    """The switches in a context. Raises ConfigError for one that is unknown, or whose value cannot be."""
    given = {key: value for key, value in context.items() if not _FOREIGN.search(key)}
    for key in given:
        if key not in _READERS:
            close = closest(key, _READERS)
            hint = f"did you mean {close}? " if close is not None else ""
            raise ConfigError(f"-c {key}: no such switch", hint=f"{hint}allowed: {', '.join(_READERS)}")
    return Switches(**{key: _read(key, value) for key, value in given.items()})


def _read(key: str, value: Any) -> Any:
    reader, allowed = _READERS[key]
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    try:
        return reader(text)
    except ValueError:
        raise ConfigError(f"-c {key}={text} is not valid", hint=f"allowed: {allowed}") from None


def _whole(lowest: int, highest: int) -> Read:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(text)
        return int(text)

    return read


def _one_of(*allowed: str) -> Read:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return read


def _days(text: str) -> int:
    if text not in map(str, RETENTIONS):
        raise ValueError(text)
    return int(text)


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[_one_of("true", "false")(text)]


def _like(pattern: re.Pattern[str]) -> Read:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return read


_READERS: dict[str, tuple[Read, str]] = {
    "reservedConcurrency": (_whole(1, 10_000), "a whole number, at least the sum of the sources' `concurrency`"),
    "removal": (_one_of("retain", "destroy"), "retain, destroy"),
    "alarmEmail": (_like(_EMAIL), "an e-mail address"),
    "architecture": (_one_of("arm64", "x86_64"), "arm64, x86_64"),
    "memory": (_whole(256, 10_240), "256 to 10240 (MB)"),
    "logRetention": (_days, f"{', '.join(map(str, RETENTIONS))} (days)"),
    "scanCutoff": (_whole(1, 7_000_000), "a whole number from 1 (GB that one query may scan)"),
    "sources": (_like(re.compile(".+")), "the path of a file"),
    "stack": (_like(_STACK), "3 to 64 letters, digits and hyphens, a letter first"),
    "nested": (_truth, "true, false"),
    "bundle": (_truth, "true, false"),
    "lakeFormation": (_one_of("off", "hybrid", "enforce"), "off, hybrid, enforce"),
    "lakeFormationAdmin": (_like(PRINCIPAL), "the ARN of a user or a role: arn:aws:iam::123456789012:role/NAME"),
    "access": (_like(re.compile(".+")), "the path of a file"),
}
