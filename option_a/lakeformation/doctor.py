"""What is missing, or wrong, in an account, and the command that mends it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from option_a.ingest.config import Source
from option_a.lakeformation import fixes as commands
from option_a.lakeformation import granted as answers
from option_a.lakeformation.account import AccountFacts, Governed
from option_a.lakeformation.granted import by_iam, who, words
from option_a.lakeformation.grants import Cells, opt_ins, permissions
from option_a.lakeformation.groups import Groups

State = Literal["ok", "note", "missing", "wrong"]
_ADMINISTRATOR = "AdministratorAccess"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. What is `missing` or `wrong` has a way to mend it."""

    about: str
    state: State
    what: str
    fix: str = msgspec.field(default="", name="mend")  # the key of --json


def diagnose(facts: AccountFacts, stack: str, groups: Groups, sources: Mapping[str, Source]) -> list[Finding]:
    """Everything that was looked at, in the order in which it is to be mended."""
    found = [*_caller(facts), *_administrators(facts), *_executor(facts, stack), *_defaults(facts)]
    if facts.stack is None:
        what = f"the stack {stack} is not deployed with Lake Formation"
        return [*found, Finding("stack", "note", what, _deploy(stack, "hybrid"))]
    principals = answers.principals(facts.stack, {name: group.logical_id for name, group in groups.items()})
    return [
        *found,
        Finding("stack", "ok", f"the stack {stack} is deployed in the mode {facts.stack.mode}"),
        *_location(facts, facts.stack, stack),
        *_grants(facts, facts.stack, groups, sources, principals),
        *_filters(facts, facts.stack, groups, sources),
        *_iam(facts, facts.stack, stack),
        *_opt_ins(facts.stack, groups, sources, principals),
    ]


def _caller(facts: AccountFacts) -> Iterator[Finding]:
    mine = facts.caller.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/").split("/")
    admins = {(arn.split(":")[-1].split("/")[0], arn.split("/")[-1]) for arn in facts.administrators}
    if (mine[0].split(":")[-1], mine[1] if len(mine) > 1 else "") in admins:
        yield Finding("you", "ok", f"{facts.caller} is an administrator of Lake Formation")
    else:
        yield Finding(
            "you", "note", f"{facts.caller} is not an administrator: only the grants that you may see are listed"
        )


def _administrators(facts: AccountFacts) -> Iterator[Finding]:
    alive = [arn for arn in facts.administrators if arn not in facts.dead]
    for arn in facts.dead:
        what = f"{arn} is gone from IAM and still an administrator: every later change of the settings is refused"
        yield Finding("administrators", "wrong", what, commands.put_administrators(facts, alive))
    if not facts.dead:
        yield Finding("administrators", "ok", f"there are {len(alive)}, and IAM knows each of them")


def _executor(facts: AccountFacts, stack: str) -> Iterator[Finding]:
    if facts.executor_policies is None:
        what = f"the role {facts.executor} does not exist"
        yield Finding("executor", "missing", what, f"cdk bootstrap aws://{facts.account}/{facts.region}")
        return
    if facts.executor not in facts.administrators:
        alive = [arn for arn in facts.administrators if arn not in facts.dead]
        what = f"CloudFormation's role {facts.executor} is not an administrator of Lake Formation"
        # where there are some, one of them may have to add it; the first ones the deployment makes
        added = commands.put_administrators(facts, [*alive, facts.executor])
        yield Finding("executor", "missing", what, added if alive else _deploy(stack, "hybrid"))
    else:
        yield Finding("executor", "ok", "CloudFormation's role is an administrator of Lake Formation")
    if _ADMINISTRATOR not in facts.executor_policies:
        what = "CloudFormation's role has no AdministratorAccess: it needs lakeformation:*, glue:*, iam:PassRole too"
        yield Finding("executor", "note", what)


def _defaults(facts: AccountFacts) -> Iterator[Finding]:
    if by_iam(facts.settings.get("CreateDatabaseDefaultPermissions", [])):
        yield Finding("defaults", "ok", "new databases of the account are IAM's; Option A leaves that as it is")
        return
    yield Finding("defaults", "note", "new databases of the account are Lake Formation's: creating one needs a grant")
    may = {who(one) for one in facts.grants if "Catalog" in one["Resource"] and "CREATE_DATABASE" in one["Permissions"]}
    if facts.executor not in {*facts.administrators, *may} and answers.IAM_ALLOWED not in may:
        what = "CloudFormation's role may create no database"
        yield Finding("defaults", "missing", what, commands.create_database(facts.executor))


