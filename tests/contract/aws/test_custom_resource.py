"""A custom resource: CloudFormation's requests as it sends them, and the answer that it gets whatever happens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from option_a.aws.lakeformation.custom_resource import CustomResource, put
from option_a.aws.lakeformation.reconciler import OptIn, Wanted
from tests.support.apis.http_server import Exchange, Server, reply

EVENT = {
    "RequestType": "Create",
    "ResponseURL": "https://cloudformation.example/answer",
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/ours/1",
    "RequestId": "r-1",
    "LogicalResourceId": "Access",
    "ResourceType": "Custom::OptionAAccess",
    "ResourceProperties": {
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:keeper",
        "ServiceTimeout": "900",
        "Database": "ours",
        "Mode": "hybrid",
        "OptIns": [{"Principal": "arn:ana", "Tables": ["*"]}],
        "Seen": "59b94a24191c2f3e",
    },
}
WANTED = Wanted("ours", "hybrid", [OptIn("arn:ana", ["*"])])


class Plays:
    """A keeper that remembers what it was asked, and the other ends of the wire."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[Any] = []
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.logged: list[str] = []
        self.failure = failure
        self.resource = CustomResource(lambda: self, self.logged.append, self.send)  # type: ignore[arg-type, return-value]

    def apply(self, wanted: Wanted, before: list[OptIn]) -> None:
        self.asked.append((wanted, before))
        if self.failure:
            raise self.failure

    def revert(self, wanted: Wanted) -> None:
        self.asked.append(wanted)

    def send(self, url: str, body: bytes) -> None:
        self.sent.append((url, msgspec.json.decode(body)))


def test_creating_settles_and_says_so() -> None:
    plays = Plays()
    answer = plays.resource(EVENT)
    assert plays.asked == [(WANTED, [])]
    assert plays.sent == [(EVENT["ResponseURL"], answer)]
    assert answer == {
        "Status": "SUCCESS", "PhysicalResourceId": "Access", "LogicalResourceId": "Access", "RequestId": "r-1",
        "StackId": EVENT["StackId"],
    }  # fmt: skip


def test_updating_knows_what_was_before_and_stays_the_same_resource() -> None:
    plays = Plays()
    old = {"Database": "ours", "Mode": "hybrid", "OptIns": [{"Principal": "arn:ben", "Tables": ["a"]}]}
    answer = plays.resource(
        EVENT | {"RequestType": "Update", "PhysicalResourceId": "Access", "OldResourceProperties": old}
    )
    assert plays.asked == [(WANTED, [OptIn("arn:ben", ["a"])])]
    assert answer["PhysicalResourceId"] == "Access"


def test_deleting_leaves() -> None:
    plays = Plays()
    assert plays.resource(EVENT | {"RequestType": "Delete"})["Status"] == "SUCCESS"
    assert plays.asked == [WANTED]


@pytest.mark.parametrize(
    "event",
    [
        EVENT,
        EVENT | {"ResourceProperties": {"Database": "ours", "Mode": "sometimes"}},
        EVENT | {"ResourceProperties": {}},
    ],
)
def test_whatever_happens_cloudformation_hears_of_it(event: dict[str, Any]) -> None:
    plays = Plays(ConnectionError("x" * 10_000))
    answer = plays.resource(event)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("access to the lake is not as declared: ")
    assert plays.sent == [(EVENT["ResponseURL"], answer)]
    assert len(msgspec.json.encode(answer)) < 4_096
    assert plays.logged == [answer["Reason"]]


def test_the_answer_is_put_as_cloudformation_asks_for_it() -> None:
    seen: list[dict[str, str]] = []

    def accept(exchange: Exchange) -> None:
        seen.append(exchange.headers)
        exchange.send(reply(b"", 200))

    with Server(accept) as server:
        put(f"{server.url}/answer?signature=x", b'{"Status": "SUCCESS"}')
    assert server.targets == ["/answer?signature=x"]
    assert seen[0]["content-type"] == ""
    assert seen[0]["content-length"] == "21"
