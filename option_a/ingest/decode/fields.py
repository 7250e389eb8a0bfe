"""Which fields of a record land, and as what: kept, dropped, renamed, hashed. All else stays byte for byte. Pure.

A path is dotted and goes through lists to each of their objects: `customer.email`, `lines.sku`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable

import msgspec

from option_a.ingest.errors import BodyError
from option_a.ingest.jsontext import UNDECODABLE, key_text, parse, quote_key
from option_a.ingest.secrets import reference

Members = list[tuple[str, bytes, bytes]]
"""The members of an object: a key's text, the key and the value as they stand."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_NULL = b"null"


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is done to the fields of each record. Paths are those of the API; `rename` alone gives new names."""

    keep: list[str] = []
    drop: list[str] = []
    rename: dict[str, str] = {}
    hash: list[str] = []
    salt: str | None = None

    def __post_init__(self) -> None:
        if not (self.keep or self.drop or self.rename or self.hash):
            raise ValueError("`fields` is empty: give it `keep`, `drop`, `rename` or `hash`")
        if not all([*self.keep, *self.drop, *self.hash, *self.rename, *self.rename.values()]):
            raise ValueError("a path in `fields` is empty")
        for path in set(self.drop) & {*self.hash, *self.keep, *self.rename}:
            raise ValueError(f"`{path}` is dropped, and kept, hashed or renamed too: say one")
        if bool(self.hash) != (self.salt is not None):
            raise ValueError(
                "`hash` and `salt` go together: without a salt who knows an address finds its hash; "
                'for example salt = "env:ORDERS_SALT"'
            )
        if self.salt is not None:
            reference(self.salt)
        parents = [(path.rpartition(".")[0], name) for path, name in self.rename.items()]
        for parent, name in parents:
            if parents.count((parent, name)) > 1:
                raise ValueError(f"`rename` gives the name `{name}` twice")

    def check_cursor(self, path: str) -> None:
        """Raises ValueError where a cursor is a value that does not land: the manifest holds it as it is."""
        dropped, hashed, kept = (any(_covers(name, path) for name in at) for at in (self.drop, self.hash, self.keep))
        why = "drops it" if dropped else "hashes it" if hashed else "does not keep it" if self.keep and not kept else ""
        if why:
            raise ValueError(
                f"pagination.record is `{path}`, and `fields` {why}: an interrupted load must store the value "
                "as it is, so continue behind a field that lands"
            )

    @property
    def paths(self) -> list[str]:
        """Every path that it names."""
        return list(dict.fromkeys([*self.keep, *self.drop, *self.hash, *self.rename]))


def apply_fields(fields: Fields, lines: bytes, salt: str | None) -> bytes:
    """The records of a page as they land. Raises BodyError where a new name is there already."""
    plan = _Plan(fields, (salt or "").encode())
    done = []
    for number, line in enumerate(lines.splitlines(), 1):
        try:
            done.append(plan.object(line, plan.root) + b"\n")
        except RecursionError:
            what = f"record {number} is nested too deeply for `fields`"
            raise BodyError(what, hint="leave `fields` out for this source") from None
        except BodyError as error:
            raise BodyError(f"record {number}: {error.what}", hint=error.hint) from None
    return b"".join(done)


def absent_fields(fields: Fields, lines: bytes) -> list[str]:
    """The paths that no record of a page has: mistyped, or rare."""
    records = lines.splitlines()
    return [path for path in fields.paths if not any(_has(record, path) for record in records)]


def _covers(name: str, path: str) -> bool:
    """Whether what is done at one path is done to another, which is the same or below it."""
    return path == name or path.startswith(name + ".")


def _has(text: bytes, path: str) -> bool:
    if text[:1] == b"[":
        return any(_has(item, path) for item in _items(text))
    members = _members(text) if text[:1] == b"{" else []
    return any(
        key == path or (path.startswith(key + ".") and _has(value, path[len(key) + 1 :])) for key, _, value in members
    )


class _Paths(msgspec.Struct, frozen=True):
    """What is still to be done below a place; each path as it goes on from there. `keep` None: everything is kept."""

    keep: frozenset[str] | None
    drop: frozenset[str]
    hash: frozenset[str]
    rename: tuple[tuple[str, str], ...]

    def below(self, key: str) -> _Paths:
        """What is left of the paths that go through a key."""
        keep = None if self.keep is None or key in self.keep else _beyond(self.keep, key)
        renames = tuple((path[len(key) + 1 :], name) for path, name in self.rename if path.startswith(key + "."))
        return _Paths(keep, _beyond(self.drop, key), _beyond(self.hash, key), renames)

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done any more."""
        return self.keep is None and not (self.drop or self.hash or self.rename)


