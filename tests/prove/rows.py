"""What each row of docs/reliability.md tries, which figures decide it, and how the others are put in words."""

from __future__ import annotations

import re
from typing import NamedTuple


class Grid(NamedTuple):
    """Figures that are alike, as a table of their own: `each` finds its lines in `label: value`."""

    head: tuple[str, ...]
    each: re.Pattern[str]


class Row(NamedTuple):
    """In `verdict`, `{label|noun}` stands for a figure, what it counts, and the limit it had to keep."""

    tried: str
    verdict: str
    words: dict[str, str] = {}
    grid: Grid | None = None
    gathered: tuple[re.Pattern[str], str] | None = None
    """Figures that are told in one line, by their labels, and what that line is of."""


ROWS = {
    1: Row(
        "random `kill -9` of `option-a run`, 4 at once on one queue and one lake",
        "{kills|kills}: {records lost|records lost}, {records doubled|doubled}, "
        "{looks and queries that saw something torn|seen torn}",
    ),
    2: Row(
        "death before and after each call of each port",
        "{crash points|points to die at}: {of them not tried|not tried}, "
        "{pages fetched again beyond those since the last checkpoint and those in flight|pages fetched needlessly}",
        {
            "crash points": "crash points over a folder lake",
            "pages fetched again beyond those since the last checkpoint and those in flight": "pages fetched again "
            "that were neither in flight nor landed since the last checkpoint",
            "of them two before the end": "of them both before the end",
        },
        gathered=(re.compile(r"[a-z]+"), "crash points by the call that they are before or after"),
    ),
    3: Row(
        "each message delivered 1 to 3 times, reordered, two workers on one partition at once",
        "{claims lost|claims taken over}: "
        "{writes without the claim, acks without a successor|writes or acks without the claim}",
        {
            "seeds": "interleavings of two workers, one from each seed",
            "turns": "turns that they took",
            "claims lost": "claims that one worker lost to the other, which went on with the load",
            "seeds with workers frozen at any call": "interleavings with workers frozen at any call",
            "seeds with threads of the machine and SQLite's queue": "rounds with threads of the machine and SQLite's "
            "queue",
        },
    ),
    4: Row(
        "an SQS batch of 10, every subset of it failing",
        "{subsets of 2^10|subsets}: just those that failed were reported",
        {"subsets of 2^10": "subsets, of 2^10", "kinds of failure": "messages by the kind of their failure"},
    ),
    5: Row(
        "a poison page and a poison message, mended and redriven",
        "{landed after redrive|landed after their redrive}; dead after {receives until they are dead|receives}",
        {
            "neighbours complete": "partitions beside them that were complete meanwhile",
            "landed after redrive": "partitions of poison pages and deadly tasks that landed after their redrive",
            "most receives of one": "receives of a task with a poison page, at most",
            "receives until they are dead": "receives until a message that nobody can read, or a task that kills its "
            "worker, is a dead letter",
        },
    ),
    6: Row(
        "the same run twice; a longer, then a shorter one; death during a promotion",
        "{random days over random days|days over others}, {deaths amid a promotion|deaths}: "
        "{pages stale, missing or changed|pages stale, missing or changed}",
        {"random days over random days": "random days loaded over random days"},
    ),
    7: Row(
        "the order of writes, as the kernel sees it",
        "{acks|acks}: {of them named before they were safe|pages named before they were safe}, "
        "{acks before `complete` was safe|acks before `complete` was}",
        {
            "acks": "acks of tasks",
            "acks that were not synced at once": "acks that were not synced at once, with `--durable`",
            "written below raw/ that is no whole page": "files seen below raw/ that were no whole page",
            "promoted or deleted outside `promoting`": "pages promoted or deleted outside `promoting`",
        },
    ),
    8: Row(
        "a disk that is full or read-only, a queue locked or corrupt, a manifest corrupt: at each step",
        "{gone on unaided|faults got over}: {acks while a fault lasted|acks meanwhile}, "
        "{unclear errors|unclear errors}",
        {
            "faults at a step": "faults, each from one step on",
            "gone on unaided": "faults after which the next run landed all, once their cause was gone",
            "looks refused": "commands that only look and were refused",
            "unclear errors": "errors that did not say what happened, where, and the way out",
        },
    ),
    9: Row(
        "malformed bodies, and APIs' own ways to fail",
        "{legal bodies landed|legal bodies landed}, {illegal bodies refused|illegal ones refused}: "
        "{tracebacks|tracebacks}",
        {
            "ways to fail": "ways of APIs to fail",
            "values, each in every position": "JSON values, each in every position of a body",
        },
    ),
    10: Row(
        "an outage of 4 hours, with the semantics of SQLite's queue and of SQS",
        "{landed unaided|tasks landed unaided}, {dead letters|dead letters}; "
        "all there {minutes from the end of an outage until all had landed|minutes after its end}",
        {
            "tasks": "tasks under way in them",
            "landed unaided": "of them landed unaided",
            "requests a source in any minute after that": "requests of a source in any minute after that, at most",
            "minutes from the end of an outage until all had landed": "minutes from the end of an outage until all had "
            "landed, at most",
            "beyond patience: dead letters with their cause": "an outage beyond patience: tasks that became dead "
            "letters, with their cause",
            "beyond patience: landed by one redrive": "an outage beyond patience: tasks that one redrive landed",
        },
    ),
    11: Row(
        "a whole night simulated on one clock, faults by seed, every invariant after every step",
        "{seeds|nights}, {steps|steps}, {deaths|deaths}: every invariant held",
        {
            "seeds": "nights, one from each seed",
            "steps": "steps, with every invariant looked at after each",
            "deaths": "deaths of a process",
            "lost": "claims that a worker lost to another, which went on with the load",
            "completed": "loads completed",
            "redriven": "tasks redriven",
            "damaged by a sleeper, found by verify": "days damaged by a worker that slept past its lease, each "
            "found by `verify`",
            "kinds of event that each thousand came to": "kinds of event that each thousand nights came to",
            "seeds tried twice, in two processes": "nights tried twice, in two processes, and the same",
        },
    ),
    12: Row(
        "fuzzed messages, events, configurations, manifests, bodies and keys",
        "{inputs|inputs}: {crashes|crashes}, {hangs|hangs}",
        {
            "slowest input, ms of CPU": "CPU for the slowest input, ms",
            "coverage-guided inputs": "inputs guided by coverage, beside these",
            "structured examples": "documents and tables generated by their structure, beside these",
        },
        Grid(
            ("what is fuzzed", "inputs", "of them valid"),
            re.compile(r"(?:inputs by target: |, )(.+?) ([\d_,]+) \(([\d_,]+) taken\)"),
        ),
    ),
    13: Row(
        "secrets, addresses, rights",
        "{secrets found|secrets found}, {connections to them|connections to inner addresses}, "
        "{foreign AWS calls, each denied|foreign AWS calls denied}",
        {"connections to them": "connections to inner addresses"},
    ),
    14: Row(
        "scale: a year of 400 sources planned, one partition of 100,000 pages, a queue of a million tasks",
        "ten times as many: {CPU an item, the largest against a tenth|times the CPU for one}, "
        "{peak memory, the largest against a tenth|times the memory}",
        {
            "CPU an item, the largest against a tenth": "CPU for one at the largest size, against a tenth of it",
            "peak memory, the largest against a tenth": "peak memory of a load at the largest size, against a tenth "
            "of it",
            "a queue's peak memory, the largest against a tenth": "a queue's peak memory at the largest size, against "
            "a tenth of it",
            "partitions, status": "partitions looked at, `status`",
            "partitions, status again": "partitions looked at once more",
            "partitions, plan": "partitions looked at, `plan`",
            "tasks, 1,000 handled": "tasks in the queue, 1,000 of them handled",
        },
        Grid(
            ("what is done", "how many", "CPU", "peak memory"),
            re.compile(r"(.+), at most: ([\d,]+) in ([\d,.]+ s) of CPU and ([\d,.]+ MB)"),
        ),
    ),
    15: Row(
        "runs and backfills with faults, without a pause",
        "{memory of one process, last third to middle third|times the memory}, a warm function "
        "{memory of a warm function, last third to middle third}; {open files of one process more than before|files} "
        "and {threads of one process more than before|threads} more",
        {"answers": "answers of the API to the process", "faults": "faults of the API beside them"},
    ),
}
