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
from tests.support.apis.page_server import ApiRequest, data_body, serve_api
from tests.support.aws.deployed_stack import FakeStack
from tests.support.aws.moto import MotoServer
from tests.support.documents.transcript import MESSAGES, RUNBOOK, transcripts
from tests.support.documents.transcript_runner import (
    SOURCE_NAMES,
    STACK_NAME,
    Events,
    TranscriptRunner,
    healthy_api,
    refusing_api,
)

TRANSCRIPTS = transcripts(RUNBOOK, MESSAGES)
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-euc")
Scene = Callable[[TranscriptRunner], Events]
SCENES: dict[str, Scene] = {}
_numbers = itertools.count(1)


def runner(name: str) -> Callable[[Scene], Scene]:
    """Breaks the world for the commands under a heading, and says what its events do."""

    def claim(made: Scene) -> Scene:
        SCENES[name] = made
        return made

    return claim


def names_a_stack(name: str) -> bool:
    return any("--stack" in step.command for step in TRANSCRIPTS[name])


def play(name: str, folder: Path, server: MotoServer, *, exported: bool = False) -> None:
    """Play a scene on a stack if its commands name one, or if one is exported; else on one machine."""
    with ExitStack() as held:
        api = held.enter_context(serve_api(healthy_api))
        stack = FakeStack(server, f"Runbook{next(_numbers)}") if exported or names_a_stack(name) else None
        runner = TranscriptRunner(folder, api, held, stack)
        if stack is not None and exported:
            runner.cli.env["OPTION_A_STACK"] = stack.name
        text = runner.declare(*SOURCE_NAMES if stack is not None else SOURCE_NAMES[:1])
        if stack is not None:
            stack.deploy(SOURCE_NAMES, text)
        runner.run(TRANSCRIPTS[name], SCENES[name](runner))


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: MotoServer
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


def test_what_is_looked_at_first_looks_the_same_on_a_stack_that_is_exported(tmp_path: Path, server: MotoServer) -> None:
    play("look", tmp_path, server, exported=True)


def test_no_command_is_left_untried() -> None:
    """Neither those in fences nor those within the text."""
    assert TRANSCRIPTS.keys() == SCENES.keys()
    shown = {step.command.replace(f" --stack {STACK_NAME}", "") for steps in TRANSCRIPTS.values() for step in steps}
    text = re.sub(r"^```.*?^```$", "", f"{RUNBOOK}\n{MESSAGES}", flags=re.DOTALL | re.MULTILINE)
    within = set(re.findall(r"`(option-a [^`]+)`", text))
    assert within - shown == set()


@runner("freshness")
def late(runner: TranscriptRunner) -> Events:
    runner.api.pages = refusing_api(401)
    runner.start_worker()
    runner.run_unseen("run", "--source", "orders", code=1)
    return {}


@runner("look")
def dead(runner: TranscriptRunner) -> Events:
    runner.api.pages = refusing_api(401)
    if runner.stack is not None:
        runner.start_worker()
    runner.run_unseen("run", "--source", "orders", "--date", DAY, code=1)
    return {"the key is renewed": runner.heal}


@runner("oldestmessage")
def old(runner: TranscriptRunner) -> Events:
    assert runner.stack is not None
    runner.run_unseen("backfill", "--source", "orders", "--from", "2024-04-29", "--to", DAY, "--detach")
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    age = {"MetricName": "ApproximateAgeOfOldestMessage", "Value": 43_200.0, "Timestamp": now - dt.timedelta(minutes=2)}
    place = [{"Name": "QueueName", "Value": queue_name(runner.stack.name, "orders")}]
    runner.stack.aws.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[age | {"Dimensions": place}])
    return {}


@runner("workererrors")
def crashed(runner: TranscriptRunner) -> Events:
    """A process is killed that worked on the stack's lake as its functions do; its claim is over by now."""
    assert runner.stack is not None
    kill(runner, "--lake", f"s3://{runner.stack.bucket}", "--home", "elsewhere")
    runner.heal()
    ((key, data),) = runner.stack.objects("manifest/").items()
    manifest = msgspec.json.decode(data, type=Manifest)
    manifest.lease = None
    runner.stack.put(key, msgspec.json.encode(manifest))
    runner.start_worker()
    return {}