def _location(facts: AccountFacts, stack: Governed, name: str) -> Iterator[Finding]:
    again = _deploy(name, stack.mode)
    found = next((one for one in facts.locations if one["ResourceArn"] == stack.place), None)
    if found is None:
        yield Finding("location", "missing", f"{stack.place} is not registered", again)
    elif "AWSServiceRoleForLakeFormationDataAccess" in found.get("RoleArn", ""):
        what = f"{stack.place} is registered with the service-linked role, and not with the stack's own"
        yield Finding("location", "wrong", what, again)
    elif bool(found.get("HybridAccessEnabled")) is not (stack.mode == "hybrid") and "HybridAccessEnabled" in found:
        yield Finding("location", "wrong", f"{stack.place} is not registered in the mode {stack.mode}", again)
    else:
        yield Finding("location", "ok", f"{stack.place} is registered")


def _grants(
    facts: AccountFacts, stack: Governed, groups: Groups, sources: Mapping[str, Source], principals: Mapping[str, str]
) -> Iterator[Finding]:
    there = answers.current_grants(facts)
    declared: dict[answers.Key, set[str]] = {}
    for one in permissions(groups, sources, stack.mode):
        if one.who not in principals:
            continue
        key = principals[one.who], answers.comparable(one.resource)
        declared[key] = {*one.permissions}
        lacking = {*one.permissions} - there.get(key, set())
        if lacking:
            what = f"{one.who} lacks {', '.join(sorted(lacking))} on {words(one.resource)}"
            yield Finding("grants", "missing", what, commands.grant(one, principals[one.who], facts))
    for group in groups:
        if f"group:{group}" not in principals:
            yield Finding("grants", "missing", f"the group {group} is not deployed", "cdk deploy --all")
    yield from _undeclared(facts, stack, declared)


def _undeclared(facts: AccountFacts, stack: Governed, declared: Mapping[answers.Key, set[str]]) -> Iterator[Finding]:
    """What groups were given by somebody else, and who else was given something."""
    groups = {arn for name, arn in stack.principals.items() if name.startswith("Role")}
    for one in facts.grants:
        arn, resource = who(one), answers.read(one["Resource"])
        if resource is None or arn == answers.IAM_ALLOWED:
            continue
        more = {*one["Permissions"]} - declared.get((arn, resource), set())
        if arn in groups and more:
            what = f"{arn} has {', '.join(sorted(more))} on {words(resource)}, which access.toml does not give it"
            yield Finding("grants", "wrong", what, commands.revoke(one))
        elif arn not in stack.principals.values():
            yield Finding("grants", "note", f"{arn} has {', '.join(one['Permissions'])} on {words(resource)}")


def _filters(facts: AccountFacts, stack: Governed, groups: Groups, sources: Mapping[str, Source]) -> Iterator[Finding]:
    """A grant names its filter alone: what that lets through may have been changed by hand."""
    there = {(one.filter, one.columns.table): one for one in map(answers.let_through, stack.filters)}
    for grant in permissions(groups, sources, stack.mode):
        cells = grant.resource
        if not isinstance(cells, Cells):
            continue
        found = there.get((cells.filter, cells.columns.table))
        mend = commands.filter_cells(cells, stack.database, facts.account, there=found is not None)
        if found is None:
            yield Finding("filters", "missing", f"the filter {cells.filter} does not exist", mend)
        elif found != answers.let_through(commands.as_filter(cells, stack.database, facts.account)):
            what = f"the filter {cells.filter} lets through something else than access.toml says"
            yield Finding("filters", "wrong", what, mend)


def _iam(facts: AccountFacts, stack: Governed, name: str) -> Iterator[Finding]:
    if stack.mode != "enforce":
        return
    for one in facts.grants:
        if who(one) == answers.IAM_ALLOWED and "Catalog" not in one["Resource"]:
            what = f"IAM alone still decides of {words(answers.read(one['Resource']))}"
            yield Finding("enforce", "wrong", what, commands.revoke(one))
    if by_iam(stack.new_tables):
        what = f"IAM alone would decide of new tables of {stack.database}"
        yield Finding("enforce", "wrong", what, _deploy(name, stack.mode))


def _opt_ins(
    stack: Governed, groups: Groups, sources: Mapping[str, Source], principals: Mapping[str, str]
) -> Iterator[Finding]:
    there = {(who(one), answers.read(one["Resource"])) for one in stack.opt_ins}
    for one in opt_ins(groups, sources, stack.mode):
        if one.who in principals and (principals[one.who], one.resource) not in there:
            what = f"{one.who} is not opted in to {words(one.resource)}"
            mend = commands.opt_in(one, principals[one.who], stack.database)
            yield Finding("opt-ins", "missing", what, mend)


def _deploy(stack: str, mode: str) -> str:
    return f"cdk deploy --all -c stack={stack} -c lakeFormation={mode}"
