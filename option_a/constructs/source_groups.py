"""What every source has, in the root or in nested stacks: a template holds 500 resources, a source needs five."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from aws_cdk import NestedStack, Stack
from constructs import Construct

from option_a.constructs.alarms import Alarms
from option_a.constructs.catalog import Catalog
from option_a.constructs.functions import Functions
from option_a.constructs.lake import Lake
from option_a.constructs.queue_alarms import QueueAlarms
from option_a.constructs.queues import SourceQueue, TlsOnly
from option_a.constructs.tables import SourceTables
from option_a.ingest.config import Source
from option_a.ingest.errors import ConfigError

MOST_IN_ROOT = 50
MOST_IN_GROUP = 50
GROUPS = 16


class SourceGroup(Construct):
    """The queues, subscriptions, tables and alarms of some sources."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        sources: Sequence[Source],
        stack: str,
        lake: Lake,
        catalog: Catalog,
        functions: Functions,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        queues = [
            SourceQueue(self, f"{source.name}-queue", source=source, stack=stack, functions=functions)
            for source in sources
        ]
        TlsOnly(self, "Policies", queues=queues, stack=stack)
        for source in sources:
            SourceTables(self, f"{source.name}-tables", source=source, lake=lake, catalog=catalog)
        QueueAlarms(self, "Alarms", queues=queues, alarms=alarms)


class SourceGroups(Construct):
    """Up to fifty sources are one group in the root; more are spread over nested stacks."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        sources: Sequence[Source],
        nested: bool,
        lake: Lake,
        catalog: Catalog,
        functions: Functions,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self).stack_name
        for name, members in spread(sources, nested=nested).items():
            SourceGroup(
                NestedStack(self, name) if name else self,
                "Group",
                sources=members,
                stack=stack,
                lake=lake,
                catalog=catalog,
                functions=functions,
                alarms=alarms,
            )


def spread(sources: Sequence[Source], *, nested: bool) -> Mapping[str, list[Source]]:
    """The sources of each nested stack; those of the root under the name ''. Raises ConfigError for too many.

    By a digest of the name: a source that comes or goes moves no other. A queue that moved to another stack would be
    made there before it is deleted here, and SQS takes no second queue of a name.
    """
    if len(sources) <= MOST_IN_ROOT and not nested:
        return {"": list(sources)}
    groups: dict[str, list[Source]] = {}
    for source in sources:
        number = int(hashlib.sha256(source.name.encode()).hexdigest()[:8], 16) % GROUPS
        groups.setdefault(f"Sources{number + 1:02d}", []).append(source)
    fullest = max(map(len, groups.values()))
    if fullest > MOST_IN_GROUP:
        raise ConfigError(
            f"{len(sources)} sources are too many for one stack: {fullest} of them fall to one nested stack, "
            f"which holds {MOST_IN_GROUP}",
            hint="share them out between two stacks: -c stack=NAME -c sources=FILE",
        )
    return dict(sorted(groups.items()))
