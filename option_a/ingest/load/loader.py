"""Loads the pages of one partition: in parallel where positions are known ahead, in order where they are not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from threading import Condition

from option_a.ingest.errors import HttpError, OptionAError, PaginationError, RepeatError, TotalError, TransientError
from option_a.ingest.http.request import followed
from option_a.ingest.load.job import Job, Limits
from option_a.ingest.load.page import FailedPage, LandedPage, land_page, redact
from option_a.ingest.load.repeats import check_repeat
from option_a.ingest.load.shrunk import ResumeRefused, has_fewer_pages, refusal_in
from option_a.ingest.pagination import PageInfo, PageResponse

WINDOW = 1_000
"""How far beyond the contiguous mark pages are asked for: it bounds what the manifest holds."""
TICK = 1.0
"""Seconds between looks at the clock while nothing lands."""


class OutOfTime(Exception):
    """The worker's time is nearly over; all that landed is in the ledger."""


class Stopped(Exception):
    """The worker was asked to stop; all that landed is in the ledger."""


def check_time(limits: Limits) -> None:
    """Raises Stopped or OutOfTime where a worker must let go."""
    if limits.stopping():
        raise Stopped
    if limits.out_of_time():
        raise OutOfTime


class PartitionLoader:
    """One load. Threads take the next page, land it and account for it; the ledger is touched under one lock."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.load = job.load
        self.lock = Condition()
        self.active_workers = 0
        """Threads that fetch."""
        self.in_flight: set[int] = set()
        self.fault: FailedPage | None = None
        self.ledger_error: BaseException | None = None
        """What keeps the ledger from being written: nothing more is asked for."""
        self.ahead = self.load.high_water_mark + 1
        self.resumed = self.load.high_water_mark + 1 if self.load.cursor is not None else None
        """The page that is asked for by a cursor which an earlier delivery was told."""
        self.resumes_by_number = self.load.cursor is None and self.load.answered > 0
        """Whether pages are asked for by number behind those of an earlier delivery: there may be fewer by now."""

    def run(self) -> None:
        """Until every page is in and accounted for. Raises what stopped it, after a checkpoint of what landed."""
        with self.job.world.executor(self.job.source.parallel) as pool, self.lock:
            while self._fill_slots(pool):
                self.lock.wait(TICK)
                self._beat()
        self._conclude()

    def _fill_slots(self, pool: Executor) -> bool:
        """Give every page that may be asked for now a thread, up to `parallel`; False once nobody flies any more."""
        while self.active_workers < self._places() and self._next_page() is not None:
            self._send(pool, self._land_next)
        if (
            self.active_workers == 0
            and self.resumes_by_number
            and self.fault is not None
            and refusal_in(self.fault.error)
        ):
            self.resumes_by_number = False  # one second look is enough
            self._send(pool, self._look_again)
        return self.active_workers > 0

    def _send(self, pool: Executor, work: Callable[[], bool]) -> None:
        self.active_workers += 1
        pool.submit(self._worker_loop, work)

    def _places(self) -> int:
        alone = self.load.last is None or self.job.breaker.probes
        return 1 if alone else self.job.source.parallel

    def _worker_loop(self, work: Callable[[], bool]) -> None:
        """Work until there is no more of it."""
        try:
            while work():
                pass
        except BaseException as error:
            self.ledger_error = self.ledger_error or error
        finally:
            with self.lock:
                self.active_workers -= 1
                self.lock.notify()

    def _land_next(self) -> bool:
        with self.lock:
            page = self._next_page()
            if page is None:
                return False
            self.in_flight.add(page)
            cursor = self.load.cursor
        answer = land_page(self.job, page, cursor)
        with self.lock:
            self._take(answer)
        return True

    def _look_again(self) -> bool:
        """Begin anew only where there are fewer pages by now: else the page is at fault, and what has landed stays."""
        fault = self.fault
        refusal = refusal_in(fault.error) if fault else None
        if fault is None or refusal is None:
            return False
        try:
            if has_fewer_pages(self.job, fault.page):
                self.fault = FailedPage(fault.page, ResumeRefused(refusal))
        except TransientError as error:
            self.fault = FailedPage(fault.page, error)
        return False

    def _take(self, answer: LandedPage | FailedPage) -> None:
        """Account for a page, or for what kept it from landing."""
        self.in_flight.discard(answer.page)
        places = self._places()
        if isinstance(answer, LandedPage):
            self._record_page(answer)
        elif not self._ends_short(answer):
            self.fault = _more_severe(self.fault, answer)
        self._beat()
        if self._places() > places:
            self.lock.notify()

    def _beat(self) -> None:
        try:
            self.job.heartbeat()
        except BaseException as error:
            self.ledger_error = self.ledger_error or error

    def _halted(self) -> bool:
        limits = self.job.world.limits
        return self.fault is not None or self.ledger_error is not None or limits.stopping() or limits.out_of_time()

    def _next_page(self) -> int | None:
        """The next page to ask for, if one may be asked for now."""
        load = self.load
        if load.at_end or self._halted():
            return None
        if load.last is None:  # each page tells how the next is asked for
            return None if self.in_flight else self._within_cap(load.high_water_mark + 1)
        self.ahead = max(self.ahead, load.high_water_mark + 1)
        while self.ahead in self.in_flight or load.has(self.ahead):
            self.ahead += 1
        if self.ahead > min(load.last, load.high_water_mark + WINDOW):
            return None
        return self._within_cap(self.ahead)

    def _within_cap(self, page: int) -> int | None:
        cap, last = self.job.source.max_pages, self.load.last or 0
        if max(page, last) <= cap:
            return page
        what = f"the API declares {last} pages" if last > cap else f"no end after {cap} pages"
        self.fault = FailedPage(page, PaginationError(what, hint=f"is it endless? if not, raise max_pages (now {cap})"))
        return None

    def _record_page(self, answer: LandedPage) -> None:
        row, load = answer.row, self.load
        try:
            told = self._told(answer)
            alike = self.job.source.repeats == "allow"
            check_repeat(load, row, told, self.job.source.pagination.advice, alike=alike)
        except OptionAError as error:
            redact(error, answer.hide)
            fault = FailedPage(row.page, error.at(self.job.where(row.page)))
            if not self._ends_short(fault):
                self.fault = _more_severe(self.fault, fault)
            return
        load.land(row)
        load.apply_page_info(row.page, told)
        if not load.path:  # an empty page of CSV has no header yet
            load.path = answer.path
        self.job.emit("landed", page=row.page)

    def _told(self, answer: LandedPage) -> PageInfo:
        """What the answer tells of the pages that follow."""
        row, load = answer.row, self.load
        if answer.ended_by is None:
            so_far = load.records + row.records
            seen = PageResponse(row.page, row.records, so_far, answer.meta, answer.headers, answer.final)
            return followed(self.job.source, load.cursor, self.job.source.pagination.read(seen))
        if load.last is not None and row.page <= load.last:
            what = f"the API declares {load.last} pages, and page {row.page} was answered {answer.ended_by}"
            raise PaginationError(what, hint='it means "empty": correct `statuses`, or what declares the pages')
        if row.page == self.resumed:  # a cursor that has gone stale would look like the end
            hint = "the cursor at which the load stood is refused"
            raise HttpError(f"the API answered {answer.ended_by}", status=answer.ended_by, hint=hint)
        return PageInfo(last=row.page)

    def _ends_short(self, fault: FailedPage) -> bool:
        """Whether page 2 only confirms that the first page, which was short, was the last: refused, or page 1 again."""
        if not (self.load.may_be_last and fault.page == 2):
            return False
        if refusal_in(fault.error) or isinstance(fault.error, RepeatError):
            self.load.last, self.load.may_be_last, self.load.cursor = 1, False, None
            return True
        return False

    def _conclude(self) -> None:
        if self.ledger_error is not None:
            raise self.ledger_error
        stopping = self.job.world.limits.stopping()
        if self.fault is not None and not (stopping and isinstance(self.fault.error, TransientError)):
            raise self._final_error(self.fault)
        if self.load.at_end:
            self._reconcile()
            return
        raise Stopped if stopping else OutOfTime

    def _final_error(self, fault: FailedPage) -> BaseException:
        error, refusal = fault.error, refusal_in(fault.error)
        if fault.page == self.resumed and refusal is not None:
            error = ResumeRefused(refusal)
        return error.at(self.job.where(fault.page)) if isinstance(error, OptionAError) else error

    def _reconcile(self) -> None:
        """What landed against what the API declares, by the last response's word."""
        load, rule = self.load, self.job.source.total
        where = self.job.where()
        beyond = [row.page for row in load.rows if row.page > (load.last or 0) and row.records]
        if beyond:
            what = f"the API now declares {load.last} pages, and page {beyond[0]} had records"
            raise TotalError(what, hint="did records go meanwhile? option-a redrive loads it anew", where=where)
        if load.total is None or rule == "ignore" or load.records == load.total:
            return
        if rule == "at_least" and load.records > load.total:
            return
        hint = (
            'if the total is an estimate, set total = "at_least" or "ignore", and pagination.stop where the total is '
            "the end; a page size that is capped loses records"
        )
        raise TotalError(f"{load.records} records landed, the API declares {load.total}", hint=hint, where=where)


def _more_severe(one: FailedPage | None, other: FailedPage) -> FailedPage:
    """Of two faults the one that decides: anything before a transient one."""
    if one is None or (isinstance(one.error, TransientError) and not isinstance(other.error, TransientError)):
        return other
    return one
