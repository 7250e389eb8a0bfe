"""One delivery of a task: the worker, what it decides, the loader of pages, and how a delivery ends."""

from __future__ import annotations

from option_a.ingest.load.decision import Done, Failed, Superseded, decide
from option_a.ingest.load.page_buffers import keep_buffers
from option_a.ingest.load.redact import redact_for_display
from option_a.ingest.load.requeue import requeue_task
from option_a.ingest.load.services import Limits, Services
from option_a.ingest.load.single_page import page_info_of, records_of
from option_a.ingest.load.worker import Worker

__all__ = [
    "Done",
    "Failed",
    "Limits",
    "Services",
    "Superseded",
    "Worker",
    "decide",
    "keep_buffers",
    "page_info_of",
    "records_of",
    "redact_for_display",
    "requeue_task",
]
