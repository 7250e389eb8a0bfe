"""Secrets as one machine has them: variables of the environment and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from option_a.ingest.errors import SecretError
from option_a.ingest.ports import Secrets
from option_a.ingest.secrets import Reference


class LocalSecrets:
    """Satisfies the `Secrets` port; `elsewhere` reads those of AWS Secrets Manager, where boto3 is installed."""

    def __init__(self, env: Mapping[str, str], elsewhere: Secrets) -> None:
        self._env, self._elsewhere = env, elsewhere

    def __call__(self, wanted: Reference) -> str:
        if wanted.scheme == "env":
            return self._variable(wanted.name)
        return _file(wanted.name) if wanted.scheme == "file" else self._elsewhere(wanted)

    def _variable(self, name: str) -> str:
        value = self._env.get(name, "").strip()
        if not value:
            raise SecretError(f"the environment has no {name}", hint=f"export {name}=…, then option-a redrive")
        return value


def _file(name: str) -> str:
    try:
        value = Path(name).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SecretError(f"the file {name} cannot be read: {why}", hint="fix it, then option-a redrive") from None
    if not value:
        raise SecretError(f"the file {name} is empty", hint="write the secret into it, then option-a redrive")
    return value
