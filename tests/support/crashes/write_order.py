"""Works out from system calls in which order writes to a lake folder became safe, for tests/prove/test_write_order.py.

Safe is what survives a crash. For a crash of the process: what was renamed. For a crash of the machine (`durable`):
bytes synced before the rename, in a folder synced after it, which was itself safe in its parent folder.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from option_a.ingest.lake.keys import manifest_key, page_key, page_number, segment_key
from option_a.ingest.manifest.model import Load, decode
from option_a.ingest.manifest.rows import Row, checksum, decode_rows
from option_a.ingest.partition import Partition
from tests.support.crashes.strace import Syscall
from tests.support.simulation.manifests import prefix_of

NEVER = sys.maxsize
_SYNCS = ("fsync", "fdatasync")
_REMOVES = ("unlink", "unlinkat", "rmdir")
_MAKES = ("mkdir", "mkdirat")
_RENAMES = ("rename", "renameat", "renameat2")


class LandedObject(NamedTuple):
    """An object renamed to its key: the trace lines from which it may be seen, and from which it is safe."""

    seen: int
    safe: int
    data: bytes


class WriteOrder:
    """The calls on one lake, by path. `before` is its initial content."""

    def __init__(self, calls: Iterable[Syscall], lake: Path, before: Mapping[str, bytes], *, durable: bool) -> None:
        self._lake, self._before, self._durable = str(lake), before, durable
        self.calls = list(calls)
        self._by: dict[tuple[str, str], list[Syscall]] = defaultdict(list)
        for call in self.calls:
            self._by[_kind(call.name), call.paths[-1]].append(call)

    def versions(self, key: str) -> list[LandedObject]:
        """Every version of an object, oldest first."""
        path = f"{self._lake}/{key}"
        renamed = [LandedObject(call.begun, self._safe(call), self._written(call)) for call in self._by["rename", path]]
        return [*([LandedObject(-1, -1, self._before[key])] if key in self._before else []), *renamed]

    def removals(self, prefix: str) -> Iterator[tuple[str, int, int]]:
        """Deleted objects under a prefix: the lines from which the deletion may be seen, and is safe."""
        for call in self.calls:
            if _kind(call.name) == "remove" and (key := self.key(call.paths[-1])) and key.startswith(f"{prefix}/"):
                yield key, call.begun, self._gone(call.paths[-1], call.ended)

    def key(self, path: str) -> str | None:
        """The key of a path; None outside the lake."""
        return path.removeprefix(f"{self._lake}/") if path.startswith(f"{self._lake}/") else None

    def _written(self, rename: Syscall) -> bytes:
        return b"".join(call.data for call in self._by["write", rename.paths[0]])

    def _safe(self, rename: Syscall) -> int:
        if not self._durable:
            return rename.ended
        written = max(call.ended for call in self._by["write", rename.paths[0]])
        synced = self.synced(rename.paths[0], written)
        return self._there(rename.paths[-1], rename.ended) if synced < rename.begun else NEVER

    def _there(self, path: str, since: int) -> int:
        """The line from which an entry is safe in its folder, and a new folder in its parent."""
        folder = os.path.dirname(path)
        made = [call.ended for call in self._by["make", folder] if call.begun < since]
        return max(self.synced(folder, since), self._there(folder, made[-1]) if made else -1)

    def _gone(self, path: str, since: int) -> int:
        """The line from which an entry's removal is safe; its folder may be gone too."""
        if not self._durable:
            return since
        folder = os.path.dirname(path)
        pruned = [call.ended for call in self._by["remove", folder] if call.begun > since]
        return min(self.synced(folder, since), self._gone(folder, pruned[0]) if pruned else NEVER)

    def synced_before_next_write(self, path: str, since: int) -> bool:
        """Whether a write was synced before the next write to the same file."""
        following = next((call.begun for call in self._by["write", path] if call.begun > since), NEVER)
        return self.synced(path, since) < following

    def synced(self, path: str, since: int) -> int:
        """The end of the first sync that began after this line."""
        return next((call.ended for call in self._by["sync", path] if call.begun > since), NEVER)


def _kind(name: str) -> str:
    names = {"sync": _SYNCS, "remove": _REMOVES, "make": _MAKES, "rename": _RENAMES}
    return next((kind for kind, of in names.items() if name in of), "write" if "write" in name else name)


class ManifestHistory:
    """The versions of a partition's manifest, and whether each was true when it could be seen."""

    def __init__(self, order: WriteOrder, partition: Partition) -> None:
        self._order, self.partition = order, partition
        key = manifest_key(partition)
        self.landed = [(landing, decode(landing.data, key)) for landing in order.versions(key)]

    def first_in_state(self, state: str) -> LandedObject | None:
        """The first manifest of this state that was written."""
        return next((landing for landing, m in self.landed if m.state == state and landing.seen >= 0), None)

    def pages(self) -> Iterator[tuple[str, bool]]:
        """Every page in a manifest, and whether it was safe before that manifest could be seen."""
        for landing, manifest in self.landed:
            prefix = prefix_of(manifest)
            for row in self._rows(manifest.load, landing.seen):
                if row.records and landing.seen >= 0:
                    key = page_key(prefix, row.page)
                    yield f"{key} {row.checksum}", self._safe_before(key, row.checksum, landing.seen)

    def _rows(self, load: Load, seen: int) -> Iterator[Row]:
        for number in range(1, load.segments + 1):
            key = segment_key(self.partition, load.number, number)
            safe = [landing.data for landing in self._order.versions(key) if landing.safe < seen]
            assert safe, f"{key} is named before it is safe"
            yield from decode_rows(safe[-1], key)
        yield from load.rows

    def _safe_before(self, key: str, digest: str, seen: int) -> bool:
        return any(landing.safe < seen and checksum(landing.data) == digest for landing in self._order.versions(key))


def unexpected_raw_writes(order: WriteOrder) -> list[str]:
    """Writes under raw/ other than renaming complete pages into place, removing pages, and their folders."""
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