@runner("plannererrors")
def unplanned(runner: TranscriptRunner) -> Events:
    return {}


@runner("a-source-is-down")
def down(runner: TranscriptRunner) -> Events:
    runner.declare("orders", patience="1s")
    runner.api.pages = refusing_api(503)
    return {"the API is back": runner.heal}


@runner("verify-finds-a-difference")
def differing(runner: TranscriptRunner) -> Events:
    runner.run_unseen("backfill", "--from", "2024-04-30", "--to", DAY)
    runner.page(2).unlink()
    runner.page(3).write_bytes(runner.page(3).read_bytes()[:-4])
    manifest = runner.cli.lake / "manifest/source=orders/ingestion_date=2024-04-30/manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:40])
    return {}


@runner("the-queue-is-locked-or-damaged")
def locked(runner: TranscriptRunner) -> Events:
    runner.run_unseen("run", "--date", "2024-04-30")
    holder = runner.exit_stack.enter_context(closing(sqlite3.connect(runner.queue(), isolation_level=None)))
    holder.execute("BEGIN IMMEDIATE")

    def damage() -> None:
        holder.close()
        runner.queue().write_bytes(b"damaged" * 1_000)

    return {"that process is ended; and where the file is damaged:": damage}


@runner("the-disk-is-full")
def full(runner: TranscriptRunner) -> Events:
    """The lake is a small tmpfs in a mount namespace of its own, and a file fills it."""
    folder = runner.cli.folder
    runner.cli.lake.mkdir()
    script = "mount -t tmpfs -o size=64k tmpfs lake; cat /dev/zero > lake/rubbish 2>&- || echo full; read end"
    try:
        shell = subprocess.Popen(
            [*NAMESPACE, script], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    except OSError:
        pytest.skip("no unshare: install util-linux")
    runner.exit_stack.enter_context(shell)
    if shell.stdout is None or shell.stdout.readline() != "full\n":
        pytest.skip("no mount namespace: allow user namespaces (in a container: --privileged)")
    runner.shell_prefix = (
        "nsenter",
        "--preserve-credentials",
        "--user",
        "--mount",
        "--target",
        str(shell.pid),
        f"--wdns={folder}",
    )
    return {"some space is freed": lambda: runner.shell("rm lake/rubbish")}


@runner("a-worker-was-killed")
def killed(runner: TranscriptRunner) -> Events:
    kill(runner)
    return {}


def kill(runner: TranscriptRunner, *more: str) -> None:
    """Kill a run after its first page."""

    def slow(asked: ApiRequest) -> bytes:
        time.sleep(0.3)
        return healthy_api(asked)

    runner.api.pages = slow
    with runner.cli.start("run", "--source", "orders", "--date", DAY, *more) as running:
        wait_for(running, lambda: len(runner.api.asked) >= 2)
        running.kill()


@runner("days-are-missing")
def missing(runner: TranscriptRunner) -> Events:
    runner.declare("orders", more="since = 2024-04-29")
    return {}


@runner("a-day-was-restated")
def restated(runner: TranscriptRunner) -> Events:
    runner.run_unseen("run", "--date", DAY)
    runner.api.pages = lambda asked: data_body([b'{"id":%d}' % (asked.page + 7)], pages=3, total=3)
    runner.run_unseen("run", "--date", DAY, "--fresh")
    return {}


@runner("a-message-nobody-can-read")
def unreadable(runner: TranscriptRunner) -> Events:
    runner.run_unseen("run", "--date", DAY)
    row = ("orders", DAY, "somebody's", 0, b"no task", 0.0, 0.0)
    with closing(sqlite3.connect(runner.queue())) as db, db:
        db.execute(
            "INSERT INTO tasks (source, date, run, hop, body, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?)", row
        )
    runner.run_unseen("run", "--date", "2024-04-30")
    return {}


@runner("a-mistake-in-the-configuration")
def mistaken(runner: TranscriptRunner) -> Events:
    runner.declare("orders", more='method = "PUT"')
    return {"sources.toml is mended": lambda: runner.declare("orders")}
