"""Bar 1. `kill -9` of real processes, four at once on one queue and one lake: nothing lost, doubled or torn."""

from __future__ import annotations

import gzip
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from option_a.ingest.manifest.model import decode
from option_a.ingest.manifest.rows import checksum
from tests.acceptance.command import Done, Place
from tests.conftest import Proof
from tests.support.apis.changing_api import NAMES, WORKER_VARIABLE, ChangingApi, sources_toml
from tests.support.apis.page_server import ApiRequest, ApiResponse, serve_api
from tests.support.crashes.kill_storm import KilledProcess, KillStorm

SECONDS = 0.004
PER_EPOCH = 250
LOOKS_A_QUERY = 12
_PAGE = re.compile(r"source=(\w+)/ingestion_date=([\d-]+)/page=(\d{6})\.json\.gz")
_COMPLETE = re.compile(r": complete, (\d+) pages?")
COUNT = "SELECT count(*) AS lines, count(DISTINCT record) AS different FROM raw"


def _files(below: Path, name: str = "") -> list[Path]:
    """Every file, or those of a name; folders go meanwhile."""
    found = (Path(folder, file) for folder, _, files in os.walk(below) for file in files)
    return sorted(path for path in found if name in ("", path.name))


class Looker:
    """Looks at the lake again and again while others write there and die.

    Below raw/ are pages alone, and they are whole; and as long as a manifest says `complete`, its pages are there.
    """

    def __init__(self, option_a: Place, api: ChangingApi) -> None:
        self._option_a, self._api = option_a, api
        self._stop = threading.Event()
        self.pages = self.queries = self.ledgers = 0
        self.wrong: list[str] = []

    @contextmanager
    def looking(self) -> Iterator[None]:
        """For as long as the block lasts."""
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _look(self) -> None:
        looks = 0
        while not self._stop.wait(0.5):
            self.look()
            looks += 1
            if looks % LOOKS_A_QUERY == 0:
                self._query()

    def look(self) -> None:
        """At every file."""
        for path in _files(self._option_a.lake / "manifest", "manifest.json"):
            self._ledger(path)
        raw = self._option_a.lake / "raw"
        for path in _files(raw):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            found = _PAGE.fullmatch(path.relative_to(raw).as_posix())
            if found is None or _text(data) not in self._api.bytes_ever_sent(found[1], found[2], int(found[3])):
                self.wrong.append(str(path))
            self.pages += 1

    def _ledger(self, path: Path) -> None:
        text = path.read_bytes()
        manifest = decode(text, str(path))
        if manifest.state != "complete":
            return
        said = {row.page: row.checksum for row in manifest.load.rows if row.records}
        try:
            pages = self._option_a.pages(manifest.source, manifest.date.isoformat())
        except FileNotFoundError:  # listed, and deleted before it was read
            pages = {}
        if path.read_bytes() == text:
            self.ledgers += 1
            if said != {page: checksum(data) for page, data in pages.items()}:
                self.wrong.append(f"{path} is not true")

    def _query(self) -> None:
        done = self._option_a("query", COUNT, "--json")
        self.queries += 1
        if done.code or (row := done.json()[0])["lines"] != row["different"]:
            self.wrong.append(f"{done}")


def _text(data: bytes) -> bytes | None:
    try:
        return gzip.decompress(data)
    except (EOFError, OSError):
        return None


