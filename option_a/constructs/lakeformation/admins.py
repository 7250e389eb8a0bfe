"""The administrators of Lake Formation: a small stack that outlives the pipeline's."""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct

from option_a.constructs.switches import Switches

_LAMBDA = "lambda.amazonaws.com"


class AdministratorsStack(Stack):
    """Adds three administrators to those of the account: the deployer, the keeper, and the one for emergencies.

    They stay when the stack goes. An administrator whose role is gone blocks every later change of the settings, and a
    database of which nobody is administrator may be dropped by nobody.
    """

    def __init__(self, scope: Construct, id: str, *, switches: Switches) -> None:
        super().__init__(scope, id, description="Option A: who administers Lake Formation; outlives the pipeline")
        keeper = iam.Role(
            self,
            "Keeper",
            assumed_by=iam.ServicePrincipal(_LAMBDA),
            description="Keeps access to the lake as declared; has no rights while the pipeline is not deployed",
        )
        keeper.apply_removal_policy(RemovalPolicy.RETAIN)
        given = [switches.lakeFormationAdmin] if switches.lakeFormationAdmin else []
        lakeformation.CfnDataLakeSettings(
            self,
            "Settings",
            # REPLACE would take the office from every other administrator of the account
            mutation_type="APPEND",
            admins=[
                lakeformation.CfnDataLakeSettings.DataLakePrincipalProperty(data_lake_principal_identifier=arn)
                for arn in [executor(self), keeper.role_arn, *given]
            ],
        ).apply_removal_policy(RemovalPolicy.RETAIN)
        for name, value in {"KeeperRoleName": keeper.role_name, "KeeperRoleArn": keeper.role_arn}.items():
            CfnOutput(self, name, value=value, export_name=exported(switches, name)).override_logical_id(name)
        CfnOutput(self, "Executor", value=executor(self), description="What CloudFormation deploys with")


def administrators_name(switches: Switches) -> str:
    """What the stack is called."""
    return f"{switches.stack}-Administrators"


def exported(switches: Switches, name: str) -> str:
    """The name by which the pipeline's stack imports what this one has: it cannot go before the other."""
    return f"{administrators_name(switches)}-{name}"


def executor(stack: Stack) -> str:
    """The ARN of the role that CloudFormation deploys a stack with."""
    synthesizer = cast(DefaultStackSynthesizer, stack.synthesizer)
    return Fn.sub(synthesizer.cloud_formation_execution_role_arn)
