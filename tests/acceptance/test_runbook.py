"""Each command of docs/runbook.md and docs/messages.md is run where things are broken so, and prints what they show."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.manifest.model import Manifest
from option_a.names import queue_name
from tests.acceptance.command import DAY, wait_for
from tests.support.apis.paged_api import Asked, listed, serving
from tests.support.aws.deployed_stack import Stack
from tests.support.aws.moto import Aws
from tests.support.documents.runbook import MESSAGES, RUNBOOK
from tests.support.documents.stage import NAME, NAMES, Events, Stage, healthy, refused
from tests.support.documents.transcript import transcripts

TRANSCRIPTS = transcripts(RUNBOOK, MESSAGES)
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-euc")
Scene = Callable[[Stage], Events]
SCENES: dict[str, Scene] = {}
_numbers = itertools.count(1)


def scene(name: str) -> Callable[[Scene], Scene]:
    """Breaks the world for the commands under a heading, and says what its events do."""

    def claim(made: Scene) -> Scene:
        SCENES[name] = made
        return made

    return claim


def names_a_stack(name: str) -> bool:
    return any("--stack" in step.command for step in TRANSCRIPTS[name])


def play(name: str, folder: Path, server: Aws, *, exported: bool = False) -> None:
    """Play a scene on a stack if its commands name one, or if one is exported; else on one machine."""
    with ExitStack() as held:
        api = held.enter_context(serving(healthy))
        stack = Stack(server, f"Runbook{next(_numbers)}") if exported or names_a_stack(name) else None
        stage = Stage(folder, api, held, stack)
        if stack is not None and exported:
            stage.place.env["OPTION_A_STACK"] = stack.name
        text = stage.declare(*NAMES if stack is not None else NAMES[:1])
        if stack is not None:
            stack.deploy(NAMES, text)
        stage.play(TRANSCRIPTS[name], SCENES[name](stage))


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: Aws
) -> Iterator[Callable[[str], None]]:
    """Plays a scene. Those of one machine, which wait a lot, go on beside the others from the start."""
    mine = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    wanted = {item.callspec.params["name"] for item in mine if hasattr(item, "callspec")}
    with ThreadPoolExecutor(2) as pool:
        beside = {
            name: pool.submit(play, name, tmp_path_factory.mktemp(name), server)
            for name in SCENES
            if name in wanted and not names_a_stack(name)
        }

        def ended(name: str) -> None:
            beside[name].result() if name in beside else play(name, tmp_path_factory.mktemp(name), server)

        yield ended


@pytest.mark.parametrize("name", SCENES)
def test_each_command_prints_what_is_shown(name: str, played: Callable[[str], None]) -> None:
    played(name)


def test_what_is_looked_at_first_looks_the_same_on_a_stack_that_is_exported(tmp_path: Path, server: Aws) -> None:
    play("look", tmp_path, server, exported=True)


def test_no_command_is_left_untried() -> None:
    """Neither those in fences nor those within the text."""
    assert TRANSCRIPTS.keys() == SCENES.keys()
    shown = {step.command.replace(f" --stack {NAME}", "") for steps in TRANSCRIPTS.values() for step in steps}
    text = re.sub(r"^```.*?^```$", "", f"{RUNBOOK}\n{MESSAGES}", flags=re.DOTALL | re.MULTILINE)
    within = set(re.findall(r"`(option-a [^`]+)`", text))
    assert within - shown == set()


@scene("freshness")
def late(stage: Stage) -> Events:
    stage.api.pages = refused(401)
    stage.working()
    stage.prepare("run", "--source", "orders", code=1)
    return {}


@scene("look")
def dead(stage: Stage) -> Events:
    stage.api.pages = refused(401)
    if stage.stack is not None:
        stage.working()
    stage.prepare("run", "--source", "orders", "--date", DAY, code=1)
    return {"the key is renewed": stage.healed}


@scene("oldestmessage")
def old(stage: Stage) -> Events:
    assert stage.stack is not None
    stage.prepare("backfill", "--source", "orders", "--from", "2024-04-29", "--to", DAY, "--detach")
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    age = {"MetricName": "ApproximateAgeOfOldestMessage", "Value": 43_200.0, "Timestamp": now - dt.timedelta(minutes=2)}
    place = [{"Name": "QueueName", "Value": queue_name(stage.stack.name, "orders")}]
    stage.stack.aws.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[age | {"Dimensions": place}])
    return {}


@scene("workererrors")
def crashed(stage: Stage) -> Events:
    """A process is killed that worked on the stack's lake as its functions do; its claim is over by now."""
    assert stage.stack is not None
    kill(stage, "--lake", f"s3://{stage.stack.bucket}", "--home", "elsewhere")
    stage.healed()
    ((key, data),) = stage.stack.objects("manifest/").items()
    manifest = msgspec.json.decode(data, type=Manifest)
    manifest.lease = None
    stage.stack.put(key, msgspec.json.encode(manifest))
    stage.working()
    return {}


