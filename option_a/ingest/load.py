"""Loads the pages of one partition: in parallel where positions are known ahead, in order where they are not."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from urllib.parse import urljoin

from option_a.ingest.errors import OptionAError, PaginationError, TotalError, TransientError
from option_a.ingest.job import Job
from option_a.ingest.manifest import Anchor, Row
from option_a.ingest.page import Answer, Fault, land_page
from option_a.ingest.paginate import Seen, Told
from option_a.ingest.urls import same_origin

WINDOW = 1_000
"""How far beyond the contiguous mark pages are asked for: it bounds what the manifest holds."""
TICK = 1.0
"""Seconds between looks at the clock while nothing lands."""


class OutOfTime(Exception):
    """The worker's time is nearly over; all that landed is in the ledger."""


class Stopped(Exception):
    """The worker was asked to stop; all that landed is in the ledger."""


class Loading:
    """The coordinator of one load. It alone touches the ledger; threads land pages and hand their rows back."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.load = job.load
        self.answers: SimpleQueue[Answer | Fault] = SimpleQueue()
        self.flying: set[int] = set()
        self.fault: Fault | None = None
        self.guess: str | None = None
        self.ahead = self.load.mark + 1

    def run(self) -> None:
        """Until every page is in and accounted for. Raises what stopped it, after a checkpoint of what landed."""
        with self.job.world.executor(self.job.source.parallel) as pool:
            while True:
                while (page := self._next_page()) is not None:
                    self.flying.add(page)
                    pool.submit(self._fly, page, self.load.cursor)
                if not self.flying:
                    break
                self._wait()
        self._conclude()

    def _fly(self, page: int, cursor: str | None) -> None:
        self.answers.put(land_page(self.job, page, cursor, self.guess))

    def _halted(self) -> bool:
        limits = self.job.world.limits
        return self.fault is not None or limits.stopping() or limits.out_of_time()

    def _next_page(self) -> int | None:
        """The next page to ask for, if one may be asked for now."""
        load = self.load
        if len(self.flying) >= self.job.source.parallel or load.at_end or self._halted():
            return None
        if load.last is None:  # each page tells how the next is asked for
            return None if self.flying else self._within_cap(load.mark + 1)
        self.ahead = max(self.ahead, load.mark + 1)
        while self.ahead in self.flying or load.has(self.ahead):
            self.ahead += 1
        if self.ahead > min(load.last, load.mark + WINDOW):
            return None
        return self._within_cap(self.ahead)

    def _within_cap(self, page: int) -> int | None:
        cap, last = self.job.source.max_pages, self.load.last or 0
        if max(page, last) <= cap:
            return page
        what = f"the API declares {last} pages" if last > cap else f"no end after {cap} pages"
        self.fault = Fault(page, PaginationError(what, hint=f"is it endless? if not, raise max_pages (now {cap})"))
        return None

    def _wait(self) -> None:
        """Take in what has landed, or let the clock be looked at."""
        try:
            answer: Answer | Fault | None = self.answers.get(timeout=TICK)
        except Empty:
            answer = None
        if isinstance(answer, Answer):
            self._take_in(answer)
        elif isinstance(answer, Fault):
            self.flying.discard(answer.page)
            self.fault = _graver(self.fault, answer)
        self.job.beat()

    def _take_in(self, answer: Answer) -> None:
        row, load = answer.row, self.load
        self.flying.discard(row.page)
        try:
            seen = Seen(row.page, row.records, load.records + row.records, answer.meta)
            told = self.job.source.pagination.read(seen)
            self._check_repeat(row, told)
            told = self._followed(told)
        except OptionAError as error:
            self.fault = _graver(self.fault, Fault(row.page, error.at(self.job.where(row.page))))
            return
        load.land(row)
        load.hear(row.page, told)
        self.guess = answer.path or None
        self.job.say("landed", page=row.page)

    def _check_repeat(self, row: Row, told: Told) -> None:
        """A page that is a page before it again is no progress: what follows would go on for ever, or land twice."""
        if self.job.source.repeats == "allow":
            return
        anchor = self.load.anchor
        before, after = self.load.row(row.page - 1), self.load.row(row.page + 1)
        twins = [other.page for other in (before, after) if other and row.checksum and other.checksum == row.checksum]
        if row.checksum and self.load.first == row.checksum and row.page != 1:
            twins.append(1)
        if anchor is not None and anchor.page < row.page and anchor.checksum == row.checksum != "":
            twins.append(anchor.page)
        if twins:
            raise PaginationError(f"page {row.page} is page {twins[0]} again", hint=_REPEAT_HINT)
        if told.cursor is not None and (told.cursor == self.load.cursor or (anchor and told.cursor == anchor.cursor)):
            raise PaginationError(f"page {row.page} leads to a page that was already asked for", hint=_REPEAT_HINT)
        if row.page & (row.page - 1) == 0 and row.page > (anchor.page if anchor else 0):
            self.load.anchor = Anchor(row.page, row.checksum, told.cursor)

    def _followed(self, told: Told) -> Told:
        """The next URL made whole, and refused if it leads to another host."""
        if told.cursor is None:
            return told
        url = urljoin(self.load.cursor or self.job.source.url, told.cursor)
        if not same_origin(self.job.source.url, url):
            raise PaginationError(
                "the next url leads to another host", hint="if that is the API, give `url` its address"
            )
        return Told(last=told.last, cursor=url, total=told.total)

    def _conclude(self) -> None:
        stopping = self.job.world.limits.stopping()
        if self.fault is not None and not (stopping and isinstance(self.fault.error, TransientError)):
            raise self._judged(self.fault)
        if self.load.at_end:
            self._reconcile()
            return
        raise Stopped if stopping else OutOfTime

    def _judged(self, fault: Fault) -> BaseException:
        error = fault.error
        return error.at(self.job.where(fault.page)) if isinstance(error, OptionAError) else error

    def _reconcile(self) -> None:
        """What landed against what the API declares, by the last response's word."""
        load, rule = self.load, self.job.source.total
        where = self.job.where()
        beyond = [row.page for row in load.rows if row.page > (load.last or 0) and row.records]
        if beyond:
            raise TotalError(f"the API now declares {load.last} pages, and page {beyond[0]} had records", where=where)
        if load.total is None or rule == "ignore" or load.records == load.total:
            return
        if rule == "at_least" and load.records > load.total:
            return
        hint = (
            'if the total is an estimate, set total = "at_least" or "ignore"; a page size that is capped loses records'
        )
        raise TotalError(f"{load.records} records landed, the API declares {load.total}", hint=hint, where=where)


_REPEAT_HINT = (
    "the API repeats itself: declare where the end is (total_pages, total_records, or stop), "
    'or, if pages may be alike, set repeats = "allow"'
)


def _graver(one: Fault | None, other: Fault) -> Fault:
    """Of two faults the one that decides: anything before a transient one."""
    if one is None or (isinstance(one.error, TransientError) and not isinstance(other.error, TransientError)):
        return other
    return one
