"""In which order a process's writes were safe: from its calls, for a lake in a folder.

Safe is what a crash leaves. Of the process alone: what was renamed. Of the machine (`durable`): bytes that were synced
before they were renamed, in a folder that was synced after, which was itself safe in the folder above.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from option_a.ingest.lake.keys import manifest_key, page_key, page_number, raw_prefix, segment_key, staging_prefix
from option_a.ingest.manifest.model import Load, Manifest, decode
from option_a.ingest.manifest.rows import Row, checksum, decode_rows
from option_a.ingest.partition import Partition
from tests.support.crashes.strace import Call

NEVER = sys.maxsize
_SYNCS = ("fsync", "fdatasync")
_REMOVES = ("unlink", "unlinkat", "rmdir")
_MAKES = ("mkdir", "mkdirat")
_RENAMES = ("rename", "renameat", "renameat2")


class Landing(NamedTuple):
    """An object that was renamed to its key: from which line on it may be seen, and from which it is safe."""

    seen: int
    safe: int
    data: bytes


class Order:
    """The calls on one lake, by path. `before` is what stood there already."""

    def __init__(self, calls: Iterable[Call], lake: Path, before: Mapping[str, bytes], *, durable: bool) -> None:
        self._lake, self._before, self._durable = str(lake), before, durable
        self.calls = list(calls)
        self._by: dict[tuple[str, str], list[Call]] = defaultdict(list)
        for call in self.calls:
            self._by[_kind(call.name), call.paths[-1]].append(call)

    def landings(self, key: str) -> list[Landing]:
        """Every version of an object, the first one first."""
        path = f"{self._lake}/{key}"
        renamed = [Landing(call.begun, self._safe(call), self._written(call)) for call in self._by["rename", path]]
        return [*([Landing(-1, -1, self._before[key])] if key in self._before else []), *renamed]

    def removals(self, prefix: str) -> Iterator[tuple[str, int, int]]:
        """The objects below a prefix that were deleted: from which line on that may be seen, and that it is safe."""
        for call in self.calls:
            if _kind(call.name) == "remove" and (key := self.key(call.paths[-1])) and key.startswith(f"{prefix}/"):
                yield key, call.begun, self._gone(call.paths[-1], call.ended)

    def key(self, path: str) -> str | None:
        """The key of a path; None outside the lake."""
        return path.removeprefix(f"{self._lake}/") if path.startswith(f"{self._lake}/") else None

    def _written(self, rename: Call) -> bytes:
        return b"".join(call.data for call in self._by["write", rename.paths[0]])

    def _safe(self, rename: Call) -> int:
        if not self._durable:
            return rename.ended
        written = max(call.ended for call in self._by["write", rename.paths[0]])
        synced = self.synced(rename.paths[0], written)
        return self._there(rename.paths[-1], rename.ended) if synced < rename.begun else NEVER

    def _there(self, path: str, since: int) -> int:
        """From which line on an entry is safe in its folder, and the folder in the one above, if it was made."""
        folder = os.path.dirname(path)
        made = [call.ended for call in self._by["make", folder] if call.begun < since]
        return max(self.synced(folder, since), self._there(folder, made[-1]) if made else -1)

    def _gone(self, path: str, since: int) -> int:
        """From which line on it is safe that an entry is gone; its folder may be gone too."""
        if not self._durable:
            return since
        folder = os.path.dirname(path)
        pruned = [call.ended for call in self._by["remove", folder] if call.begun > since]
        return min(self.synced(folder, since), self._gone(folder, pruned[0]) if pruned else NEVER)

    def kept(self, path: str, since: int) -> bool:
        """Whether what was written to a file was synced before anything more was written to it."""
        following = next((call.begun for call in self._by["write", path] if call.begun > since), NEVER)
        return self.synced(path, since) < following

    def synced(self, path: str, since: int) -> int:
        """The end of the first sync that began after this line."""
        return next((call.ended for call in self._by["sync", path] if call.begun > since), NEVER)


def _kind(name: str) -> str:
    names = {"sync": _SYNCS, "remove": _REMOVES, "make": _MAKES, "rename": _RENAMES}
    return next((kind for kind, of in names.items() if name in of), "write" if "write" in name else name)


class Ledgers:
    """The manifests of a partition as they landed, and whether each was true when it could be seen."""

    def __init__(self, order: Order, partition: Partition) -> None:
        self._order, self.partition = order, partition
        key = manifest_key(partition)
        self.landed = [(landing, decode(landing.data, key)) for landing in order.landings(key)]

    def of(self, state: str) -> Landing | None:
        """The first manifest of this state that was written here."""
        return next((landing for landing, m in self.landed if m.state == state and landing.seen >= 0), None)

    def pages(self) -> Iterator[tuple[str, bool]]:
        """Every page that a manifest names, and whether it was safe before that manifest could be seen."""
        for landing, manifest in self.landed:
            prefix = _prefix(manifest)
            for row in self._rows(manifest.load, landing.seen):
                if row.records and landing.seen >= 0:
                    key = page_key(prefix, row.page)
                    yield f"{key} {row.checksum}", self._safe_before(key, row.checksum, landing.seen)

    def _rows(self, load: Load, seen: int) -> Iterator[Row]:
        for number in range(1, load.segments + 1):
            key = segment_key(self.partition, load.number, number)
            safe = [landing.data for landing in self._order.landings(key) if landing.safe < seen]
            assert safe, f"{key} is named before it is safe"
            yield from decode_rows(safe[-1], key)
        yield from load.rows

    def _safe_before(self, key: str, digest: str, seen: int) -> bool:
        return any(landing.safe < seen and checksum(landing.data) == digest for landing in self._order.landings(key))


def _prefix(manifest: Manifest) -> str:
    if manifest.load.staged and manifest.state != "complete":
        return staging_prefix(manifest.partition, manifest.load.begun_by)
    return raw_prefix(manifest.partition)


def beside_pages(order: Order) -> list[str]:
    """What was made, opened for writing or renamed below raw/ and is no page, or was not renamed there whole."""
    wrong = []
    for call in order.calls:
        for path in call.paths:
            key = order.key(path)
            if key is None or not key.startswith("raw/"):
                continue
            whole = call.name in _RENAMES and path == call.paths[-1] and page_number(key) is not None
            folder = call.name in (*_MAKES, *_REMOVES) and os.path.basename(key).startswith(
                ("source=", "ingestion_date=")
            )
            removed = call.name in _REMOVES and page_number(key) is not None
            looked = call.name in (*_SYNCS, "openat", "open") and not call.writes
            if not (whole or folder or removed or looked):
                wrong.append(f"{call.name} {key}")
    return wrong
