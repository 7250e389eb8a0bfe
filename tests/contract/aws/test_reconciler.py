"""The keeper against Lake Formation and Glue over the wire: it takes, gives back, mends, and touches nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from option_a.aws.lakeformation.reconciler import IAM_DECIDES, RECORD, AccessReconciler, OptIn, Wanted
from tests.support.aws.lakeformation_opt_ins import FakeCatalog
from tests.support.aws.moto import MotoServer, moto_server

NAME = "ours"
TABLES = ["a", "a_lines", "b_lines"]
ANA, BEN = "arn:aws:iam::123456789012:role/ana", "arn:aws:iam::123456789012:role/ben"
ENFORCE = Wanted(NAME, "enforce")


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as running:
        yield running


@pytest.fixture
def catalog(server: MotoServer) -> Iterator[FakeCatalog]:
    made = FakeCatalog(server, NAME)
    made.make(*TABLES)
    yield made
    for name in (NAME, "theirs"):
        if name in {one["Name"] for one in made.glue.get_databases()["DatabaseList"]}:
            made.glue.delete_database(Name=name)
    for one in made.lake.list_permissions()["PrincipalResourcePermissions"]:
        made.lake.revoke_permissions(
            Principal=one["Principal"], Resource=one["Resource"], Permissions=one["Permissions"]
        )


@pytest.fixture
def keeper(catalog: FakeCatalog) -> AccessReconciler:
    return AccessReconciler(catalog.lake, catalog.glue)


class Breaking:
    """A client of which one operation fails after so many calls."""

    def __init__(self, client: Any, operation: str, after: int) -> None:
        self._client, self._operation, self._left = client, operation, after

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._client, name)
        self._left -= 1
        if self._left < 0:
            raise ConnectionError("the wire is cut")
        return getattr(self._client, name)


def test_enforcing_takes_iams_grants_from_the_database_and_its_tables(
    catalog: FakeCatalog, keeper: AccessReconciler
) -> None:
    assert catalog.allowed() == ["", *TABLES]
    keeper.apply(ENFORCE)
    assert catalog.allowed() == []
    assert catalog.described()["CreateTableDefaultPermissions"] == []
    catalog.make("crawled_new")
    assert catalog.allowed() == [], "a new table is Lake Formation's from its first moment"


def test_what_is_others_is_left_alone(server: MotoServer, catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    theirs = FakeCatalog(server, "theirs")
    theirs.make("t")
    catalog.lake.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": ANA}, Resource=catalog.table("a"), Permissions=["SELECT"]
    )
    settings = catalog.lake.get_data_lake_settings()["DataLakeSettings"]
    keeper.apply(ENFORCE)
    assert theirs.allowed() == ["", "t"]
    assert theirs.described()["CreateTableDefaultPermissions"] == IAM_DECIDES
    assert catalog.lake.get_data_lake_settings()["DataLakeSettings"] == settings
    (kept,) = catalog.lake.list_permissions(Resource=catalog.table("a"))["PrincipalResourcePermissions"]
    assert (kept["Principal"]["DataLakePrincipalIdentifier"], kept["Permissions"]) == (ANA, ["SELECT"])


def test_the_database_keeps_what_else_it_has(catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    before = catalog.described()
    keeper.apply(ENFORCE)
    assert catalog.described()["Parameters"].keys() == {"a", RECORD}
    keeper.revert(ENFORCE)
    after = catalog.described()
    assert {key: after.get(key) for key in before} == before


def test_leaving_gives_back_what_was_taken_and_no_more(catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    catalog.lake.revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
        Resource=catalog.table("a"),
        Permissions=["ALL"],
    )
    catalog.glue.update_database(Name=NAME, DatabaseInput={"Name": NAME, "CreateTableDefaultPermissions": []})
    keeper.apply(ENFORCE)
    keeper.revert(ENFORCE)
    assert catalog.allowed() == ["", "a_lines", "b_lines"], "a was Lake Formation's before us"
    assert catalog.described()["CreateTableDefaultPermissions"] == []


def test_tables_that_came_meanwhile_get_what_they_would_have_had(
    catalog: FakeCatalog, keeper: AccessReconciler
) -> None:
    keeper.apply(ENFORCE)
    catalog.make("crawled_new")
    catalog.glue.delete_table(DatabaseName=NAME, Name="b_lines")
    keeper.revert(ENFORCE)
    assert catalog.allowed() == ["", "a", "a_lines", "crawled_new"]


def test_running_again_changes_nothing(catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    keeper.apply(ENFORCE)
    before = catalog.described()
    keeper.apply(ENFORCE)
    assert catalog.described() == before
    keeper.revert(ENFORCE)
    once = (catalog.described(), catalog.allowed())
    keeper.revert(ENFORCE)
    assert (catalog.described(), catalog.allowed()) == once


@pytest.mark.parametrize("after", range(4))
def test_a_run_that_broke_off_is_mended_by_the_next(catalog: FakeCatalog, after: int) -> None:
    broken = AccessReconciler(Breaking(catalog.lake, "revoke_permissions", after), catalog.glue)
    with pytest.raises(ConnectionError):
        broken.apply(ENFORCE)
    whole = AccessReconciler(catalog.lake, catalog.glue)
    whole.apply(ENFORCE)
    assert catalog.allowed() == []
    whole.revert(ENFORCE)
    assert catalog.allowed() == ["", *TABLES], "what the first run took is known to the second"
    assert catalog.described()["CreateTableDefaultPermissions"] == IAM_DECIDES


@pytest.mark.parametrize("after", range(4))
def test_giving_back_that_broke_off_is_mended_too(catalog: FakeCatalog, after: int) -> None:
    AccessReconciler(catalog.lake, catalog.glue).apply(ENFORCE)
    with pytest.raises(ConnectionError):
        AccessReconciler(Breaking(catalog.lake, "grant_permissions", after), catalog.glue).revert(ENFORCE)
    AccessReconciler(catalog.lake, catalog.glue).revert(ENFORCE)
    assert catalog.allowed() == ["", *TABLES]
    assert RECORD not in catalog.described()["Parameters"]


def test_groups_are_opted_in_in_hybrid_mode_and_iam_keeps_its_grants(
    catalog: FakeCatalog, keeper: AccessReconciler
) -> None:
    wanted = Wanted(NAME, "hybrid", [OptIn(ANA, ["*"]), OptIn(BEN, ["a", "b_lines"])])
    for _ in range(2):
        keeper.apply(wanted)
        assert catalog.opted_in() == [(ANA, ""), (ANA, "*"), (BEN, ""), (BEN, "a"), (BEN, "b_lines")]
    assert catalog.allowed() == ["", *TABLES]


def test_an_opt_in_that_is_no_longer_declared_goes(catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    before = [OptIn(ANA, ["*"]), OptIn(BEN, ["a", "b_lines", "a_lines"])]
    keeper.apply(Wanted(NAME, "hybrid", before))
    keeper.apply(Wanted(NAME, "hybrid", [OptIn(BEN, ["a"])]), before)
    assert catalog.opted_in() == [(BEN, ""), (BEN, "a")]


def test_going_over_to_enforce_and_back(catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    hybrid = Wanted(NAME, "hybrid", [OptIn(BEN, ["a"])])
    keeper.apply(hybrid)
    keeper.apply(ENFORCE, hybrid.opt_ins)
    assert (catalog.allowed(), catalog.opted_in()) == ([], [])
    keeper.apply(hybrid, [])
    assert (catalog.allowed(), catalog.opted_in()) == (["", *TABLES], [(BEN, ""), (BEN, "a")])


def test_leaving_takes_the_opt_ins_along_and_those_of_others_stay(
    catalog: FakeCatalog, keeper: AccessReconciler
) -> None:
    hybrid = Wanted(NAME, "hybrid", [OptIn(BEN, ["a"])])
    keeper.apply(hybrid)
    theirs = {"Principal": {"DataLakePrincipalIdentifier": BEN}, "Resource": {"Database": {"Name": "theirs"}}}
    catalog.lake.create_lake_formation_opt_in(**theirs)
    keeper.revert(hybrid)
    assert catalog.opted_in() == [(BEN, "")]


def test_leaving_a_database_that_is_gone_is_well(catalog: FakeCatalog, keeper: AccessReconciler) -> None:
    keeper.apply(ENFORCE)
    catalog.glue.delete_database(Name=NAME)
    keeper.revert(ENFORCE)
