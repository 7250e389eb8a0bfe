"""A custom resource of CloudFormation: its requests, and the answer that it waits for, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import urllib3

from option_a.aws.lakeformation.reconciler import AccessReconciler, OptIn, Wanted

_LONGEST = 1_000
"""Characters of a reason: CloudFormation takes 4 KB of answer in all."""
_PATIENCE = 30.0

Put = Callable[[str, bytes], None]


def put(url: str, body: bytes) -> None:
    """Send an answer to the address that CloudFormation gave for it."""
    urllib3.request("PUT", url, body=body, headers={"Content-Type": ""}, timeout=_PATIENCE, retries=5)


class CustomResource:
    """Settles, or leaves, and says so. CloudFormation that hears nothing would wait for an hour."""

    def __init__(self, keeper: Callable[[], AccessReconciler], failed: Callable[[str], None], send: Put = put) -> None:
        self._keeper, self._failed, self._send = keeper, failed, send

    def __call__(self, event: Mapping[str, Any]) -> dict[str, str]:
        try:
            self._do(event)
        except Exception as error:  # whatever it is, CloudFormation has to hear of it
            reason = f"access to the lake is not as declared: {error}; the function's log has more"[:_LONGEST]
            self._failed(reason)
            return self._answer(event, Status="FAILED", Reason=reason)
        return self._answer(event, Status="SUCCESS")

    def _do(self, event: Mapping[str, Any]) -> None:
        wanted = msgspec.convert(event["ResourceProperties"], Wanted)
        if event["RequestType"] == "Delete":
            self._keeper().revert(wanted)
        else:
            before = event.get("OldResourceProperties", {}).get("OptIns", [])
            self._keeper().apply(wanted, msgspec.convert(before, list[OptIn]))

    def _answer(self, event: Mapping[str, Any], **details: str) -> dict[str, str]:
        ids = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
        # always the same: another id would be another resource, and CloudFormation would delete the first
        answer = {**ids, "PhysicalResourceId": event["LogicalResourceId"], **details}
        self._send(event["ResponseURL"], msgspec.json.encode(answer))
        return answer
