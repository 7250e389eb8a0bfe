"""Secrets of AWS Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from option_a.ingest.errors import SecretError, TransientError
from option_a.ingest.secrets import Reference

_PASSING = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded",
                      "ExpiredTokenException", "ExpiredToken"})  # fmt: skip
_PASSING_STATUS = frozenset({408, 429})


class ManagedSecrets:
    """Satisfies the `Secrets` port. The client is made when the first secret is read."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def __call__(self, wanted: Reference) -> str:
        if wanted.scheme != "aws-secret":
            raise SecretError(
                f"{wanted.scheme}:{wanted.name} exists on your machine only",
                hint="on AWS write aws-secret:NAME#key",
            )
        text = self._read(wanted.name)
        return text.strip() if wanted.key is None else _field(text, wanted.name, wanted.key)

    def _read(self, name: str) -> str:
        try:
            answer = self._client().get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if _passes(error, code):
                raise TransientError(f"the secret {name} cannot be read just now: {code}") from None
            hint = "make it, or mend its name and the right to read it; then option-a redrive"
            raise SecretError(f"the secret {name} cannot be read: {code}", hint=hint) from None
        except BotoCoreError as error:
            raise TransientError(f"the secret {name} cannot be read: {type(error).__name__}") from None
        text: str | None = answer.get("SecretString")
        if text is None:
            raise SecretError(f"the secret {name} is binary", hint="store it as text or as JSON")
        return text


def _passes(error: Any, code: str) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in _PASSING or status in _PASSING_STATUS or status >= 500


def _field(text: str, name: str, key: str) -> str:
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        value = None
    if not isinstance(value, str) or not value:
        raise SecretError(
            f"the secret {name} has no text value under `{key}`", hint="store JSON with that key, or leave out #key"
        )
    return value
