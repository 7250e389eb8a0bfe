"""Loads the pages of one partition: in parallel where positions are known ahead, in order where they are not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from threading import Condition

from option_a.ingest.errors import OptionAError, TransientError
from option_a.ingest.load.job import Job
from option_a.ingest.load.page import FailedPage, LandedPage, land_page
from option_a.ingest.load.page_info import confirms_single_page, read_page_info
from option_a.ingest.load.page_schedule import PageSchedule
from option_a.ingest.load.reconcile import reconcile
from option_a.ingest.load.redact import redact
from option_a.ingest.load.repeats import check_repeat
from option_a.ingest.load.services import Limits
from option_a.ingest.load.shrunk import ResumeRefused, has_fewer_pages, refusal_in

TICK = 1.0
"""Seconds between heartbeats while nothing lands."""


class OutOfTime(Exception):
    """The worker's time is nearly over; all that landed is in the manifest."""


class Stopped(Exception):
    """The worker was asked to stop; all that landed is in the manifest."""


def check_time(limits: Limits) -> None:
    """Raises Stopped or OutOfTime where a worker must let go."""
    if limits.stopping():
        raise Stopped
    if limits.out_of_time():
        raise OutOfTime


class PartitionLoader:
    """One load. Threads land pages, each taking the next; the manifest is changed under one lock."""

    def __init__(self, job: Job) -> None:
        self.job, self.load = job, job.load
        self.lock = Condition()
        self.active_workers = 0
        self.schedule = PageSchedule(self.load, job.source.max_pages)
        self.failed: FailedPage | None = None
        """The most severe failure: nothing more is requested after one."""
        self.manifest_error: BaseException | None = None
        """Why the manifest cannot be written: nothing more is requested."""
        next_page = self.load.high_water_mark + 1
        self.resumed = next_page if self.load.cursor is not None else None
        """The page that is requested by a cursor which an earlier delivery received."""
        self.resumes_by_number = self.load.cursor is None and self.load.answered > 0
        """Whether pages follow an earlier delivery's by number: the API may have fewer of them by now."""

    def run(self) -> None:
        """Land every page. Raises what stopped it, once all threads have ended."""
        # the pool is left only when all its threads have ended, so `_conclude` sees the final state
        with self.job.services.executor(self.job.source.parallel) as pool, self.lock:
            while self._fill_slots(pool):
                self.lock.wait(TICK)
                self._heartbeat()
        self._conclude()

    def _fill_slots(self, pool: Executor) -> bool:
        """Start a thread per page that may be requested, up to `parallel`; False once none is in flight."""
        while self.active_workers < self._slots() and self._next_page() is not None:
            self._start(pool, self._land_next)
        if self.active_workers == 0 and self.resumes_by_number and self.failed and refusal_in(self.failed.error):
            self.resumes_by_number = False  # one recheck is enough
            self._start(pool, self._recheck)
        return self.active_workers > 0

    def _slots(self) -> int:
        # a probe asks for one page: the source may still be down
        one_by_one = self.load.last is None or self.job.breaker.probes
        return 1 if one_by_one else self.job.source.parallel

    def _start(self, pool: Executor, work: Callable[[], bool]) -> None:
        self.active_workers += 1
        pool.submit(self._worker_loop, work)

    def _worker_loop(self, work: Callable[[], bool]) -> None:
        try:
            while work():
                pass
        except BaseException as error:  # a thread of a pool would swallow it
            self.manifest_error = self.manifest_error or error
        finally:
            with self.lock:
                self.active_workers -= 1
                self.lock.notify()

    def _land_next(self) -> bool:
        with self.lock:
            page = self._next_page()
            if page is None:
                return False
            self.schedule.in_flight.add(page)
            cursor = self.load.cursor
        # outside the lock: this is where the time goes
        result = land_page(self.job, page, cursor)
        with self.lock:
            self._account(result)
        return True

    def _recheck(self) -> bool:
        """Restart only if pages vanished; otherwise keep what landed and report the page."""
        failed = self.failed
        refusal = refusal_in(failed.error) if failed else None
        if failed is None or refusal is None:
            return False
        try:
            if has_fewer_pages(self.job, failed.page):
                self.failed = FailedPage(failed.page, ResumeRefused(refusal))
        except TransientError as error:
            self.failed = FailedPage(failed.page, error)
        return False

    def _next_page(self) -> int | None:
        """The next page, if one may be requested now. One beyond `max_pages` is a failure."""
        limits = self.job.services.limits
        if self.failed or self.manifest_error or limits.stopping() or limits.out_of_time():
            return None
        page = self.schedule.next_page()
        if page is not None and (error := self.schedule.beyond_cap(page)) is not None:
            self.failed = FailedPage(page, error)
            return None
        return page

    def _account(self, result: LandedPage | FailedPage) -> None:
        """Record a page in the manifest, or why it did not land."""
        self.schedule.in_flight.discard(result.page)
        slots = self._slots()
        if isinstance(result, LandedPage):
            self._record_page(result)
        else:
            self._record_failure(result)
        self._heartbeat()
        if self._slots() > slots:  # page 1 has declared the last page: `run` may start more threads
            self.lock.notify()

    def _record_page(self, landed: LandedPage) -> None:
        row, load, source = landed.row, self.load, self.job.source
        try:
            info = read_page_info(source, load, landed, self.resumed)
            check_repeat(load, row, info, source.pagination.advice, alike=source.repeats == "allow")
        except OptionAError as error:
            redact(error, landed.redact)
            # its object stays in the lake; the listing at the end of the load removes it
            self._record_failure(FailedPage(row.page, error.at(self.job.where(row.page))))
            return
        load.land(row)
        load.apply_page_info(row.page, info)
        if not load.path:  # an empty page of CSV has no header yet
            load.path = landed.path
        self.job.emit("landed", page=row.page)

    def _record_failure(self, failed: FailedPage) -> None:
        if confirms_single_page(self.load, failed):
            self.load.last, self.load.may_be_last, self.load.cursor = 1, False, None
        else:
            self.failed = _more_severe(self.failed, failed)

    def _heartbeat(self) -> None:
        try:
            self.job.lease.heartbeat()
        except BaseException as error:
            self.manifest_error = self.manifest_error or error

    def _conclude(self) -> None:
        if self.manifest_error is not None:
            raise self.manifest_error
        # a transient failure while stopping is no fault of the source: the task is requeued as stopped
        stopping = self.job.services.limits.stopping()
        if self.failed is not None and not (stopping and isinstance(self.failed.error, TransientError)):
            raise self._final_error(self.failed)
        if not self.load.at_end:
            raise Stopped if stopping else OutOfTime
        try:
            reconcile(self.load, self.job.source.total)
        except OptionAError as error:
            raise error.at(self.job.where()) from None

    def _final_error(self, failed: FailedPage) -> BaseException:
        error, refusal = failed.error, refusal_in(failed.error)
        if failed.page == self.resumed and refusal is not None:
            error = ResumeRefused(refusal)
        return error.at(self.job.where(failed.page)) if isinstance(error, OptionAError) else error


def _more_severe(one: FailedPage | None, other: FailedPage) -> FailedPage:
    """Of two failures the one that decides: any before a transient one."""
    if one is None or (isinstance(one.error, TransientError) and not isinstance(other.error, TransientError)):
        return other
    return one
