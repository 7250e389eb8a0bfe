"""The pipeline of a deployed stack, for the command line: its lake, its queues, and its workers at work."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from option_a.aws.stack.follow import Follow
from option_a.aws.stack.outputs import Outputs, read_outputs, worker_environment
from option_a.aws.stack.queue_admin import SqsQueueAdmin
from option_a.aws.stack.queue_ages import oldest_message_ages
from option_a.aws.stack.session import Session, aws_errors
from option_a.ingest.config.read import Sources, read_sources
from option_a.ingest.errors import AwsError, ConfigError
from option_a.ingest.events import EventSink
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.open import plain_http
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary import partition_state
from option_a.ingest.ports import DeadLetter, Depth
from option_a.ingest.task import Task
from option_a.names import MOST_DAYS, TOO_MUCH, queue_name, queue_prefix
from option_a.workspace.pipeline import Pipeline
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from option_a.aws.stack.athena import Athena

_SWITCHES = ("USE_REAL_HTTP", "ENDPOINT_MAP")
_KEYS_LIVE = timedelta(minutes=5)
"""For how long the lake uses one set of credentials before it asks the session again."""


class StackPipeline(Pipeline):
    """A stack. It alone loads: what is sent here is worked on there."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        assert settings.stack is not None
        self.stack = settings.stack
        self._session = Session(settings.env.get("AWS_REGION"))
        self._sent: dict[Partition, Task] = {}
        self.stopping = "no longer following: the stack goes on with what it has"
        self.stopped = f"the stack goes on: option-a status --stack {self.stack}"

    @cached_property
    def outputs(self) -> Outputs:
        """What the stack is made of. Raises ConfigError or AwsError."""
        return read_outputs(self._session.client("cloudformation"), self.stack)

    @cached_property
    def sources(self) -> Sources:
        """The sources as this machine's file declares them, mock or real as the stack's worker judges it."""
        deployed = worker_environment(self._session.client("lambda"), self.outputs.worker_function)
        file = str(self.settings.sources_file)
        self._compare(deployed.get("OPTION_A_SOURCES_SHA256"), file)
        return read_sources(self.sources_text, {key: deployed[key] for key in _SWITCHES if key in deployed}, file)

    def _compare(self, digest: str | None, file: str) -> None:
        mine = hashlib.sha256((self.sources_text or "").encode()).hexdigest()
        if digest is not None and digest != mine:
            self.settings.note(f"{file} is not what the stack {self.stack} was deployed with: cdk deploy brings it")

    @cached_property
    def lake(self) -> Lake:
        """The stack's bucket, with this person's credentials."""
        from obstore.auth.boto3 import Boto3CredentialProvider
        from obstore.store import S3Store

        from option_a.ingest.lake.bucket import BucketLake

        bucket = self.outputs.lake_bucket
        with aws_errors(f"open the lake s3://{bucket}"):
            keys = Boto3CredentialProvider(self._session.boto, ttl=_KEYS_LIVE)
        client: ClientConfig = {"allow_http": plain_http(self.settings.env)}
        return BucketLake(S3Store(bucket, credential_provider=keys, client_options=client), f"s3://{bucket}")

    @cached_property
    def _queue_admin(self) -> SqsQueueAdmin:
        """The queues of the sources that are declared here and deployed there."""
        return self._queue_admin_for(name for name in self.sources if queue_name(self.stack, name) in self._queue_names)

    def _queue_admin_for(self, names: Iterable[str]) -> SqsQueueAdmin:
        return SqsQueueAdmin(self._session.client("sqs"), self.outputs.queue_url_base, self.stack, names)

    @cached_property
    def _queue_names(self) -> set[str]:
        pages = self._session.client("sqs").get_paginator("list_queues")
        with aws_errors(f"list the queues of the stack {self.stack}"):
            found = pages.paginate(QueueNamePrefix=queue_prefix(self.stack), PaginationConfig={"PageSize": 1_000})
            return {url.rpartition("/")[2] for page in found for url in page.get("QueueUrls", [])}

    def queued(self) -> set[Partition]:
        """SQS does not tell which tasks it holds. One that is sent twice is done once, by its claim."""
        return set()

    def left(self, sources: Collection[str], asked: Collection[Partition]) -> set[Partition]:
        """Of what is asked for: what a worker of the stack has in hand."""
        known, now = self.summaries(), self.clock.now()
        return {
            partition for partition in asked if partition_state(known.get(partition), now) in ("loading", "promoting")
        }

    def send(self, tasks: Iterable[Task]) -> None:
        """Send to the stack's queues. Raises ConfigError, and sends nothing, where a source has none."""
        every = list(tasks)
        counts = Counter(task.source for task in every)
        if counts and max(counts.values()) > MOST_DAYS:
            name, count = counts.most_common(1)[0]
            raise ConfigError(f"{count} dates of `{name}` are too many at once", hint=TOO_MUCH)
        for name in counts.keys() - set(self._queue_admin.sources):
            raise ConfigError(f"the stack {self.stack} has no queue for `{name}`", hint="cdk deploy makes it")
        self._queue_admin.send(every)
        self._sent |= {task.partition: task for task in every}

    def work(self, sources: Collection[str], partitions: Collection[Partition], tell: EventSink) -> None:
        """Follow these partitions until each is complete or failed; the stack does the work."""
        follow = Follow(self.lake, self.sources, self.clock, tell, self._letters_of, self.settings.note)
        follow.until_ended({p: self._sent.get(p) for p in partitions}, self.clock.stopping)

    def _letters_of(self, names: list[str]) -> list[DeadLetter]:
        return self._queue_admin_for(names).dead_letters()

    def depths(self) -> list[Depth]:
        """What each queue holds; one that holds nothing is left out. The age of the oldest is CloudWatch's."""
        full = [depth for depth in self._queue_admin.depth() if depth.live or depth.dead]
        ages = self._ages([queue_name(self.stack, depth.queue) for depth in full if depth.live])
        now = self.clock.now()
        return [_aged(depth, ages.get(queue_name(self.stack, depth.queue)), now) for depth in full]

    def _ages(self, queues: list[str]) -> Mapping[str, float]:
        if not queues:
            return {}
        try:
            return oldest_message_ages(self._session.client("cloudwatch"), queues, self.clock.now())
        except AwsError as error:  # the rest of the picture is worth showing
            self.settings.note(str(error))
            return {}

    def dead_letters(self) -> list[DeadLetter]:
        return self._queue_admin.dead_letters()

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        self._queue_admin.delete_dead_letters(letters)

    def move_unreadable(self, sources: Collection[str]) -> list[DeadLetter]:
        """Have SQS send back every letter of the queues that hold one that nobody can read; those letters."""
        letters = [letter for letter in self.dead_letters() if letter.task is None and letter.queue in sources]
        for name in sorted({letter.queue for letter in letters}):
            self._queue_admin.move_dead(name)
        return letters

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Take back the tasks of a source's dates: how many, and how many are delayed or in a worker's hands."""
        return self._queue_admin.cancel(source, first, last) if source in self._queue_admin.sources else (0, 0)

    def athena(self) -> Athena:
        """What answers SQL over the stack's lake."""
        from option_a.aws.stack.athena import Athena

        it, client = self.outputs, self._session.client
        return Athena(
            client("athena"), client("glue"), it.athena_workgroup, it.glue_database, self.clock, self.settings.note
        )


def _aged(depth: Depth, age: float | None, now: float) -> Depth:
    return depth if age is None else msgspec.structs.replace(depth, oldest=now - age)
