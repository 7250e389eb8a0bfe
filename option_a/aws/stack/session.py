"""The person's own way to AWS: their profile, region and credentials, and what AWS refuses in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from option_a.aws.secrets import ManagedSecrets
from option_a.ingest.errors import AwsError, ConfigError, OptionAError
from option_a.ingest.ports import Secrets

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
                      "SignatureDoesNotMatch", "IncompleteSignature"})  # fmt: skip
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded",
                        "RequestThrottled", "SlowDown"})  # fmt: skip
_LOG_IN = "log in again: aws sso login, or new keys"
_WAYS = "aws configure, aws sso login, or AWS_PROFILE"
_PATIENT = {"retries": {"mode": "standard"}, "connect_timeout": 10, "read_timeout": 60}


class Session:
    """Clients with one set of credentials, made when they are first used."""

    def __init__(self, region: str | None = None) -> None:
        with aws_errors("begin"):
            self.boto: Any = boto3.Session(region_name=region or None)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service. Raises ConfigError where there is no region."""
        if service not in self._clients:
            with aws_errors(f"reach {service}"):
                self._clients[service] = self.boto.client(service, config=Config(**_PATIENT, max_pool_connections=32))
        return self._clients[service]


@contextmanager
def aws_errors(verb: str) -> Iterator[None]:
    """What AWS, or the way to it, refuses: a ConfigError or an AwsError of one line."""
    try:
        yield
    except ClientError as error:
        raise _refused(verb, error) from None
    except BotoCoreError as error:
        raise _unreached(verb, error) from None


def code(error: ClientError) -> str:
    """The short name that AWS gives its refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))


@cache
def secrets(region: str | None) -> Secrets:
    """The secrets that this person may read."""
    return ManagedSecrets(cache(lambda: Session(region).client("secretsmanager")))


def _refused(verb: str, error: ClientError) -> AwsError:
    reason, action = code(error), error.operation_name
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    what = f"cannot {verb}: {message or reason} ({reason}, {action})"
    if reason in _EXPIRED:
        return AwsError(what, hint=_LOG_IN)
    if reason in _UNKNOWN:
        return AwsError(what, hint=f"AWS does not know these credentials: {_WAYS}")
    if reason in _DENIED:
        return AwsError(what, hint=f"ask for permission to {action}; docs/aws.md lists what the commands need")
    if reason in _THROTTLED:
        return AwsError(what, hint="AWS throttles requests: try again in a minute")
    return AwsError(what, hint="nothing was lost: fix it and try again")


def _unreached(verb: str, error: BotoCoreError) -> OptionAError:
    what = " ".join(str(error).split())
    if isinstance(error, NoRegionError):
        return ConfigError("no AWS region is set", hint="export AWS_REGION=…, or aws configure")
    if isinstance(error, ProfileNotFound):
        return ConfigError(f"AWS: {what}", hint="aws configure list-profiles lists them")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return ConfigError(f"no AWS credentials: {what}", hint=_WAYS)
    if isinstance(error, SSOError | TokenRetrievalError):
        return AwsError(f"cannot {verb}: {what}", hint=_LOG_IN)
    return AwsError(f"cannot {verb}: {what}", hint="check the region, the network and the proxy")
