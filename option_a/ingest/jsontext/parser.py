"""JSON text, taken apart without changing a byte of it: the slow, lossless path beside msgspec's fast one.

RFC 8259 to the letter, at any sane depth and any length of number, with lone surrogates in escapes (they are legal) and
without invalid UTF-8 (it is not). White space between tokens is dropped, nothing else is.
"""

from __future__ import annotations

import codecs
import json
import re
from functools import lru_cache
from typing import Literal

import msgspec

Kind = Literal["object", "array", "scalar"]

_SPACE = re.compile(rb"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_SCALAR = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_PIECE = 16_384
_DEEPEST = 1_000_000
"""Levels beyond which nobody means it: each costs time and memory."""
_BOM = b"\xef\xbb\xbf"


class Node(msgspec.Struct):
    """A value, as a slice of the compact text. `members` and `items` are filled in down to the depth asked for."""

    kind: Kind
    start: int
    end: int = 0
    members: list[tuple[bytes, Node]] = []
    items: list[Node] = []


_CONTAINERS: tuple[Kind, ...] = ("object", "array")


class MalformedJson(ValueError):
    """Text that is not JSON; the message says what is wrong at which byte."""


class _Open(msgspec.Struct):
    """A container that has not been closed; `inside` says whether its children are recorded."""

    node: Node
    inside: bool
    key: bytes = b""


def parse(body: bytes, depth: int) -> tuple[bytes, Node]:
    """The compact text of a body and its outline, `depth` levels deep. Raises Malformed."""
    _check_encoding(body)
    return _Parser(body.removeprefix(_BOM), depth).run()


def is_utf8(body: bytes) -> bool:
    """Whether the bytes are UTF-8, which RFC 8259 demands."""
    if body.isascii():
        return True
    view, at = memoryview(body), 0
    try:
        while at < len(body):
            # a piece at a time: the text of the whole would be a fresh megabyte of memory for every page
            at += codecs.utf_8_decode(view[at : at + _PIECE], "strict", at + _PIECE >= len(body))[1]
    except UnicodeDecodeError:
        return False
    return True


def key_text(key: bytes) -> str:
    """The text of a key as it stands in the compact text, quotes and escapes included."""
    return str(json.loads(key))


@lru_cache(maxsize=4_096)
def quote_key(name: str) -> bytes:
    """A key as JSON has it when nothing needs an escape."""
    return json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _check_encoding(body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson(f"invalid UTF-8 at byte {error.start}") from None


class _Parser:
    """An iterative parser: nesting costs memory, never the stack."""

    def __init__(self, text: bytes, depth: int) -> None:
        self.text, self.depth, self.at = text, depth, 0
        self.out = bytearray()
        self.open: list[_Open] = []
        self.beneath = {kind: _Open(Node(kind, 0), inside=False) for kind in _CONTAINERS}
        """What stands for every container that is not recorded: a level of nesting costs eight bytes."""
        self.root: Node | None = None

    def run(self) -> tuple[bytes, Node]:
        self._value()
        while self.open:
            self._next()
        self._skip()
        if self.at != len(self.text) or self.root is None:
            raise self._bad("something follows the value")
        return bytes(self.out), self.root

    def _skip(self) -> bytes:
        """Pass over white space; the byte that follows, empty at the end."""
        matched = _SPACE.match(self.text, self.at)
        self.at = matched.end() if matched else self.at
        return self.text[self.at : self.at + 1]

    def _value(self) -> None:
        """Read a value: a scalar whole, of a container its beginning and, if it has one, its first child's."""
        while True:
            byte = self._skip()
            if byte not in (b"{", b"["):
                return self._scalar(byte)
            self._enter("object" if byte == b"{" else "array")
            following = self._skip()
            if following == (b"}" if byte == b"{" else b"]"):
                return self._close()
            if byte == b"{":
                self._key()

    def _enter(self, kind: Kind) -> None:
        if len(self.open) >= _DEEPEST:
            raise self._bad(f"nested more than {_DEEPEST:,} levels deep")
        if self.open and not self.open[-1].inside:
            self.open.append(self.beneath[kind])
        else:
            node = Node(kind, len(self.out), members=[], items=[])
            self._record(node)
            self.open.append(_Open(node, inside=len(self.open) < self.depth))
        self.out += self.text[self.at : self.at + 1]
        self.at += 1

    def _scalar(self, byte: bytes) -> None:
        matched = (_STRING if byte == b'"' else _SCALAR).match(self.text, self.at)
        if matched is None:
            raise self._bad("the text ends early" if not byte else "no JSON value")
        self._record(Node("scalar", len(self.out), len(self.out) + len(matched[0])))
        self.out += matched[0]
        self.at = matched.end()

    def _next(self) -> None:
        """After a value: a comma and the next one, or the end of the container."""
        byte = self._skip()
        inside_object = self.open[-1].node.kind == "object"
        if byte == b",":
            self.at += 1
            self.out += b","
            if inside_object:
                self._key()
            self._value()
        elif byte == (b"}" if inside_object else b"]"):
            self._close()
        else:
            raise self._bad("the text ends early" if not byte else "neither a comma nor the end of the container")

    def _key(self) -> None:
        self._skip()
        matched = _STRING.match(self.text, self.at)
        if matched is None:
            raise self._bad("no key")
        self.at = matched.end()
        if self._skip() != b":":
            raise self._bad("no colon after a key")
        self.at += 1
        self.open[-1].key = matched[0]
        self.out += matched[0] + b":"

    def _close(self) -> None:
        self.out += self.text[self.at : self.at + 1]
        self.at += 1
        self.open.pop().node.end = len(self.out)

    def _record(self, node: Node) -> None:
        if not self.open:
            self.root = node
        elif self.open[-1].inside and self.open[-1].node.kind == "object":
            self.open[-1].node.members.append((self.open[-1].key, node))
        elif self.open[-1].inside:
            self.open[-1].node.items.append(node)

    def _bad(self, what: str) -> MalformedJson:
        return MalformedJson(f"{what} at byte {self.at}")
