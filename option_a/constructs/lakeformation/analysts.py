"""A group of analysts: its role, its workgroup, and what IAM lets it do. What it sees is Lake Formation's to say."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_athena as athena
from aws_cdk import aws_iam as iam
from constructs import Construct

from option_a.constructs import roles as access
from option_a.constructs.athena import configuration
from option_a.constructs.catalog import Catalog
from option_a.constructs.lake import Lake
from option_a.constructs.lakeformation.statements import listing
from option_a.constructs.switches import Switches
from option_a.lakeformation.groups import Account, Group, IdentityCenter, Principals, Who

ANALYSTS = "analysts"
"""Where the results of groups are, in the bucket of results."""
_ASK = [
    "athena:BatchGetQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "athena:GetWorkGroup",
    "athena:ListQueryExecutions",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
]
_ELSEWHERE = [*_ASK, "athena:Create*", "athena:Delete*", "athena:Start*", "athena:Update*"]
_CONSOLE = ["athena:ListDataCatalogs", "athena:ListEngineVersions", "athena:ListWorkGroups"]
_LOOK = ["athena:GetDatabase", "athena:GetDataCatalog", "athena:GetTableMetadata", "athena:ListDatabases",
         "athena:ListTableMetadata"]  # fmt: skip
_CATALOG = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable",
            "glue:GetTables", "glue:BatchGetPartition"]  # fmt: skip
_OBJECTS = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]


def workgroup_name(stack: str, group: str) -> str:
    """The workgroup of a group."""
    return f"{stack}-{group}"


class Analysts(Construct):
    """One group. `tables` are those that it may ask Glue for, None for all of the database."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        group: Group,
        tables: list[str] | None,
        lake: Lake,
        catalog: Catalog,
        switches: Switches,
    ) -> None:
        super().__init__(scope, id)
        self.group, self.results = group.name, f"{ANALYSTS}/{group.name}"
        self._lake, self._catalog = lake, catalog
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=workgroup_name(switches.stack, group.name),
            description=f"Option A: the queries of the group {group.name}",
            recursive_delete_option=True,
            work_group_configuration=configuration(lake, switches, f"{self.results}/"),
        )
        own = access.arn("athena", f"workgroup/{self.workgroup.name}")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=_trust(group.who),
            description=f"The group {group.name}: queries what Lake Formation lets it see",
            inline_policies={
                "Queries": iam.PolicyDocument(statements=self._queries(own)),
                "Catalog": iam.PolicyDocument(statements=self._lookups(tables)),
                "Results": iam.PolicyDocument(statements=self._objects()),
            },
        )

    def _queries(self, own: str) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(actions=_ASK, resources=[own]),
            iam.PolicyStatement(actions=_LOOK, resources=[access.arn("athena", "datacatalog/AwsDataCatalog")]),
            iam.PolicyStatement(actions=_CONSOLE, resources=["*"]),
            iam.PolicyStatement(
                sid="NoOtherWorkgroup", effect=iam.Effect.DENY, actions=_ELSEWHERE, not_resources=[own]
            ),
        ]

    def _lookups(self, tables: list[str] | None) -> list[iam.PolicyStatement]:
        name = self._catalog.name
        mine = ["*"] if tables is None else tables
        places = ["catalog", f"database/{name}", *(f"table/{name}/{table}" for table in mine)]
        return [
            iam.PolicyStatement(actions=_CATALOG, resources=[access.arn("glue", place) for place in places]),
            iam.PolicyStatement(actions=["lakeformation:GetDataAccess"], resources=["*"]),
        ]

    def _objects(self) -> list[iam.PolicyStatement]:
        bucket = self._lake.results
        own = bucket.arn_for_objects(f"{self.results}/*")
        return [
            iam.PolicyStatement(actions=_OBJECTS, resources=[own]),
            iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn]),
            listing(bucket, self.results),
            iam.PolicyStatement(
                sid="NoOtherObjects",
                effect=iam.Effect.DENY,
                actions=["s3:*"],
                not_resources=[bucket.bucket_arn, own],
            ),
        ]


def _trust(who: Who) -> iam.IPrincipal:
    match who:
        case Account():
            return iam.AccountRootPrincipal()
        case Principals(arns):
            return iam.CompositePrincipal(*(iam.ArnPrincipal(arn) for arn in arns))
        case IdentityCenter(permission_set):
            # the roles of a permission set, whichever region it is kept in; the ending is Identity Center's own
            place = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/aws-reserved/sso.amazonaws.com"
            mine = [f"{place}/{middle}AWSReservedSSO_{permission_set}_????????????????" for middle in ("", "*/")]
            return iam.AccountRootPrincipal().with_conditions({"ArnLike": {"aws:PrincipalArn": mine}})
        case _:
            asked = {"SAML:aud": "https://signin.aws.amazon.com/saml", **who.attributes}
            return iam.FederatedPrincipal(who.provider, {"StringEquals": asked}, "sts:AssumeRoleWithSAML")
