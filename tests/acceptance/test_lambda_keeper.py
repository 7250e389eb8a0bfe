"""The keeper as it is deployed, under Lambda's own runtime: what CloudFormation sends, and what it is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.aws.lakeformation_opt_ins import FakeCatalog
from tests.support.aws.lambda_runtime import LambdaFunction
from tests.support.aws.moto import MotoServer

ANA = "arn:aws:iam::123456789012:role/ana"


class CloudFormation:
    """Asks for a resource, and waits for the answer at an address of its own."""

    def __init__(self, server: MotoServer, asset: Path, runtime: Path) -> None:
        self.heard = 0
        self.function = LambdaFunction(
            asset, "keeper.handler", {**server.env, "POWERTOOLS_SERVICE_NAME": "ours", "AWS_XRAY_SDK_ENABLED": "false"},
            runtime=runtime,
        )  # fmt: skip

    def hear(self, exchange: Exchange) -> None:
        self.heard += 1
        exchange.send(reply(b"", 200))

    def ask(self, kind: str, url: str, wanted: dict[str, Any], **more: Any) -> Any:
        event = {
            "RequestType": kind, "ResponseURL": f"{url}/answer", "StackId": "arn:stack", "RequestId": "r",
            "LogicalResourceId": "Access", "ResourceType": "Custom::OptionAAccess",
            "ResourceProperties": {"ServiceToken": "arn:keeper", **wanted}, **more,
        }  # fmt: skip
        return self.function.invoke(event)


@pytest.fixture(scope="module")
def cloudformation(server: MotoServer, asset: Path, runtime: Path) -> Iterator[CloudFormation]:
    made = CloudFormation(server, asset, runtime)
    with made.function:
        yield made


def test_it_settles_changes_and_leaves(server: MotoServer, cloudformation: CloudFormation) -> None:
    catalog = FakeCatalog(server, "ours")
    catalog.make("a")
    hybrid = {"Database": "ours", "Mode": "hybrid", "OptIns": [{"Principal": ANA, "Tables": ["a"]}], "Seen": "1"}
    enforce = {"Database": "ours", "Mode": "enforce", "OptIns": [], "Seen": "2"}
    with Server(cloudformation.hear) as there:
        assert cloudformation.ask("Create", there.url, hybrid)["Status"] == "SUCCESS"
        assert (catalog.allowed(), catalog.opted_in()) == (["", "a"], [(ANA, ""), (ANA, "a")])
        told = cloudformation.ask("Update", there.url, enforce, OldResourceProperties=hybrid)
        assert told["Status"] == "SUCCESS"
        assert (catalog.allowed(), catalog.opted_in()) == ([], [])
        assert cloudformation.ask("Delete", there.url, enforce)["Status"] == "SUCCESS"
        assert catalog.allowed() == ["", "a"]
    assert cloudformation.heard == 3


def test_a_failure_is_told_and_is_no_silence(cloudformation: CloudFormation) -> None:
    with Server(cloudformation.hear) as there:
        told = cloudformation.ask("Create", there.url, {"Database": "nowhere", "Mode": "enforce", "OptIns": []})
    assert told["Status"] == "FAILED"
    assert "EntityNotFoundException" in json.dumps(told)
