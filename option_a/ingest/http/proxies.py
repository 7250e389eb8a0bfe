"""Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl reads them. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from option_a.ingest.http.addresses import is_loopback


class Proxies:
    """The proxies that an environment names. This machine itself is never asked through one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._proxies = {scheme: _named(env, f"{scheme}_proxy") or _named(env, "all_proxy") for scheme in _SCHEMES}
        self._direct = [entry for entry in _named(env, "no_proxy").replace(",", " ").split() if entry]

    def of(self, url: str) -> str | None:
        """The URL of the proxy for a request to `url`; None if it goes straight."""
        parts = urlsplit(url)
        proxy = self._proxies.get(parts.scheme, "")
        host = (parts.hostname or "").rstrip(".")
        if not proxy or is_loopback(host) or any(_covers(entry, host, parts.port) for entry in self._direct):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


_SCHEMES = ("http", "https")


def _named(env: Mapping[str, str], name: str) -> str:
    return env.get(name, env.get(name.upper(), "")).strip()


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY is for a host: `*`, a domain and all below it, an address or a network."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, _, wanted = entry.lower().partition(":")
    if wanted and wanted != str(port):
        return False
    domain = name.removeprefix("*").strip(".")
    return host.lower() == domain or host.lower().endswith(f".{domain}")
