"""What cdk-nag would have otherwise of Lake Formation's part, and why it is as it is."""

from __future__ import annotations

from collections.abc import Sequence

from option_a.constructs.catalog import Catalog
from option_a.constructs.lake import Lake
from option_a.constructs.lakeformation.analysts import Analysts
from option_a.constructs.lakeformation.reconciler import Keeper
from option_a.constructs.lakeformation.registration import Registration
from option_a.constructs.nag_suppressions import Entry, account, below
from option_a.ingest.lake import RAW


def entries(
    lake: Lake, catalog: Catalog, registration: Registration, keeper: Keeper, analysts: Sequence[Analysts]
) -> list[Entry]:
    """The entries; a test counts them."""
    return [*_of_pipeline(lake, catalog, registration, keeper, analysts), *(_of_group(lake, one) for one in analysts)]


def _of_group(lake: Lake, analysts: Analysts) -> Entry:
    return Entry(
        "AwsSolutions-IAM5",
        [analysts],
        [below(lake.results, f"{analysts.results}/*")],
        f"The results of the group {analysts.group}'s own queries, whose names Athena makes up. Tests evaluate the "
        "policy: those of other groups, and the lake, are denied.",
    )


def _of_pipeline(
    lake: Lake, catalog: Catalog, registration: Registration, keeper: Keeper, analysts: Sequence[Analysts]
) -> list[Entry]:
    return [
        Entry(
            "AwsSolutions-IAM5",
            [registration],
            [below(lake.bucket, f"{RAW}/*")],
            "Lake Formation reads the pages of every source with this role, and hands out what it read table by table. "
            "It can list and read below raw/, and nothing else.",
        ),
        Entry(
            "AwsSolutions-IAM5",
            [keeper, *analysts],
            ["Resource::*"],
            "Lake Formation's actions, and Athena's lists of workgroups, know no resources in IAM. What anybody may "
            "do by them is what Lake Formation's own permissions grant; tests hold those to access.toml.",
        ),
        Entry(
            "AwsSolutions-IAM5",
            [keeper, *analysts],
            [f"Resource::{account('glue')}:table/{catalog.name}/*"],
            "The tables of the stack's own database: the keeper lists them, and a group has them all where it is "
            "declared with all sources, those to come included.",
        ),
        Entry(
            "AwsSolutions-L1",
            [keeper],
            [""],
            "It is of the same asset as the other functions, whose wheels are pinned and checked for Python 3.13, "
            "which is supported until 2029.",
        ),
    ]
