"""Bodies that RFC 8259 allows land whole, and those that it does not are refused, wherever in an answer they stand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from option_a.ingest.partition import Partition
from tests.conftest import Proof
from tests.support.apis.http_server import Exchange, RequestHandler, chunked, reply, until_close
from tests.support.apis.json_samples import (
    BOM,
    GOOD,
    ILLEGAL,
    LEGAL,
    LINES,
    PLACES,
    SPELLINGS,
    WHOLE_ILLEGAL,
    WHOLE_LEGAL,
)
from tests.support.apis.partition_api import PartitionApi, PartitionLoads, partition_loads
from tests.unit.decode.json_documents import compact

pytestmark = pytest.mark.bar(9)

PAGED = {"pagination": {"style": "page", "total_pages": "total_pages"}}
ONE = {"pagination": {"style": "none"}}
VALUES = {**ONE, "format": "ndjson", "shape": "values"}
GZIP = {"Content-Encoding": "gzip"}
FRAMES: dict[str, Callable[[bytes], bytes]] = {
    "of a known length": reply,
    "in chunks": lambda body: chunked(*(body[at : at + 4_099] for at in range(0, len(body), 4_099))),
    "until the connection ends": until_close,
    "in gzip": lambda body: reply(gzip.compress(body, 1), headers=GZIP),
}


class Case(msgspec.Struct, frozen=True):
    """A body in its place, and the lines that must land of it; None where it must be refused."""

    name: str
    body: bytes
    lines: list[bytes] | None


def sent(body: bytes, frame: str) -> RequestHandler:
    def act(exchange: Exchange, before: int) -> None:
        exchange.send(FRAMES[frame](body))
        if frame == "until the connection ends":
            exchange.close()

    return act


def within(value: bytes, place: str, spelling: str, *, legal: bool) -> Case:
    """A value in a place of a body of two records, one page."""
    first = b'{"id":1,"x":%b}' % compact(value) if "record" in place and legal else b'{"id":1}'
    body = SPELLINGS[spelling](PLACES[place].replace(b"%s", value))
    return Case(f"{value[:24]!r} {place}, {spelling}", body, [first, b'{"id":2}'] if legal else None)


def run(root: Path, cases: list[Case], frame: str, **keys: Any) -> tuple[PartitionLoads, dict[Partition, Case]]:
    """Every case as a partition of one source."""
    answering = PartitionApi()
    # nothing, until the connection ends, is no empty body but an answer that was cut
    met = [case for case in cases if case.body or frame != "until the connection ends"]
    found = {answering.add("s", sent(case.body, frame)): case for case in met}
    with partition_loads(root, answering, s=keys) as loaded:
        loaded.load()
    return loaded, found


def judge(loaded: PartitionLoads, found: dict[Partition, Case], proof: Proof) -> None:
    """The legal ones landed byte for byte, the illegal ones are kept under dead/ with their cause."""
    wrong = [why for partition, case in found.items() if (why := fault(loaded, partition, case))]
    assert wrong == [], f"--seed {proof.seed}"
    assert loaded.tracebacks == [], f"--seed {proof.seed}"
    legal = sum(case.lines is not None for case in found.values())
    proof.figure("legal bodies landed", legal)
    proof.figure("illegal bodies refused", len(found) - legal)
    proof.figure("tracebacks", len(loaded.tracebacks), most=0)


def fault(loaded: PartitionLoads, partition: Partition, case: Case) -> str:
    """What is wrong with what came of a case."""
    manifest, lines = loaded.manifest(partition), [compact(line) for line in loaded.lines(partition)]
    if case.lines is not None:
        why = manifest.cause.message if manifest.cause else ""
        return "" if (manifest.state, lines) == ("complete", case.lines) else f"{case.name}: {manifest.state} {why}"
    cause = manifest.cause
    if manifest.state != "failed" or cause is None or lines:
        return f"{case.name}: {manifest.state}, and it is not JSON"
    kept = loaded.pipeline.lake.get(cause.body) if cause.body else None
    placed = cause.message.startswith(f"{partition} page 1: the body is not JSON") and "at byte" in cause.message
    letters = [letter for letter in loaded.pipeline.queue.dead if letter.task and letter.task.partition == partition]
    told = placed and [one.cause for one in letters] == [cause]
    if not told or (cause.kind, cause.page, kept) != ("body", 1, case.body):
        return f"{case.name}: {cause}"
    return ""


def frames(proof: Proof) -> list[str]:
    """Ways to send a body; in short one of them."""
    return proof.rng("frames").sample(list(FRAMES), proof.size(1, len(FRAMES)))


def spellings(proof: Proof) -> list[str]:
    return proof.rng("spellings").sample(list(SPELLINGS), proof.size(1, len(SPELLINGS)))


@pytest.mark.parametrize("place", PLACES)
def test_a_value_lands_or_is_refused_wherever_it_stands(place: str, proof: Proof, tmp_path: Path) -> None:
    for frame in frames(proof):
        for spelling in spellings(proof):
            cases = [within(value, place, spelling, legal=True) for value in LEGAL]
            cases += [within(value, place, spelling, legal=False) for value in ILLEGAL]
            loaded, found = run(tmp_path / f"{frame} {spelling}", cases, frame, **PAGED)
            judge(loaded, found, proof)
            values_survive(loaded, found)
    proof.figure("values, each in every position", f"{len(LEGAL)} legal, {len(ILLEGAL)} illegal")


def test_a_value_that_is_the_whole_body_lands_or_is_refused(proof: Proof, tmp_path: Path) -> None:
    legal = [Case(f"{v[:24]!r} alone", v, [b'{"value":%b}' % compact(v)]) for v in LEGAL]
    illegal = [Case(f"{value[:24]!r} alone", value, None) for value in ILLEGAL]
    for frame in frames(proof):
        judge(*run(tmp_path / frame / "values", legal, frame, **VALUES), proof)
        judge(*run(tmp_path / frame / "none", illegal, frame, **ONE), proof)


def test_a_legal_value_that_holds_no_record_is_never_called_malformed(tmp_path: Path) -> None:
    cases = [Case(repr(value[:24]), value, None) for value in LEGAL if value[:1] not in b"{["]
    loaded, found = run(tmp_path, cases, "of a known length", **ONE)
    assert loaded.tracebacks == []
    for partition in found:
        cause = loaded.manifest(partition).cause
        assert cause is not None
        assert "the body is neither an object nor a list" in cause.message


def test_whole_bodies_of_every_kind(proof: Proof, tmp_path: Path) -> None:
    cases = [Case(name, body, LINES) for name, body in WHOLE_LEGAL.items()]
    cases += [Case(name, body, None) for name, body in WHOLE_ILLEGAL.items()]
    for frame in frames(proof):
        loaded, found = run(tmp_path / frame, cases, frame, **ONE)
        judge(loaded, found, proof)
        values_survive(loaded, found)


def values_survive(loaded: PartitionLoads, found: dict[Partition, Case]) -> None:
    """What landed reads as the same values elsewhere: every line as text in DuckDB, and as JSON where that can."""
    sent_lines = [line for case in found.values() for line in case.lines or []]
    texts = rows(loaded, "read_csv(['{}'], columns = {{'t': 'VARCHAR'}}, delim = '\x01', quote = '', escape = '', "
                         "header = false, auto_detect = false, max_line_size = 4000000)")  # fmt: skip
    assert sorted(map(compact, texts)) == sorted(sent_lines)
    for partition, case in found.items():
        for landed, line in zip(loaded.lines(partition), case.lines or [], strict=True):
            assert as_text(landed) == as_text(line), case.name


def rows(loaded: PartitionLoads, table: str) -> list[bytes]:
    lake = Path(loaded.pipeline.lake.name) / "raw"
    found = duckdb.connect().execute(f"SELECT t FROM {table.format(lake / '*/*/*.json.gz')}").fetchall()
    return [text.encode() for (text,) in found]


def as_text(line: bytes) -> Any:
    """The value by the standard library, numbers as they are spelt and members in their order; depth it cannot read."""
    try:
        return json.loads(line, parse_int=str, parse_float=str, object_pairs_hook=list)
    except RecursionError:
        return line


def test_the_tables_are_what_another_parser_makes_of_them() -> None:
    """Else a mistake of ours would be proved right."""
    whole = [*LEGAL, *WHOLE_LEGAL.values(), GOOD]
    assert [body[:24] for body in whole if not legal(body.removeprefix(BOM))] == []
    assert [body[:24] for body in [*ILLEGAL, *WHOLE_ILLEGAL.values()] if legal(body)] == []
    assert (len(set(LEGAL)), len(set(ILLEGAL))) == (len(LEGAL), len(ILLEGAL))


def legal(body: bytes) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(body.decode(), parse_constant=refuse, parse_int=str)
    except RecursionError:  # it got as far as it could: the deep ones of the tables are simple
        return all(body.count(opening) == body.count(closing) for opening, closing in ((b"[", b"]"), (b"{", b"}")))
    except ValueError:
        return False
    return True
