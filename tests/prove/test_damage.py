"""Files that are damaged: the command says which and what to do, and goes on once that is done."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.lake.keys import manifest_key, segment_key
from option_a.ingest.partition import Partition
from option_a.ingest.task import Task
from option_a.local.queue import SqliteQueue
from option_a.workspace.clock import SystemClock
from tests.acceptance.command import DAY, Done, Place
from tests.conftest import Proof
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages

pytestmark = pytest.mark.bar(8)
Damage = Callable[[Path], None]
OTHER = "2024-04-30"
LOOKS = [["status"], ["status", "--json"], ["verify"], ["logs", "api-a", DAY], ["query", "SELECT count(*) FROM raw"],
         ["plan", "--date", DAY], ["dead"], ["redrive", "--json"]]  # fmt: skip


def garbage(file: Path) -> None:
    file.write_bytes(b"\x00\xff" * 4_096)


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def a_text(file: Path) -> None:
    file.write_text("[sources.api-a]\n")


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def page_overwritten(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4_096)
        opened.write(b"\xa5" * 8_192)


def of_another_schema(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE tasks (id INTEGER PRIMARY KEY, what TEXT)")
        db.commit()


def of_a_later_version(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("ALTER TABLE tasks RENAME COLUMN body TO message")
        db.commit()


def deeply_nested(file: Path) -> None:
    file.write_bytes(b"[" * 100_000)


def of_wrong_types(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"state":"complete"', b'"state":7'))


def of_a_later_ledger(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b',"version":2}')


def of_another_partition(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"source":"api-a"', b'"source":"api-b"'))


QUEUE: list[Damage] = [
    garbage,
    a_text,
    truncated,
    page_overwritten,
    of_another_schema,
    of_a_later_version,
    a_folder,
    emptied,
]
MANIFEST: list[Damage] = [
    garbage,
    truncated,
    emptied,
    deeply_nested,
    of_wrong_types,
    of_a_later_ledger,
    of_another_partition,
]


def few(damages: list[Damage], proof: Proof, of: str) -> list[Damage]:
    return damages if proof.full else proof.rng(of).sample(damages, 2)


def told(done: Done, name: str) -> list[str]:
    """What a command that ended badly fails to say; one that ended well has nothing to say."""
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    if done.code == 0:
        return ["an error, and ended well"] if errors else []
    advised = bool(re.search(r"\((.|\n)+\)|^  \S", done.err, re.MULTILINE))
    said = {
        "exits with 1": done.code == 1,
        "one error": len(errors) == 1,
        "names it": name in done.err,
        "advice": advised,
    }
    return [what for what, holds in said.items() if not holds]


def waiting(folder: Path) -> Place:
    """A task of a date that nobody has begun waits in the queue."""
    folder.mkdir()
    place = Place(folder)
    assert place("run", "--date", OTHER, "--source", "api-b").code == 0
    queue = SqliteQueue(queue_of(place), SystemClock())
    queue.send([Task("api-a", dt.date.fromisoformat(DAY), RUN)])
    queue.close()
    return place


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("landed"))
    assert place("run", "--date", DAY).code == 0
    return place


def copied(place: Place, folder: Path) -> Place:
    shutil.copytree(place.folder, folder)
    return Place(folder)


def queue_of(place: Place) -> Path:
    [file] = place.home.glob("queue-*.sqlite")
    return file


def test_a_queue_that_is_damaged_is_named_and_moved_away(tmp_path: Path, proof: Proof) -> None:
    mute, tried = [], 0
    for damage in few(QUEUE, proof, "queues"):
        place = waiting(tmp_path / damage.__name__)
        file = queue_of(place)
        damage(file)
        for action in (["status"], ["dead"], ["run", "--date", DAY]):
            done, tried = place(*action), tried + 1
            mute += [f"{damage.__name__}, {action[0]}: {missing}: {done.err}" for missing in told(done, file.name)]
            if action == ["status"] and done.code:
                assert ("--home" if damage is a_folder else "move it away") in done.err, (damage.__name__, done.err)
        if done.code:
            assert not place.lake.exists() or not place.pages("api-a"), "nothing was loaded that nobody acks"
            file.rename(file.with_suffix(".moved"))
        after = place("run", "--date", DAY)
        assert after.code == 0, (damage.__name__, after.err)
        assert place("verify", "--json").json()["ok"] is True, damage.__name__
    assert mute == []
    proof.figure("commands on damaged queues", tried)
    proof.figure("unclear errors", len(mute), most=0)


def test_a_queue_that_is_deleted_amid_a_run_costs_no_page(tmp_path: Path, proof: Proof) -> None:
    """What was enqueued in it is planned again, for the manifests know what is not complete."""
    option_a = Place(tmp_path)
    with option_a.start("run", "--date", DAY) as running:
        while not (files := list(option_a.home.glob("queue-*.sqlite"))):
            assert running.poll() is None
        files[0].unlink()
        err = running.communicate(timeout=60)[1]
    assert "Traceback" not in err
    assert option_a("run", "--date", DAY).code == 0
    assert option_a("verify", "--json").json()["ok"] is True
    proof.figure("queues deleted amid a run", 1)


def test_a_manifest_that_is_damaged_is_named_by_every_command_and_deleted(
    landed: Place, tmp_path: Path, proof: Proof
) -> None:
    key = manifest_key(Partition("api-a", DATE.fromisoformat(DAY)))
    mute, tried = [], 0
    for damage in few(MANIFEST, proof, "manifests"):
        place = copied(landed, tmp_path / damage.__name__)
        file = place.lake / key
        damage(file)
        for action in (["run", "--date", DAY], *(LOOKS if proof.full else LOOKS[:3])):
            done, tried = place(*action), tried + 1
            bad = damage.__name__, action, done
            if action[0] in ("run", "logs"):
                mute += [f"{damage.__name__}, {action[0]}: {missing}: {done.err}" for missing in told(done, key)]
                assert done.code == 1, bad
            if action[0] == "verify":
                assert f"manifest: the manifest {key}" in done.out, bad
            if action == ["status"]:
                assert f"the manifest {key}" in done.out, bad
        assert place.pages("api-a") == landed.pages("api-a"), "what was there is not touched"
        file.unlink()
        assert place("run", "--date", DAY).code == 0, damage.__name__
        assert place("verify", "--json").json()["ok"] is True, damage.__name__
        assert place.pages("api-a") == landed.pages("api-a")
    assert mute == []
    proof.figure("commands on damaged manifests", tried)
    proof.figure("unclear errors", len(mute), most=0)


ROWS = 1_002
SEGMENTS: list[Damage] = [garbage, truncated, emptied, deeply_nested, Path.unlink]


@pytest.mark.parametrize("state", ["loading", "complete"])
def test_a_segment_that_is_damaged_is_found_and_the_partition_loaded_anew(
    state: str, tmp_path: Path, proof: Proof
) -> None:
    answer, damages = numbered_pages(make_pages(ROWS, size=1)), few(SEGMENTS, proof, f"segments {state}")
    for damage in damages:
        pipeline = Pipeline(tmp_path / damage.__name__, answer)
        pipeline.budget = ROWS if state == "loading" else None
        pipeline.send()
        pipeline.step()
        assert pipeline.manifest().state == state
        whole, segment = pipeline.objects("raw"), segment_key(Partition("s", DATE), 1, 1)
        damage(tmp_path / damage.__name__ / segment)
        if state == "complete":
            assert [d.what for d in pipeline.differences()] == ["manifest"], damage.__name__
            pipeline.send("20231114T230000Z-b", fresh=True)
        pipeline.budget = None
        assert pipeline.drain()[-1] == "complete", damage.__name__
        assert pipeline.differences() == []
        assert pipeline.objects("raw") == whole or state == "loading"
    proof.figure("damaged segments mended", len(damages))


def test_a_manifest_of_each_state_that_is_damaged_fails_its_own_partition_alone(tmp_path: Path, proof: Proof) -> None:
    def answer(state: str) -> Callable[..., bytes]:
        return (lambda request: b"<html>") if state == "failed" else numbered_pages(make_pages(3))

    tried = 0
    for state in ("loading", "failed", "complete"):
        pipeline = Pipeline(tmp_path / state, answer(state))
        pipeline.budget = 2 if state == "loading" else None
        pipeline.send()
        pipeline.step()
        pipeline.api, pipeline.budget = numbered_pages(make_pages(3)), None
        key = manifest_key(Partition("s", DATE))
        good = pipeline.lake.get(key)
        assert good is not None
        assert msgspec.json.decode(good)["state"] == state
        pipeline.lake.put(key, good[:-3])
        pipeline.queue.dead.clear()
        pipeline.send("20231114T230000Z-b")
        pipeline.send("20231114T230000Z-b", date=DATE.replace(day=2))
        assert set(pipeline.drain()) == {"failed", "complete"}
        [letter] = {letter.cause.message for letter in pipeline.queue.dead}
        assert key in letter
        assert "restore the object" in letter
        pipeline.lake.put(key, good)
        pipeline.send("20231114T233000Z-c", fresh=True)
        assert pipeline.drain() == ["complete"]
        assert pipeline.differences() == []
        tried += 1
    proof.figure("states whose manifest was damaged", tried)
