"""Grants as Lake Formation's resources: one permission set each, one to one with what `option_a.access` says."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct

from option_a.lakeformation.grants import (
    EXECUTOR,
    AllTables,
    Cells,
    Columns,
    Database,
    Grant,
    Location,
    Resource,
    Table,
)

_Permissions = lakeformation.CfnPrincipalPermissions
_Filter = lakeformation.CfnDataCellsFilter


class Grants(Construct):
    """Some grants; `principals` are the ARNs of who is named in them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        grants: list[Grant],
        principals: Mapping[str, str],
        database: str,
        place: str,
    ) -> None:
        super().__init__(scope, id)
        self._database, self._place = database, place
        for grant in grants:
            self._grant(grant, principals[grant.who])

    def _grant(self, grant: Grant, principal: str) -> None:
        made = _Permissions(
            self,
            _name(grant),
            catalog=Aws.ACCOUNT_ID,
            principal=_Permissions.DataLakePrincipalProperty(data_lake_principal_identifier=principal),
            resource=self._resource(grant.resource),
            permissions=list(grant.permissions),
            permissions_with_grant_option=[],
        )
        if grant.who == EXECUTOR and grant.resource != Location():
            # taken back before the tables are dropped, it would leave a database that nobody may drop
            made.apply_removal_policy(RemovalPolicy.RETAIN)
        if isinstance(grant.resource, Cells):
            made.add_resource_dependency(self._filter(grant.resource))

    def _resource(self, resource: Resource) -> lakeformation.CfnPrincipalPermissions.ResourceProperty:
        catalog = Aws.ACCOUNT_ID
        match resource:
            case Database():
                database = _Permissions.DatabaseResourceProperty(catalog_id=catalog, name=self._database)
                return _Permissions.ResourceProperty(database=database)
            case AllTables():
                every = _Permissions.TableResourceProperty(
                    catalog_id=catalog, database_name=self._database, table_wildcard={}
                )
                return _Permissions.ResourceProperty(table=every)
            case Table(name):
                table = _Permissions.TableResourceProperty(catalog_id=catalog, database_name=self._database, name=name)
                return _Permissions.ResourceProperty(table=table)
            case Columns():
                return _Permissions.ResourceProperty(table_with_columns=self._columns(resource))
            case Cells():
                cells = _Permissions.DataCellsFilterResourceProperty(
                    table_catalog_id=catalog,
                    database_name=self._database,
                    table_name=resource.columns.table,
                    name=resource.filter,
                )
                return _Permissions.ResourceProperty(data_cells_filter=cells)
            case Location():
                place = _Permissions.DataLocationResourceProperty(catalog_id=catalog, resource_arn=self._place)
                return _Permissions.ResourceProperty(data_location=place)

    def _columns(self, some: Columns) -> lakeformation.CfnPrincipalPermissions.TableWithColumnsResourceProperty:
        hidden = _Permissions.ColumnWildcardProperty(excluded_column_names=list(some.hidden))
        return _Permissions.TableWithColumnsResourceProperty(
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self._database,
            name=some.table,
            column_names=None if some.names is None else list(some.names),
            column_wildcard=hidden if some.names is None else None,
        )

    def _filter(self, cells: Cells) -> lakeformation.CfnDataCellsFilter:
        some = cells.columns
        hidden = _Filter.ColumnWildcardProperty(excluded_column_names=list(some.hidden))
        return _Filter(
            self,
            f"{some.table}-filter",
            table_catalog_id=Aws.ACCOUNT_ID,
            database_name=self._database,
            table_name=some.table,
            name=cells.filter,
            row_filter=_Filter.RowFilterProperty(filter_expression=cells.rows),
            column_names=None if some.names is None else list(some.names),
            column_wildcard=hidden if some.names is None else None,
        )


def _name(grant: Grant) -> str:
    """The construct's name: of the principal and the resource, so that a grant that comes or goes moves no other."""
    match grant.resource:
        case Table(name) | Columns(name):
            return f"{grant.who}-{name}"
        case Cells(filter=name):
            return f"{grant.who}-{name}-cells"
        case other:
            return f"{grant.who}-{type(other).__name__}"
