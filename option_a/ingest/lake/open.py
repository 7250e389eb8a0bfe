"""Opens the lake that a user names: a folder, or a bucket by its URL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from option_a.ingest.errors import ConfigError
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.folder import FolderLake

ASKED_AGAIN = dt.timedelta(seconds=60)
"""How long a call of a bucket is made again."""
ONE_REQUEST = dt.timedelta(seconds=30)
"""What one request takes at most, unless the environment says otherwise: obstore's own default."""
SCHEMES = ("s3://", "gs://", "az://", "abfss://")


def open_lake(name: str, env: Mapping[str, str], *, durable: bool = False) -> Lake:
    """The lake at `./folder`, `s3://bucket/prefix`, `gs://…` or `az://…`. Raises ConfigError."""
    if "://" not in name:
        return FolderLake(Path(name).expanduser().absolute(), durable=durable)
    if not name.startswith(SCHEMES):
        raise ConfigError(
            f"--lake {name!r} is not a valid lake",
            hint="write a folder, or a URL that begins with " + ", ".join(SCHEMES),
        )
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    from option_a.ingest.lake.bucket import BucketLake

    # any client option given here puts out all that the environment holds: proxy, certificates, plain http
    options: Any = {"client_options": {"allow_http": True}} if plain_http(env) else {}
    try:
        store = from_url(name.rstrip("/"), retry_config={"retry_timeout": ASKED_AGAIN}, **options)
        return BucketLake(store, name, slowest=(ASKED_AGAIN + ONE_REQUEST).total_seconds())
    except (BaseError, ValueError) as error:
        raise ConfigError(f"--lake {name!r} cannot be opened: {str(error).splitlines()[0]}") from None


def plain_http(env: Mapping[str, str]) -> bool:
    """Whether the user points to a server of S3's protocol over http, such as MinIO."""
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or ""
    return endpoint.startswith("http://")
