"""Reads a synthesized template as CloudFormation would, resolving references and functions, for tests of the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.aws.moto import ACCOUNT, REGION

_PSEUDO = {
    "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}  # fmt: skip
_APART = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
_NAMED = {
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::Role": "RoleName",
}
_ARNS = {
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
}


class CfnTemplate:
    """One stack's template, decoded."""

    def __init__(self, document: Mapping[str, Any], stack: str) -> None:
        self.document, self.stack = document, stack
        self.resources: Mapping[str, Any] = document["Resources"]

    def of_type(self, kind: str) -> dict[str, Any]:
        """The resolved properties of the resources of a type, by logical id."""
        found = {name: item for name, item in self.resources.items() if item["Type"] == kind}
        return {name: self.resolve(item.get("Properties", {})) for name, item in found.items()}

    def outputs(self) -> dict[str, str]:
        """The stack's resolved outputs."""
        return {name: self.resolve(item["Value"]) for name, item in self.document.get("Outputs", {}).items()}

    def policies_of(self, function: str) -> list[Mapping[str, Any]]:
        """Every policy document of a function's role, given the function's logical id."""
        [role] = [
            name for name in self.resources
            if self.resources[function]["Properties"]["Role"] == {"Fn::GetAtt": [name, "Arn"]}
        ]  # fmt: skip
        own = self.resolve(self.resources[role]["Properties"].get("Policies", []))
        apart = [
            self.resolve(item["Properties"]) for item in self.resources.values()
            if item["Type"] in _APART and {"Ref": role} in item["Properties"]["Roles"]
        ]  # fmt: skip
        return [policy["PolicyDocument"] for policy in (*own, *apart)]

    def resolve(self, value: Any) -> Any:
        """The value with all references resolved. Raises NotImplementedError for an unknown intrinsic function."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        return {key: self.resolve(item) for key, item in value.items()}

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Fn::GetAtt":
            return self._attribute(*(argument if isinstance(argument, list) else argument.split(".", 1)))
        if name == "Fn::Join":
            return str(argument[0]).join(str(self.resolve(part)) for part in argument[1])
        if name == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda match: str(self._variable(match[1])), argument)
        if name == "Fn::Select":
            return self.resolve(argument[1])[int(argument[0])]
        if name == "Fn::Split":
            return self.resolve(argument[1]).split(argument[0])
        raise NotImplementedError(f"{name}: {argument}")

    def _variable(self, name: str) -> Any:
        return self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)

    def _ref(self, name: str) -> Any:
        if name == "AWS::StackName":
            return self.stack
        if name in _PSEUDO:
            return _PSEUDO[name]
        if self.resources[name]["Type"] == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._name(name)}"
        return self._arn(name) if self.resources[name]["Type"] == "AWS::SNS::Topic" else self._name(name)

    def _attribute(self, name: str, attribute: str) -> Any:
        return self._arn(name) if attribute in ("Arn", "TopicArn") else self._name(name)

    def _arn(self, name: str) -> str:
        return _ARNS[self.resources[name]["Type"]].format(self._name(name))

    def _name(self, name: str) -> str:
        """The declared name, or else the logical id in lower case."""
        item = self.resources[name]
        given = item.get("Properties", {}).get(_NAMED.get(item["Type"], ""))
        return str(self.resolve(given)) if given is not None else name.lower()

    def statements(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every statement of every policy, with the logical id of the resource that contains it."""
        for name, item in self.resources.items():
            properties = self.resolve(item.get("Properties", {})) if item["Type"].startswith("AWS::IAM::") else {}
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            for document in documents:
                yield from ((name, statement) for statement in document["Statement"])
