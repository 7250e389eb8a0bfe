"""Row filters: the part of PartiQL that Lake Formation takes, checked word by word before it is deployed. Pure.

    filter  = and ("OR" and)*         and  = not ("AND" not)*       not = "NOT" not | "(" filter ")" | test
    test    = column compare value | column "IS" ["NOT"] "NULL"
            | column ["NOT"] ("LIKE" value | "IN" "(" value ("," value)* ")" | "BETWEEN" value "AND" value)

No function, no second column, no comment and no second statement is in it: what is not in it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from option_a.ingest.decode import ColumnType
from option_a.names import PARTITION_KEY

LONGEST = 2_048
_DEEPEST = 32
_TOKEN = re.compile(
    r"""\s*(?: (?P<word>[A-Za-z_]\w*) | (?P<quoted>"[^"]+") | (?P<text>'(?:[^']|'')*')
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.])) | (?P<compare><>|!=|<=|>=|=|<|>) | (?P<sign>[(),]) )""",
    re.VERBOSE | re.ASCII,
)
_WORDS = frozenset({"AND", "OR", "NOT", "IS", "NULL", "LIKE", "IN", "BETWEEN", "TRUE", "FALSE"})


class Token(NamedTuple):
    """A word of a filter: its kind, and as it was written."""

    kind: str
    text: str


def check_rows(text: str, columns: Mapping[str, ColumnType]) -> set[str]:
    """The columns that a filter names, of those there are by their names in Athena. Raises ValueError."""
    if len(text) >= LONGEST:
        raise ValueError(f"it has {len(text)} characters, and Lake Formation takes {LONGEST - 1}")
    return _Filter(_tokens(text), columns).read()


def _tokens(text: str) -> list[Token]:
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"`{text[place:].strip()[:20]}` is not valid in a filter")
        kind = match.lastgroup or ""
        word = match[kind]
        if kind == "word" and word.upper() in _WORDS:
            kind, word = word.upper(), word.upper()
        found.append(Token(kind, word))
        place = match.end()
    return found


class _Filter:
    """Reads from left to right, one token ahead."""

    def __init__(self, tokens: list[Token], columns: Mapping[str, ColumnType]) -> None:
        self._tokens, self._columns = [*tokens, Token("end", "its end")], columns
        self._place = 0
        self._named: set[str] = set()

    def read(self) -> set[str]:
        self._either(0)
        self._take("end")
        return self._named

    def _either(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
        self._both(depth)
        while self._took("OR"):
            self._both(depth)

    def _both(self, depth: int) -> None:
        self._one(depth)
        while self._took("AND"):
            self._one(depth)

    def _one(self, depth: int) -> None:
        while self._took("NOT"):
            pass
        if self._took("("):
            self._either(depth + 1)
            self._take(")")
        else:
            self._test()

    def _test(self) -> None:
        column = self._column()
        if self._took("IS"):
            self._null(column)
            return
        if self._took("compare"):
            self._value(column)
            return
        self._took("NOT")
        if self._took("LIKE"):
            self._like(column)
        elif self._took("BETWEEN"):
            self._value(column)
            self._take("AND")
            self._value(column)
        elif self._took("IN"):
            self._list(column)
        else:
            self._refuse("a comparison: =, <>, <, >, <=, >=, [NOT] IN, [NOT] LIKE, [NOT] BETWEEN or IS [NOT] NULL")

    def _column(self) -> str:
        if self._next.kind not in ("word", "quoted"):
            self._refuse("a column")
        written = self._taken().text
        name = written.strip('"').lower()
        if name not in self._columns:
            raise ValueError(f"`{written}` is not a declared column; declared: {', '.join(self._columns)}")
        self._named.add(name)
        return name

    def _null(self, column: str) -> None:
        self._took("NOT")
        self._take("NULL")
        if column == PARTITION_KEY:
            raise ValueError(f"Lake Formation does not accept IS NULL on a partition key, which {column} is")

    def _like(self, column: str) -> None:
        if _family(self._columns[column]) != "text":
            raise ValueError(f"LIKE compares texts, and {column} is {self._columns[column]}")
        self._value(column)

    def _list(self, column: str) -> None:
        self._take("(")
        self._value(column)
        while self._took(","):
            self._value(column)
        self._take(")")

    def _value(self, column: str) -> None:
        wanted = _family(self._columns[column])
        found = {"text": "text", "number": "number", "TRUE": "truth", "FALSE": "truth"}.get(self._next.kind)
        if found != wanted:
            self._refuse(_EXAMPLES[wanted] + f", for {column} is {self._columns[column]}")
        self._taken()

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _taken(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _took(self, kind: str) -> bool:
        """Whether the next token is of a kind, or is that sign; it is passed if so."""
        found = self._next.kind == kind or (self._next.kind == "sign" and self._next.text == kind)
        self._place += found
        return found

    def _take(self, kind: str) -> None:
        if not self._took(kind):
            self._refuse({"end": "AND, OR or its end"}.get(kind, f"`{kind}`"))

    def _refuse(self, wanted: str) -> NoReturn:
        raise ValueError(f"where `{self._next.text}` is, there should be {wanted}")


_EXAMPLES = {"text": "a text in quotes, as 'paid'", "number": "a number", "truth": "TRUE or FALSE"}


def _family(kind: ColumnType) -> str:
    """What a column is in Athena: what is neither a number nor a truth is declared as text there."""
    return {"bigint": "number", "double": "number", "boolean": "truth"}.get(kind, "text")
