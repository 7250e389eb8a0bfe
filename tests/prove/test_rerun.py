"""The same run twice is the same lake; a run after another leaves the day that it alone would have left."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from obstore.store import MemoryStore

from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.rows import checksum
from option_a.ingest.task import Task, encode_task
from tests.conftest import Proof
from tests.support.apis.paginated_apis import split_into_pages
from tests.support.apis.pagination_styles import STYLES
from tests.support.crashes.crash_trial import CrashTrial, end_state
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.crashes.reload_checker import ReloadChecker
from tests.support.crashes.scenario_api import DECLARED, Pages, ScenarioApi
from tests.support.crashes.scenarios import (
    NEXT,
    RELOADS,
    Scenario,
    promotion_of_an_older_run,
)
from tests.support.pipeline import DATE, RUN, Backend, Pipeline, source
from tests.support.queues.duplicating import DuplicatingQueue

LOOKED = "looks at a day amid its re-load"
STALE = "pages stale, missing or changed"

DEADLY = [
    "copy raw",
    "delete raw",
    "compare_and_swap manifest",
    "put staging",
    "delete staging",
    "extend_visibility",
    "ack",
]


def bucket() -> Backend:
    return Backend(BucketLake(MemoryStore(), "memory://lake"), DuplicatingQueue)


def sums(pipeline: Pipeline) -> dict[str, str]:
    """Every key under raw/ with its SHA-256."""
    return {key: checksum(data) for key, data in pipeline.objects("raw").items()}


@pytest.mark.bar(6)
@pytest.mark.parametrize("name", STYLES)
def test_the_same_run_twice_has_the_same_keys_and_checksums(name: str, tmp_path: Path, proof: Proof) -> None:
    """In another lake, by threads, in other portions; and delivered once more to the same lake."""
    style = STYLES[name]
    records = [{"id": f"r{n}", "n": n} for n in range(proof.size(10, 100))]
    api = style.api_for(split_into_pages(records, [style.page_size or 3]))
    once, threads, portions = (Pipeline(root, api, style.source) for root in (tmp_path, bucket(), bucket()))
    threads.worker = Worker(msgspec.structs.replace(threads.services, executor=ThreadPoolExecutor), threads.sources)
    portions.budget = 2
    for pipeline in (once, threads, portions):
        pipeline.send()
        assert pipeline.drain(1_000)[-1] in ("complete", "done")
    before = once.objects("raw", "manifest")
    once.queue.send_raw("s", encode_task(Task("s", DATE, RUN)))
    assert once.drain() == ["done"]
    assert once.objects("raw", "manifest") == before
    assert sums(once)
    differing = {*sums(once).items()} ^ {*sums(threads).items()} | {*sums(once).items()} ^ {*sums(portions).items()}
    proof.figure("pages of the same run compared", 3 * len(sums(once)))
    proof.figure(STALE, len(differing), most=0)


@pytest.mark.bar(6)
@pytest.mark.parametrize("scenario", [scenario for scenario in RELOADS if scenario is not promotion_of_an_older_run])
@pytest.mark.parametrize("ground", [Path, lambda root: bucket()], ids=["folder", "bucket"])
def test_at_no_moment_is_a_day_worse_than_before_wherever_its_re_load_dies(
    scenario: Scenario, ground: Callable[[Path], Path | Backend], tmp_path: Path, proof: Proof
) -> None:
    calm, whole = scenario(ground(tmp_path / "calm")), CrashPoint()
    run_until_crash(calm, whole)
    expected, new, checks = end_state(calm), calm.objects("raw"), 0
    tried = list(itertools.product(range(1, whole.calls + 1, proof.size(3, 1)), (False, True)))
    for at, after in tried:
        pipeline = scenario(ground(tmp_path / f"{at}-{after}"))
        checker, trial = ReloadChecker(pipeline, new), CrashTrial(pipeline, calm)
        assert trial.crash(CrashPoint(at, after=after)), (at, after)
        trial.finish(expected)
        checks += checker.checks
    proof.figure("crash points of a re-load", len(tried))
    proof.figure(LOOKED, checks)


def random_day(rng: random.Random, old: Pages | None = None) -> Pages:
    """Up to eight pages: gaps, pages alike, and many as they were in the old day."""
    pages: Pages = [
        [{"n": rng.randint(0, 2), "of": number} for _ in range(rng.choice([0, 1, 1, 2]))] for number in range(8)
    ]
    if old is not None:
        pages = [
            kept if rng.random() < 0.5 else new for kept, new in itertools.zip_longest(old, pages, fillvalue=pages[0])
        ]
    if rng.random() < 0.2:
        pages[1:3] = [pages[0], pages[0]]
    return pages[: rng.randint(1, 8)]


def loaded(root: Path | Backend, pages: Pages) -> tuple[Pipeline, ScenarioApi]:
    day = ScenarioApi(pages)
    pipeline = day.begin(root, source(pagination=DECLARED, repeats="allow", parallel=3))
    assert pipeline.drain()[0] == "complete"
    return pipeline, day


@pytest.mark.bar(6)
def test_any_day_over_any_other_with_death_anywhere_leaves_nothing_stale(tmp_path: Path, proof: Proof) -> None:
    stale = checks = promotions = 0
    for case in range(proof.size(30, 1_000)):
        rng = proof.rng("days", case)
        old = random_day(rng)
        new = random_day(rng, old)
        alone, _ = loaded(tmp_path / f"{case}-alone", new)
        pipeline, day = loaded(tmp_path / str(case) if case % 2 else bucket(), old)
        checker, day.pages = ReloadChecker(pipeline, alone.objects("raw")), new
        pipeline.send(NEXT, fresh=True)
        for _ in range(3):
            run_until_crash(pipeline, CrashPoint(rng.randint(1, 4), of=rng.choice(DEADLY), after=rng.random() < 0.5))
            promotions += pipeline.manifest().state == "promoting"
        pipeline.drain()
        assert pipeline.manifest().load.run == NEXT, (proof.seed, case)
        assert pipeline.queue.dead == [], (proof.seed, case)
        assert pipeline.differences() == [], (proof.seed, case)
        stale += len({*sums(pipeline).items()} ^ {*sums(alone).items()})
        checks += checker.checks
    proof.figure("random days over random days", proof.size(30, 1_000))
    proof.figure("deaths amid a promotion", promotions, least=proof.size(3, 100))
    proof.figure(LOOKED, checks)
    proof.figure(STALE, stale, most=0)
