"""The pipeline of a deployed stack for the command line: its lake, its queues, the progress of its workers."""

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
from option_a.ingest.config import Sources, read_sources
from option_a.ingest.errors import AwsError, ConfigError
from option_a.ingest.events import EventSink
from option_a.ingest.lake import Lake, plain_http
from option_a.ingest.partition import Partition
from option_a.ingest.plan import partition_state
from option_a.ingest.ports import DeadLetter, Depth
from option_a.ingest.task import Task
from option_a.names import MOST_DAYS, TOO_MUCH, queue_name, queue_prefix
from option_a.workspace.pipeline import Pipeline
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from option_a.aws.stack.athena import Athena

_SWITCHES = ("USE_REAL_HTTP", "ENDPOINT_MAP")
_CREDENTIALS_TTL = timedelta(minutes=5)
"""How long the lake uses one set of credentials before it requests new ones from the session."""


class StackPipeline(Pipeline):
    """A deployed stack, whose own workers do the tasks that are sent from here."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        assert settings.stack is not None
        self.stack = settings.stack
        self._session = Session(settings.env.get("AWS_REGION"))
        self._sent: dict[Partition, Task] = {}
        self.stopping_message = "no longer following: the stack continues with its tasks"
        self.stopped_message = f"the stack continues: option-a status --stack {self.stack}"

    @cached_property
    def outputs(self) -> Outputs:
        """The stack's outputs. Raises ConfigError or AwsError."""
        return read_outputs(self._session.client("cloudformation"), self.stack)

    @cached_property
    def sources(self) -> Sources:
        """The sources in this machine's file; the environment of the stack's worker decides which are mock."""
        deployed = worker_environment(self._session.client("lambda"), self.outputs.worker_function)
        file = str(self.settings.sources_file)
        self._warn_if_changed(deployed.get("OPTION_A_SOURCES_SHA256"), file)
        return read_sources(self.sources_text, {key: deployed[key] for key in _SWITCHES if key in deployed}, file)

    def _warn_if_changed(self, deployed: str | None, file: str) -> None:
        local = hashlib.sha256((self.sources_text or "").encode()).hexdigest()
        if deployed is not None and deployed != local:
            self.settings.note(f"{file} is not what the stack {self.stack} was deployed with: cdk deploy brings it")

    @cached_property
    def lake(self) -> Lake:
        """The stack's bucket, with the user's own credentials."""
        from obstore.auth.boto3 import Boto3CredentialProvider
        from obstore.store import S3Store

        from option_a.ingest.lake import BucketLake

        bucket = self.outputs.lake_bucket
        with aws_errors(f"open the lake s3://{bucket}"):
            credentials = Boto3CredentialProvider(self._session.boto, ttl=_CREDENTIALS_TTL)
        client: ClientConfig = {"allow_http": plain_http(self.settings.env)}
        return BucketLake(S3Store(bucket, credential_provider=credentials, client_options=client), f"s3://{bucket}")

    @cached_property
    def _queue_admin(self) -> SqsQueueAdmin:
        """The queues of the sources that are both declared and deployed."""
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
        """Always empty: SQS cannot list its messages. A task that is sent twice is done once, thanks to its lease."""
        return set()

    def pending(self, sources: Collection[str], requested: Collection[Partition]) -> set[Partition]:
        """The requested partitions that a worker of the stack is loading."""
        known, now = self.summaries(), self.clock.now()
        return {p for p in requested if partition_state(known.get(p), now) in ("loading", "promoting")}

    def send(self, tasks: Iterable[Task]) -> None:
        """Send tasks to the stack's queues. Raises ConfigError, and sends nothing, if a source has no queue."""
        batch = list(tasks)
        counts = Counter(task.source for task in batch)
        if counts and max(counts.values()) > MOST_DAYS:
            name, count = counts.most_common(1)[0]
            raise ConfigError(f"{count} dates of `{name}` are too many at once", hint=TOO_MUCH)
        for name in counts.keys() - set(self._queue_admin.sources):
            raise ConfigError(f"the stack {self.stack} has no queue for `{name}`", hint="cdk deploy creates it")
        self._queue_admin.send(batch)
        self._sent |= {task.partition: task for task in batch}

    def work(self, sources: Collection[str], partitions: Collection[Partition], emit: EventSink) -> None:
        """Follow these partitions until each is complete or has failed."""
        follow = Follow(self.lake, self.sources, self.clock, emit, self._dead_letters_of, self.settings.note)
        follow.until_ended({p: self._sent.get(p) for p in partitions}, self.clock.stopping)

    def _dead_letters_of(self, names: list[str]) -> list[DeadLetter]:
        return self._queue_admin_for(names).dead_letters()

    def depths(self) -> list[Depth]:
        """The depth of each queue that is not empty, with the age of its oldest message from CloudWatch."""
        depths = [depth for depth in self._queue_admin.depth() if depth.live or depth.dead]
        ages = self._message_ages([queue_name(self.stack, depth.queue) for depth in depths if depth.live])
        now = self.clock.now()
        return [_with_oldest(depth, ages.get(queue_name(self.stack, depth.queue)), now) for depth in depths]

    def _message_ages(self, queues: list[str]) -> Mapping[str, float]:
        if not queues:
            return {}
        try:
            return oldest_message_ages(self._session.client("cloudwatch"), queues, self.clock.now())
        except AwsError as error:  # the depths are worth showing without it
            self.settings.note(str(error))
            return {}

    def dead_letters(self) -> list[DeadLetter]:
        return self._queue_admin.dead_letters()

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        self._queue_admin.delete_dead_letters(letters)

    def move_unreadable(self, sources: Collection[str]) -> list[DeadLetter]:
        """Have SQS move all dead letters back, from each queue that holds an unreadable one; the unreadable ones."""
        letters = [letter for letter in self.dead_letters() if letter.task is None and letter.queue in sources]
        for name in sorted({letter.queue for letter in letters}):
            self._queue_admin.move_dead(name)
        return letters

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Delayed tasks count as in flight: SQS does not hand them out."""
        return self._queue_admin.cancel(source, first, last) if source in self._queue_admin.sources else (0, 0)

    def athena(self) -> Athena:
        """The SQL engine over the stack's lake."""
        from option_a.aws.stack.athena import Athena

        client, workgroup, database = self._session.client, self.outputs.athena_workgroup, self.outputs.glue_database
        return Athena(client("athena"), client("glue"), workgroup, database, self.clock, self.settings.note)


def _with_oldest(depth: Depth, age: float | None, now: float) -> Depth:
    return depth if age is None else msgspec.structs.replace(depth, oldest=now - age)
