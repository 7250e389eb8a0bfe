"""Did the API lose pages since the load stopped, or does it reject one it has?"""

from __future__ import annotations

from option_a.ingest.errors import HttpError, PermanentError
from option_a.ingest.load.job import Job
from option_a.ingest.load.page import recheck_page
from option_a.ingest.manifest import Load
from option_a.ingest.pagination import PageInfo

_PAST_THE_END = frozenset({400, 404, 410, 416, 422})
"""How APIs refuse a page beyond the last: they agree on no status, so a refusal alone proves nothing."""


class ResumeRefused(Exception):
    """The API no longer has the cursor, or the page, at which an earlier delivery stopped."""

    def __init__(self, refusal: HttpError) -> None:
        super().__init__()
        self.refusal = refusal


def refusal_in(error: BaseException) -> HttpError | None:
    """The error, if the API may mean by it that there is no such page."""
    return error if isinstance(error, HttpError) and error.status in _PAST_THE_END else None


def has_fewer_pages(job: Job, refused: int) -> bool:
    """Whether the API has fewer pages than when the load stopped. Raises TransientError.

    The last landed page is requested again, and page 1 where that is gone too. An API that refuses even page 1 has
    moved, and what has landed stays.
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
    """Whether an earlier page's answer rules out the refused one; `gone`: a landed page was refused too."""
    if told.last is not None:
        return told.last < refused
    return gone or told.may_be_last or (told.total is not None and load.total is not None and told.total < load.total)
