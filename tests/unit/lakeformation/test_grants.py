"""What groups are granted, over access.toml files made up at random: what they were given, no more and no less."""

from __future__ import annotations

from typing import get_args

from hypothesis import given

from option_a.ingest.config.read import Sources, read_sources
from option_a.lakeformation import grants as said
from option_a.lakeformation.grants import AllTables, Cells, Columns, Database, Grant, Location, Table
from option_a.lakeformation.read import read_access
from tests.support.aws.access_cases import DAY, AccessCase, access_cases, athena_name, is_limited

MODES = [mode for mode in get_args(said.Mode) if mode != "off"]


def seen(case: AccessCase, grant: Grant) -> set[tuple[str, str]]:
    """The columns that a grant shows, as Lake Formation has it."""
    whole = {name: {*(athena_name(key) for key in keys), DAY} for name, keys in case.columns.items()}
    views = {name.replace("-", "_"): name for name in case.columns}
    match grant.resource:
        case AllTables():
            return {(source, column) for source, there in whole.items() for column in there}
        case Table(name):
            source = views[name.removesuffix("_lines")]
            return {(source, column) for column in whole[source]}
        case Columns() | Cells(columns=Columns()):
            some = grant.resource.columns if isinstance(grant.resource, Cells) else grant.resource
            source = views[some.table]
            there = whole[source] - {*some.hidden} if some.names is None else whole[source] & {*some.names}
            return {(source, column) for column in there}
    return set()


@given(access_cases())
def test_a_group_is_granted_what_it_was_given_no_more_and_no_less(case: AccessCase) -> None:
    groups = case.read()
    for mode in MODES:
        every = said.permissions(groups, case.sources, mode)
        for name in groups:
            mine = [grant for grant in every if said.group_of(grant.who) == name and grant.permissions == ("SELECT",)]
            assert set().union(*(seen(case, grant) for grant in mine)) == case.may_see(name)


@given(access_cases())
def test_a_limited_group_gets_typed_tables_alone(case: AccessCase) -> None:
    groups = case.read()
    for name, group in groups.items():
        for grant in said.group_permissions(group, case.sources):
            if is_limited(group):
                assert not isinstance(grant.resource, AllTables)
                assert not (isinstance(grant.resource, Table) and grant.resource.name.endswith("_lines")), name
            if isinstance(grant.resource, Cells):
                assert grant.resource.rows == group.rows


@given(access_cases())
def test_what_iam_lets_a_group_ask_for_is_what_it_is_granted(case: AccessCase) -> None:
    for group in case.read().values():
        granted = [grant.resource for grant in said.group_permissions(group, case.sources)]
        tables = {
            resource.columns.table
            if isinstance(resource, Cells)
            else resource.table
            if isinstance(resource, Columns)
            else resource.name
            for resource in granted
            if isinstance(resource, Cells | Columns | Table)
        }
        mine = said.tables(group, case.sources)
        assert (mine is None) == (AllTables() in granted)
        assert mine is None or {*mine} == tables


@given(access_cases())
def test_a_group_is_opted_in_to_what_it_is_granted_in_hybrid_mode_alone(case: AccessCase) -> None:
    groups = case.read()
    for name, group in groups.items():
        mine = {one.resource for one in said.opt_ins(groups, case.sources, "hybrid") if said.group_of(one.who) == name}
        tables = said.tables(group, case.sources)
        assert mine == {Database(), *([AllTables()] if tables is None else map(Table, tables))}
    assert said.opt_ins(groups, case.sources, "enforce") == []


@given(access_cases())
def test_a_group_has_nothing_but_select_and_the_names_of_the_database(case: AccessCase) -> None:
    for grant in said.permissions(case.read(), case.sources, "enforce"):
        if said.group_of(grant.who) is not None:
            assert grant.permissions == (("DESCRIBE",) if grant.resource == Database() else ("SELECT",))


@given(access_cases())
def test_no_grant_is_told_twice(case: AccessCase) -> None:
    every = said.permissions(case.read(), case.sources, "enforce")
    assert len({(grant.who, grant.resource) for grant in every}) == len(every)


def test_off_means_nothing() -> None:
    sources = four()
    groups = read_access(None, sources)
    assert said.permissions(groups, sources, "off") == []
    assert said.opt_ins(groups, sources, "off") == []


def test_the_pipeline_may_make_change_and_drop_and_read_nothing() -> None:
    sources = four()
    own = [
        one for one in said.permissions(read_access(None, sources), sources, "enforce") if not said.group_of(one.who)
    ]
    assert {(one.who, type(one.resource).__name__): one.permissions for one in own} == {
        ("executor", "Database"): ("ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"),
        ("executor", "AllTables"): ("ALTER", "DESCRIBE", "DROP"),
        ("executor", "Location"): ("DATA_LOCATION_ACCESS",),
        ("crawler", "Database"): ("CREATE_TABLE", "DESCRIBE"),
        ("crawler", "AllTables"): ("ALTER", "DESCRIBE"),
        ("crawler", "Location"): ("DATA_LOCATION_ACCESS",),
        ("keeper", "Database"): ("ALTER", "DESCRIBE"),
    }
    assert {type(one.resource) for one in own} == {Database, AllTables, Location}


def test_the_default_groups_see_all_and_two() -> None:
    sources = four()
    groups = read_access(None, sources)
    assert said.tables(groups["analysts-all"], sources) is None
    assert said.tables(groups["analysts-limited"], sources) == ["api_a_lines", "api_b_lines"]


def four() -> Sources:
    return read_sources(None, {})