@scene("plannererrors")
def unplanned(stage: Stage) -> Events:
    return {}


@scene("a-source-is-down")
def down(stage: Stage) -> Events:
    stage.declare("orders", patience="1s")
    stage.api.pages = refused(503)
    return {"the API is back": stage.healed}


@scene("verify-finds-a-difference")
def differing(stage: Stage) -> Events:
    stage.prepare("backfill", "--from", "2024-04-30", "--to", DAY)
    stage.page(2).unlink()
    stage.page(3).write_bytes(stage.page(3).read_bytes()[:-4])
    manifest = stage.place.lake / "manifest/source=orders/ingestion_date=2024-04-30/manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:40])
    return {}


@scene("the-queue-is-locked-or-damaged")
def locked(stage: Stage) -> Events:
    stage.prepare("run", "--date", "2024-04-30")
    holder = stage.held.enter_context(closing(sqlite3.connect(stage.queue(), isolation_level=None)))
    holder.execute("BEGIN IMMEDIATE")

    def damage() -> None:
        holder.close()
        stage.queue().write_bytes(b"damaged" * 1_000)

    return {"that process is ended; and where the file is damaged:": damage}


@scene("the-disk-is-full")
def full(stage: Stage) -> Events:
    """The lake is a small tmpfs in a mount namespace of its own, and a file fills it."""
    folder = stage.place.folder
    stage.place.lake.mkdir()
    script = "mount -t tmpfs -o size=64k tmpfs lake; cat /dev/zero > lake/rubbish 2>&- || echo full; read end"
    try:
        shell = subprocess.Popen(
            [*NAMESPACE, script], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    except OSError:
        pytest.skip("no unshare: install util-linux")
    stage.held.enter_context(shell)
    if shell.stdout is None or shell.stdout.readline() != "full\n":
        pytest.skip("no mount namespace: allow user namespaces (in a container: --privileged)")
    stage.inside = (
        "nsenter",
        "--preserve-credentials",
        "--user",
        "--mount",
        "--target",
        str(shell.pid),
        f"--wdns={folder}",
    )
    return {"some space is freed": lambda: stage.shell("rm lake/rubbish")}


@scene("a-worker-was-killed")
def killed(stage: Stage) -> Events:
    kill(stage)
    return {}


def kill(stage: Stage, *more: str) -> None:
    """Kill a run after its first page."""

    def slow(asked: Asked) -> bytes:
        time.sleep(0.3)
        return healthy(asked)

    stage.api.pages = slow
    with stage.place.start("run", "--source", "orders", "--date", DAY, *more) as running:
        wait_for(running, lambda: len(stage.api.asked) >= 2)
        running.kill()


@scene("days-are-missing")
def missing(stage: Stage) -> Events:
    stage.declare("orders", more="since = 2024-04-29")
    return {}


@scene("a-day-was-restated")
def restated(stage: Stage) -> Events:
    stage.prepare("run", "--date", DAY)
    stage.api.pages = lambda asked: listed([b'{"id":%d}' % (asked.page + 7)], pages=3, total=3)
    stage.prepare("run", "--date", DAY, "--fresh")
    return {}


@scene("a-message-nobody-can-read")
def unreadable(stage: Stage) -> Events:
    stage.prepare("run", "--date", DAY)
    row = ("orders", DAY, "somebody's", 0, b"no task", 0.0, 0.0)
    with closing(sqlite3.connect(stage.queue())) as db, db:
        db.execute(
            "INSERT INTO tasks (source, date, run, hop, body, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?)", row
        )
    stage.prepare("run", "--date", "2024-04-30")
    return {}


@scene("a-mistake-in-the-configuration")
def mistaken(stage: Stage) -> Events:
    stage.declare("orders", more='method = "PUT"')
    return {"sources.toml is mended": lambda: stage.declare("orders")}
