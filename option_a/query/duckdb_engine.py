"""DuckDB over the lake, in this process, for reading alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from option_a.ingest.config import Source, view_name
from option_a.ingest.errors import QueryError
from option_a.ingest.lake import RAW, FolderLake, Lake
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Summaries, partition_state
from option_a.query import views
from option_a.query.infer_columns import Memory, Note, infer_structures
from option_a.query.structure import columns_of, declared_columns
from option_a.workspace.query_result import Result

_READS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_AT_ONCE = 1_000
_GONE = re.compile(r"No such file|FileNotFoundError")
"""A folder's page, or a bucket's, that was deleted after it was listed: by a promotion, whose day got shorter."""
_TRIES = 5
"""Each lists the folder anew; a bucket is listed once."""


class DuckDBEngine:
    """One connection. Views are made for what a query names, so 400 sources cost nothing to the others."""

    def __init__(
        self, lake: Lake, sources: Mapping[str, Source], summaries: Summaries, now: float, memory: Memory, note: Note
    ) -> None:
        self._lake, self._sources, self._summaries, self._now = lake, sources, summaries, now
        self._memory, self._note = memory, note
        self._db = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )
        self._made: set[str] = set()
        # a folder's name may hold what DuckDB takes for a pattern; then it is read like a bucket
        self._folder = isinstance(lake, FolderLake) and not re.search(r"[*?\[]", lake.name)
        self._root = self._attach_lake()

    def run(self, sql: str) -> Result:
        """The answer to one statement that reads. Raises QueryError."""
        self._only_reads(sql)
        for _ in range(_TRIES if self._folder else 1):
            try:
                return self._answer(sql)
            except duckdb.Error as error:
                if isinstance(error, duckdb.DataError) or not _GONE.search(str(error)):
                    raise QueryError(_first_lines(error), hint=self._hint(error)) from None
        raise _gone()

    def _answer(self, sql: str) -> Result:
        for view in ["raw", "partitions", *self.views()]:
            if re.search(rf"\b{re.escape(view)}\b", sql, re.IGNORECASE):
                self._make(view)
        cursor = self._db.execute(self._fetchable(sql))
        return Result([column[0] for column in cursor.description or []], _rows(cursor))

    def tables(self) -> list[tuple[str, str]]:
        """Every table with its columns, as `name type, name type, …`."""
        try:
            return [(view, self._columns(view)) for view in ["partitions", "raw", *self.views()]]
        except duckdb.Error as error:
            raise QueryError(_first_lines(error), hint="option-a verify says what is wrong with the lake") from None

    def views(self) -> dict[str, Source | None]:
        """A view a source: of the declared ones, and of those that are in the lake still."""
        declared: dict[str, Source | None] = {source.view: source for source in self._sources.values()}
        in_lake: dict[str, Source | None] = {view_name(partition.source): None for partition in self._summaries}
        return dict(sorted((in_lake | declared).items()))

    def _columns(self, view: str) -> str:
        self._make(view)
        columns = self._db.execute(f"DESCRIBE {views.name(view)}").fetchall()
        return ", ".join(f"{column[0]} {column[1]}" for column in columns)

    def _attach_lake(self) -> str:
        """Let the connection reach the lake, and nothing else."""
        if self._folder:
            prefix, allowed = self._lake.name, self._lake.name + "/"
        else:
            from option_a.query.duckdb_files import register

            prefix = allowed = register(self._db, self._lake)
        self._db.execute(f"SET allowed_directories = [{views.quoted(allowed)}]")
        self._db.execute("SET enable_external_access = false")
        self._db.execute("SET lock_configuration = true")
        return prefix

    def _only_reads(self, sql: str) -> None:
        try:
            statements = self._db.extract_statements(sql)
        except duckdb.Error as error:
            raise QueryError(_first_lines(error)) from None
        if len(statements) != 1 or statements[0].type not in _READS:
            hint = "write SELECT, WITH, DESCRIBE, SUMMARIZE or EXPLAIN; to save the answer: --format csv > file"
            raise QueryError("a query must be one statement that only reads", hint=hint)

    def _make(self, view: str) -> None:
        if view in self._made:
            return
        if view == "partitions":
            self._make_partitions()
        elif view == "raw":
            paths = self._paths(sorted({p.source for p, s in self._summaries.items() if s.pages}))
            self._db.execute(views.raw_view(paths) if paths else views.EMPTY_RAW)
        else:
            self._make_source(view)
        self._made.add(view)

    def _make_source(self, view: str) -> None:
        source = self.views()[view]
        full = self._full(source.name if source else None, view)
        columns, casts = declared_columns(source.columns if source else {})
        paths = self._paths(sorted({partition.source for partition in full}))
        if paths and not columns:
            columns = columns_of(infer_structures(self._db, self._summaries, self._memory, paths, full, self._note))
        make = views.source_view(view, paths, columns, casts) if paths else views.empty_view(view, columns, casts)
        self._db.execute(make)

    def _full(self, name: str | None, view: str) -> list[Partition]:
        """The partitions of a view that hold records, newest first."""
        with_pages = [partition for partition, summary in self._summaries.items() if summary.pages]
        mine = [p for p in with_pages if name in (None, p.source) and view_name(p.source) == view]
        return sorted(mine, key=lambda partition: partition.date, reverse=True)

    def _make_partitions(self) -> None:
        self._db.execute(views.PARTITIONS)
        rows = [
            (s.source, s.date, partition_state(s, self._now), s.origin, s.run, s.pages, s.records, s.bytes, s.cause)
            for s in self._summaries.values()
        ]
        if rows:
            self._db.executemany("INSERT INTO partitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _paths(self, names: list[str]) -> list[str]:
        """The files of sources that have any; a folder by globs, which prune by date before they list."""
        full = [name for name in names if any(s.pages for p, s in self._summaries.items() if p.source == name)]
        if self._folder:
            return [f"{self._root}/{RAW}/source={name}/*/*.json.gz" for name in full if self._any_page(name)]
        return [f"{self._root}{entry.key}" for name in full for entry in self._lake.entries(f"{RAW}/source={name}")]

    def _any_page(self, name: str) -> bool:
        return next(iter(self._lake.entries(f"{RAW}/source={name}")), None) is not None

    def _fetchable(self, sql: str) -> str:
        """Zoned timestamps as text: to fetch them as such DuckDB wants one more library."""
        try:
            columns = self._db.execute(f"DESCRIBE {sql}").fetchall()
        except duckdb.Error:
            return sql  # EXPLAIN and its like, or SQL that is wrong: running it tells
        if not any("TIME ZONE" in column[1] for column in columns):
            return sql
        cast = [
            f"CAST({views.name(key)} AS VARCHAR) AS {views.name(key)}" if "TIME ZONE" in kind else views.name(key)
            for key, kind, *_ in columns
        ]
        return f"SELECT {', '.join(cast)} FROM (\n{sql.strip().rstrip(';')}\n)"

    def _hint(self, error: duckdb.Error) -> str:
        text = str(error)
        if "does not exist" in text and "Table" in text:
            return "there are: " + ", ".join(["raw", "partitions", *self.views()])
        if "maximum recursion depth" in text:
            return "a record is nested too deeply for a view; every record is in `raw`: SELECT record FROM raw"
        if isinstance(error, duckdb.BinderException):
            return "option-a query, with no SQL, lists the columns; an empty source has just its declared ones"
        if isinstance(error, duckdb.InvalidInputException | duckdb.ConversionException):
            return "a value does not fit its column: correct `columns`, or read the text: SELECT record FROM raw"
        return ""


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    try:
        while batch := cursor.fetchmany(_AT_ONCE):
            yield from batch
    except duckdb.Error as error:
        raise _gone() if _GONE.search(str(error)) else QueryError(_first_lines(error)) from None


def _gone() -> QueryError:
    return QueryError("a page disappeared while the query ran", hint="a load deleted it: run the query again")


def _first_lines(error: duckdb.Error) -> str:
    message = str(error).partition("\nStack Trace:")[0]
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("Did you mean")]
    return "\n  ".join(lines[:4])
