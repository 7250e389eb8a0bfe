"""What each row of docs/reliability.md tries, which figures decide it, and the wording of the others."""

from __future__ import annotations

import re
from typing import NamedTuple


class Grid(NamedTuple):
    """Similar figures, as a table of their own: `each` finds its lines in `label: value`."""

    head: tuple[str, ...]
    each: re.Pattern[str]


class Row(NamedTuple):
    """In `verdict`, `{label|noun}` stands for a figure, what it counts, and its limit."""

    tried: str
    verdict: str
    words: dict[str, str] = {}
    grid: Grid | None = None
    gathered: tuple[re.Pattern[str], str] | None = None
    """Figures shown together on one line, matched by their labels, and that line's heading."""


ROWS = {
    1: Row(
        "random `kill -9` of `option-a run`, 4 at once on one queue and one lake",
        "{kills|kills}: {records lost|records lost}, {records doubled|doubled}, "
        "{looks and queries that saw something torn|seen torn}",
        {"pages asked for": "pages requested", "pages looked at meanwhile": "pages checked meanwhile"},
    ),
    2: Row(
        "death before and after each call of each port",
        "{crash points|crash points}: {of them not tried|not tried}, "
        "{pages fetched again beyond those since the last checkpoint and those in flight|pages fetched needlessly}",
        {
            "crash points": "crash points over a folder lake",
            "pages fetched again beyond those since the last checkpoint and those in flight": "pages fetched again "
            "although they were neither in flight nor landed since the last checkpoint",
            "of them two before the end": "of them with both deaths before the end",
        },
        gathered=(re.compile(r"[a-z_]+"), "crash points by the call that they are before or after"),
    ),
    3: Row(
        "each message delivered 1 to 3 times, out of order, with two workers on one partition at once",
        "{leases lost|leases taken over}: "
        "{writes without the lease, acks without a successor|writes or acks without the lease}",
        {
            "seeds": "interleavings of two workers, one per seed",
            "turns": "turns they took",
            "leases lost": "leases that one worker lost to the other, which went on with the load",
            "seeds with workers frozen at any call": "interleavings with workers frozen at any call",
            "seeds with threads of the machine and SQLite's queue": "rounds with real threads and the SQLite queue",
        },
    ),
    4: Row(
        "an SQS batch of 10, every subset of it failing",
        "{subsets of 2^10|subsets}: only the failed messages were reported",
        {"subsets of 2^10": "subsets, of 2^10", "kinds of failure": "messages by kind of failure"},
    ),
    5: Row(
        "a poison page and a poison message, fixed and redriven",
        "{landed after redrive|landed after a redrive}; dead after {receives until they are dead|receives}",
        {
            "neighbours complete": "other partitions completed meanwhile",
            "landed after redrive": "partitions of poison pages and deadly tasks that landed after a redrive",
            "most receives of one": "receives of a task with a poison page, at most",
            "messages that nobody can read": "unreadable messages",
            "receives until they are dead": "receives until an unreadable message, or a task that kills its worker, "
            "becomes a dead letter",
        },
    ),
    6: Row(
        "the same run twice; a longer run, then a shorter one; death during a promotion",
        "{random days over random days|days reloaded}, {deaths amid a promotion|deaths}: "
        "{pages stale, missing or changed|pages stale, missing or changed}",
        {
            "random days over random days": "random days loaded over random days",
            "crash points of a re-load": "crash points of a reload",
            "looks at a day amid its re-load": "checks of a day during its reload",
            "deaths amid a promotion": "deaths during a promotion",
        },
    ),
    7: Row(
        "the order of writes, as the kernel sees it",
        "{acks|acks}: {of them named before they were safe|pages listed before they were safe}, "
        "{acks before `complete` was safe|acks before `complete` was}",
        {
            "pages named by a manifest": "pages listed by a manifest",
            "of them named before they were safe": "of them listed before they were safe",
            "acks": "acks of tasks",
            "acks that were not synced at once": "acks not synced at once, with `--durable`",
            "written below raw/ that is no whole page": "files seen below raw/ that were not a whole page",
            "promoted or deleted outside `promoting`": "pages promoted or deleted outside `promoting`",
        },
    ),
    8: Row(
        "at each step: a full or read-only disk, a locked or corrupt queue, a corrupt manifest",
        "{gone on unaided|faults overcome}: {acks while a fault lasted|acks meanwhile}, "
        "{unclear errors|unclear errors}",
        {
            "faults at a step": "faults, each starting at one step",
            "gone on unaided": "faults after which, once the cause was gone, the next run landed everything",
            "looks refused": "read-only commands that were refused",
            "unclear errors": "errors that did not say what happened, where, and the way out",
            "queues deleted amid a run": "queues deleted during a run",
            "damaged segments mended": "damaged segments repaired",
            "states whose manifest was damaged": "states in which the manifest was damaged",
        },
    ),
    9: Row(
        "malformed bodies, and the ways in which APIs fail",
        "{legal bodies landed|legal bodies landed}, {illegal bodies refused|illegal ones rejected}: "
        "{tracebacks|tracebacks}",
        {
            "ways to fail": "ways in which an API fails",
            "illegal bodies refused": "illegal bodies rejected",
            "values, each in every position": "JSON values, each in every position of a body",
        },
    ),
    10: Row(
        "an outage of 4 hours, with the semantics of the SQLite queue and of SQS",
        "{landed unaided|tasks landed by themselves}, {dead letters|dead letters}; "
        "complete {minutes from the end of an outage until all had landed|minutes after its end}",
        {
            "tasks": "tasks in progress during them",
            "landed unaided": "of them landed by themselves",
            "requests until a source's breaker was open to all": "requests until a source's circuit breaker was open "
            "to all workers",
            "requests a source in any minute after that": "requests per source in any minute after that, at most",
            "minutes from the end of an outage until all had landed": "minutes from the end of an outage until all had "
            "landed, at most",
            "beyond patience: dead letters with their cause": "an outage beyond patience: tasks that became dead "
            "letters, with their cause",
            "beyond patience: landed by one redrive": "an outage beyond patience: tasks landed by one redrive",
        },
    ),
    11: Row(
        "a whole night simulated on one clock, faults by seed, every invariant checked after every step",
        "{seeds|nights}, {steps|steps}, {deaths|deaths}: every invariant held",
        {
            "seeds": "nights, one per seed",
            "steps": "steps, with every invariant checked after each",
            "deaths": "deaths of a process",
            "deaths amid a promotion": "deaths during a promotion",
            "lost": "leases that a worker lost to another, which went on with the load",
            "completed": "loads completed",
            "redriven": "tasks redriven",
            "damaged by a sleeper, found by verify": "days damaged by a worker that slept past its lease, each "
            "found by `verify`",
            "kinds of event that each thousand came to": "kinds of event that occurred in each thousand nights",
            "seeds tried twice, in two processes": "nights repeated in a second process, with the same result",
        },
    ),
    12: Row(
        "fuzzed messages, events, configurations, manifests, bodies and keys",
        "{inputs|inputs}: {crashes|crashes}, {hangs|hangs}",
        {
            "slowest input, ms of CPU": "CPU for the slowest input, ms",
            "coverage-guided inputs": "coverage-guided inputs, in addition",
            "structured examples": "documents and tables generated from their structure, in addition",
        },
        Grid(
            ("fuzzed", "inputs", "of them valid"),
            re.compile(r"(?:inputs by target: |, )(.+?) ([\d_,]+) \(([\d_,]+) taken\)"),
        ),
    ),
    13: Row(
        "secrets, addresses, permissions",
        "{secrets found|secrets found}, {connections to them|connections to internal addresses}, "
        "{foreign AWS calls, each denied|foreign AWS calls denied}",
        {
            "secrets written down, refused and not repeated": "literal secrets, rejected and not repeated",
            "AWS calls judged, each allowed by its role": "AWS calls checked, each allowed by its role",
            "inner addresses refused, in every spelling": "internal addresses refused, in every spelling",
            "connections to them": "connections to internal addresses",
            "redirects to inner addresses refused": "redirects to internal addresses refused",
        },
    ),
    14: Row(
        "scale: a year of 400 sources planned, one partition of 100,000 pages, a queue of a million tasks",
        "ten times as many: {CPU an item, the largest against a tenth|times the CPU per item}, "
        "{peak memory, the largest against a tenth|times the memory}",
        {
            "CPU an item, the largest against a tenth": "CPU per item at the largest size, relative to a tenth of it",
            "peak memory, the largest against a tenth": "peak memory of a load at the largest size, relative to a "
            "tenth of it",
            "a queue's peak memory, the largest against a tenth": "a queue's peak memory at the largest size, relative "
            "to a tenth of it",
            "partitions, status": "partitions looked at, `status`",
            "partitions, status again": "partitions looked at again",
            "partitions, plan": "partitions looked at, `plan`",
            "tasks, 1,000 handled": "tasks in the queue, 1,000 of them handled",
        },
        Grid(
            ("operation", "how many", "CPU", "peak memory"),
            re.compile(r"(.+), at most: ([\d,]+) in ([\d,.]+ s) of CPU and ([\d,.]+ MB)"),
        ),
    ),
    15: Row(
        "runs and backfills with faults, without pause",
        "{memory of one process, last third to middle third|times the memory}, a warm function "
        "{memory of a warm function, last third to middle third}; {open files of one process more than before|files} "
        "and {threads of one process more than before|threads} more",
        {"answers": "answers of the API to the process", "faults": "faults of the API, in addition"},
    ),
}
