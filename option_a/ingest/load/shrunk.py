"""Tells an API that has fewer pages by now from one that refuses a page which it still has."""

from __future__ import annotations

from option_a.ingest.errors import HttpError, PermanentError
from option_a.ingest.load.job import Job
from option_a.ingest.load.page import recheck_page
from option_a.ingest.manifest.model import Load
from option_a.ingest.pagination import PageInfo

_PAST_THE_END = frozenset({400, 404, 410, 416, 422})
"""How APIs refuse a page that is not there: they agree on no status, so that a refusal alone proves nothing."""


class ResumeRefused(Exception):
    """The API has the cursor, or the page, no more at which an earlier delivery left off."""

    def __init__(self, refusal: HttpError) -> None:
        super().__init__()
        self.refusal = refusal


def refusal_in(error: BaseException) -> HttpError | None:
    """The answer by which an API may mean that the page is not there."""
    return error if isinstance(error, HttpError) and error.status in _PAST_THE_END else None


def has_fewer_pages(job: Job, refused: int) -> bool:
    """Whether the API has fewer pages than when a load stopped that goes on by number. Raises TransientError.

    The last page that is in is asked for again, and where that is gone too the first one: an API that refuses even
    that has moved, and what has landed stays.
    """
    gone = False
    for page in dict.fromkeys((job.load.high_water_mark, 1)):
        try:
            return excludes_page(recheck_page(job, page), job.load, refused, gone=gone)
        except PermanentError as error:
            if refusal_in(error) is None:
                return False
            gone = True
    return False


def excludes_page(told: PageInfo, load: Load, refused: int, *, gone: bool) -> bool:
    """Whether what an earlier page tells now has no place for the refused one; `gone`: a landed page is refused too."""
    if told.last is not None:
        return told.last < refused
    return gone or told.may_be_last or (told.total is not None and load.total is not None and told.total < load.total)