class Trial:
    """An API, a lake, and the storm over them."""

    def __init__(self, option_a: Place, proof: Proof, days: list[str]) -> None:
        self.option_a, self.proof, self.days = option_a, proof, days
        self.api = ChangingApi(days, proof.rng("days"), seconds=SECONDS)
        self.storm = KillStorm(option_a.start, self._command, WORKER_VARIABLE)
        self.looker = Looker(option_a, self.api)
        self.found: Counter[str] = Counter()
        """What is wrong, and how often."""
        self.standing = {(name, day): 0 for name in NAMES for day in days}
        """Which version of each partition stood there when the storm began."""

    def answer(self, asked: ApiRequest) -> ApiResponse:
        self.storm.asked(asked.query["worker"])
        return self.api(asked)

    def _command(self, rng: random.Random) -> tuple[str, ...]:
        day = rng.randrange(len(self.days) - 2)
        first, last = self.days[day], self.days[day + 2]
        kinds = {
            ("run", "--date", first, "--fresh"): 45,
            ("run", "--date", first): 20,
            ("backfill", "--from", first, "--to", last): 10,
            ("backfill", "--from", first, "--to", last, "--only", "all"): 15,
            ("redrive",): 10,
        }
        return (*rng.choices(list(kinds), list(kinds.values()))[0], "--workers", "2")

    def epoch(self, kills: int) -> None:
        """The days change, then so many are killed, then one that is left alone finishes."""
        before = len(self.storm.processes)
        self.api.add_versions()
        self.storm.kill(kills, lambda number: self.proof.rng("kill", number))
        self.finish()
        self.compare([target for number, target in self.storm.processes.items() if int(number) >= before])

    def finish(self) -> None:
        """What is in the queue, then what five deaths in a row made a dead letter, then what nobody came to."""
        span = ("--from", self.days[0], "--to", self.days[-1])
        self._done("run", "--date", self.days[0])
        self.found["tasks that five deaths in a row made dead letters, redriven"] += len(
            self._done("dead", "--json").json()
        )
        self._done("redrive")
        self._done("backfill", *span, "--only", "incomplete")
        self._done("backfill", *span)

    def compare(self, processes: list[KilledProcess]) -> None:
        """What stands there with what the API said: this time, or last time if no task for it was sent since."""
        asked = {partition for target in processes if target.sent for partition in self._asked_again(target)}
        for name, day in self.standing:
            version = self.standing[name, day]
            found = self.option_a.lines(name, day)
            if (name, day) in asked or found == self.api.lines(name, day):
                version = len(self.api.versions(name, day)) - 1
            expected = self.api.lines(name, day, version)
            self.found["records lost"] += len(set(expected) - set(found))
            self.found["records doubled"] += len(found) - len(set(found))
            self.found["records that should not be there"] += len(set(found) - set(expected))
            assert sorted(found) != sorted(expected) or found == expected, (name, day, "the order")
            self.standing[name, day] = version

    def _asked_again(self, target: KilledProcess) -> set[tuple[str, str]]:
        """The partitions for which it has surely sent tasks that load them anew."""
        if target.arguments[0] == "run" and "--fresh" in target.arguments:
            days = [target.arguments[2]]
        elif target.arguments[0] == "backfill" and "all" in target.arguments:
            days = [day for day in self.days if target.arguments[2] <= day <= target.arguments[4]]
        else:
            days = []
        return {(name, day) for name in NAMES for day in days}

    def _done(self, *arguments: str) -> Done:
        done = self.option_a(*arguments, **{WORKER_VARIABLE: "left alone"})
        assert done.code == 0, (arguments, done.out, done.err, f"--seed {self.proof.seed}")
        return done

    def left(self) -> None:
        """Nothing is left over but what the next process sweeps."""
        verified = self._done("verify", "--json").json()
        assert (verified["ok"], verified["partitions"]) == (True, len(self.standing))
        status = self._done("status", "--json").json()
        assert status["queues"] == []
        assert self._done("dead", "--json").json() == []
        beside = [name for name in self.option_a.files() if not name.startswith(("raw/", "manifest/", "staging/.tmp/"))]
        assert beside == []

    def figures(self, requests: int) -> None:
        """What was seen."""
        proof, killed = self.proof, [target for target in self.storm.processes.values() if target.killed]
        proof.figure("kills", len(killed), least=proof.size(1, 1000))
        fell = Counter(target.died_while for target in killed)
        for what in ("starting", "at the queue", "loading", "promoting", "between two partitions"):
            proof.figure(f"of them {what}", fell[what], least=proof.size(0, 40))
        for wrong in ("records lost", "records doubled", "records that should not be there"):
            proof.figure(wrong, self.found.pop(wrong), most=0)
        proof.figure("pages looked at meanwhile", self.looker.pages)
        proof.figure("complete partitions compared with their manifest meanwhile", self.looker.ledgers)
        proof.figure("looks and queries that saw something torn", len(self.looker.wrong), most=0)
        for what, times in self.found.items():
            proof.figure(what, times)
        lines = [line for target in self.storm.processes.values() for line in target.lines]
        proof.figure("pages asked for", requests)
        proof.figure(
            "pages of loads that were completed", sum(int(m[1]) for line in lines if (m := _COMPLETE.search(line)))
        )


@pytest.mark.bar(1)
@pytest.mark.timeout(3600)
def test_what_is_killed_again_and_again_loses_nothing_and_doubles_nothing(tmp_path: Path, proof: Proof) -> None:
    option_a, kills = Place(tmp_path), proof.size(24, 1000)
    trial = Trial(option_a, proof, [f"2024-05-{day:02d}" for day in range(1, proof.size(10, 31))])
    with serve_api(trial.answer) as api:
        trial.api.url = api.url
        option_a.declare(sources_toml(api.url))
        trial.finish()
        with trial.looker.looking():
            while trial.storm.kills < kills:
                trial.epoch(min(PER_EPOCH, kills - trial.storm.kills))
        requests = len(api.asked)
    print(*trial.looker.wrong[:5], sep="\n")
    trial.looker.look()
    trial.left()
    for target in trial.storm.processes.values():
        said = "\n".join([" ".join(target.arguments), *target.lines])
        assert target.killed or target.code == 0, (target.code, said)
        assert not re.search(r"Traceback|^error", said, re.MULTILINE), said
    trial.figures(requests)
