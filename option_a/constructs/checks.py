"""What is refused before anything is deployed, because it would fail on AWS where nobody is looking. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from option_a.constructs import typed
from option_a.constructs.catalog import CRAWLED
from option_a.constructs.roles import secret_names
from option_a.ingest.config import Source
from option_a.ingest.errors import ConfigError
from option_a.ingest.http import is_loopback
from option_a.ingest.secrets import reference
from option_a.names import text_table

LONGEST_TIMEOUT = 400.0
LONGEST_ENDPOINT_MAP = 3_000
LONGEST_SECRETS = 6_000
"""Characters of a role's inline policy (of 10,240 in all) that the ARNs of secrets may take."""
_ARN = 80
"""Characters of an ARN beside the secret's name."""
# neither * nor ?: the role may read what this names
_SECRET = re.compile(r"(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}")
PASSED_ON = ("USE_REAL_HTTP", "ENDPOINT_MAP")


def check(sources: Sequence[Source]) -> None:
    """Raises ConfigError for the first thing of the sources that cannot work."""
    for source in sources:
        _check_secrets(source)
        _check_network(source)
        if source.timeout > LONGEST_TIMEOUT:
            raise ConfigError(
                f"[sources.{source.name}]: `timeout` is {source.timeout:g} s, and a Lambda has 900 for everything",
                hint=f"write {LONGEST_TIMEOUT:g} or less",
            )
        typed.columns(source)
    _check_tables(sources)
    _check_length(secret_names(sources))


def check_reserved(sources: Iterable[Source], reserved: int | None) -> None:
    """Raises ConfigError where fewer are reserved than the sources may have at once."""
    least = sum(source.concurrency for source in sources)
    if reserved is not None and reserved < least:
        raise ConfigError(
            f"-c reservedConcurrency={reserved} is less than the sum of the sources' `concurrency`, {least}: "
            "throttled tasks would end as dead letters",
            hint=f"give {least} or more, or lower `concurrency` in sources.toml",
        )


def function_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What of the deployer's environment the functions get. Raises ConfigError for what Lambda would not take."""
    given = {name: env[name].strip() for name in PASSED_ON if env.get(name, "").strip()}
    length = len(given.get("ENDPOINT_MAP", "").encode())
    if length > LONGEST_ENDPOINT_MAP:
        raise ConfigError(
            f"ENDPOINT_MAP has {length} bytes, and a Lambda's environment holds 4 KB in all",
            hint="put the urls into sources.toml: [sources.NAME] url = …",
        )
    return given


def _check_secrets(source: Source) -> None:
    for text in source.secrets:
        wanted = reference(text)
        if wanted.scheme != "aws-secret":
            raise ConfigError(
                f"[sources.{source.name}] auth: {wanted.scheme}:{wanted.name} exists on your machine only",
                hint="put it into AWS Secrets Manager and write aws-secret:NAME#key",
            )
        if not _SECRET.fullmatch(wanted.name):
            raise ConfigError(
                f"[sources.{source.name}] auth: {wanted.name!r} is not a valid secret name in AWS Secrets Manager",
                hint="use letters, digits and /_+=.@-, or write the whole ARN",
            )


def _check_network(source: Source) -> None:
    place = f"[sources.{source.name}]"
    if is_loopback(urlsplit(source.url).hostname or "") and not source.allow_private:
        raise ConfigError(
            f"{place}: {source.url} is this machine, which no Lambda reaches", hint="give its own address"
        )
    parts = PurePosixPath(source.ca_bundle or "").parts
    if ".." in parts or parts[:1] == ("/",):
        raise ConfigError(
            f"{place}: ca_bundle {source.ca_bundle} is not below the folder of sources.toml",
            hint="put it there: the functions get a copy",
        )


def _check_tables(sources: Iterable[Source]) -> None:
    owners: dict[str, str] = {}
    for source in sources:
        for name in [text_table(source.view), *([source.view] if source.columns else [])]:
            place = f"[sources.{source.name}]"
            if name in owners:
                raise ConfigError(
                    f"{place} and {owners[name]} would share a table in Athena, {name}", hint="rename one of them"
                )
            if name.startswith(CRAWLED):
                raise ConfigError(
                    f"{place}: its table in Athena would be {name}, and {CRAWLED}… are the crawler's",
                    hint="rename it",
                )
            owners[name] = place


def _check_length(secrets: Sequence[str]) -> None:
    length = sum(len(name) + _ARN for name in secrets)
    if length > LONGEST_SECRETS:
        raise ConfigError(
            f"the sources name {len(secrets)} secrets, more than one role can be allowed to read",
            hint="keep several keys in one secret: aws-secret:NAME#key",
        )