def _beyond(paths: Iterable[str], key: str) -> frozenset[str]:
    return frozenset(path[len(key) + 1 :] for path in paths if path.startswith(key + "."))


class _Plan:
    """What is done to each key of each place, worked out once a page."""

    def __init__(self, fields: Fields, salt: bytes) -> None:
        keep = frozenset(fields.keep) if fields.keep else None
        self.root = _Paths(keep, frozenset(fields.drop), frozenset(fields.hash), tuple(fields.rename.items()))
        self._salt = salt
        self._below: dict[tuple[_Paths, str], _Paths] = {}

    def object(self, text: bytes, at: _Paths) -> bytes:
        """An object, compact, with the paths that lead into it followed."""
        names = dict(at.rename)
        kept: Members = []
        for key, raw_key, value in _members(text):
            below = self._beyond(at, key)
            if key in at.drop or (below.keep is not None and not below.keep):
                continue
            done = self._hashed(value) if key in at.hash else self._value(value, below)
            if done is not None:
                kept.append((key, quote_key(names[key]) if key in names else raw_key, done))
        if names:
            _check_names(names, [key for key, _, _ in kept])
        return _joined(kept)

    def _beyond(self, at: _Paths, key: str) -> _Paths:
        found = self._below.get((at, key))
        if found is None:
            found = self._below[at, key] = at.below(key)
        return found

    def _value(self, text: bytes, at: _Paths) -> bytes | None:
        """A value that paths may go through; None where it is none of what is kept."""
        if at.idle:
            return text
        if text[:1] == b"{":
            return self.object(text, at)
        if text[:1] == b"[":
            return _mapped(text, lambda item: self._value(item, at))
        return text if at.keep is None or text == _NULL else None

    def _hashed(self, text: bytes) -> bytes:
        """Of a text its characters are hashed, of all else what stands there; of a list each item. A null stays."""
        if text == _NULL:
            return text
        if text[:1] == b"[":
            return _mapped(text, self._hashed)
        plain = key_text(text).encode("utf-8", "surrogatepass") if text[:1] == b'"' else text
        return b'"' + hmac.new(self._salt, plain, hashlib.sha256).hexdigest().encode() + b'"'


def _check_names(names: dict[str, str], keys: list[str]) -> None:
    for key, name in names.items():
        if key in keys and name in keys and name not in names:
            raise BodyError(f"`rename` gives the name `{name}`, which exists already", hint="choose another name")


def _joined(members: Members) -> bytes:
    return b"{" + b",".join([key + b":" + value for _, key, value in members]) + b"}"


def _mapped(text: bytes, change: Callable[[bytes], bytes | None]) -> bytes:
    return b"[" + b",".join(done for item in _items(text) if (done := change(item)) is not None) + b"]"


def _members(text: bytes) -> Members:
    """The members of an object. msgspec's way, if what it gives is the object again; else the outline."""
    try:
        text = msgspec.json.format(text, indent=-1)
        members = [(key, quote_key(key), bytes(value)) for key, value in _object.decode(text).items()]
        if _joined(members) == text:
            return members
    except UNDECODABLE:
        pass  # an odd escape, or too deep for msgspec
    text, root = parse(text, 1)
    return [(key_text(key), key, text[node.start : node.end]) for key, node in root.members]


def _items(text: bytes) -> list[bytes]:
    try:
        items = [bytes(item) for item in _array.decode(text)]
        if b"[" + b",".join(items) + b"]" == text:
            return items
    except UNDECODABLE:
        pass
    text, root = parse(text, 1)
    return [text[node.start : node.end] for node in root.items]
