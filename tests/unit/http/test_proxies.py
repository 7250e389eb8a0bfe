"""Which proxy a request goes through."""

from __future__ import annotations

import pytest

from option_a.ingest.http.proxies import Proxies

PROXY = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("env", "url", "through"),
    [
        ({}, "https://api.test/", None),
        ({"HTTPS_PROXY": PROXY}, "https://api.test/", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other.test"}, "https://api.test/", PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, "https://api.test/", None),
        ({"HTTPS_PROXY": PROXY}, "http://api.test/", None),
        ({"HTTP_PROXY": "proxy.test:3128"}, "http://api.test/", PROXY),
        ({"ALL_PROXY": PROXY}, "http://api.test/", PROXY),
    ],
)
def test_the_proxy_of_the_scheme_counts(env: dict[str, str], url: str, through: str | None) -> None:
    assert Proxies(env).of(url) == through


@pytest.mark.parametrize(
    ("entries", "host", "direct"),
    [
        ("api.test", "api.test", True),
        ("api.test", "API.test", True),
        ("api.test", "v1.api.test", True),
        (".api.test", "v1.api.test", True),
        ("*.api.test", "v1.api.test", True),
        ("api.test", "myapi.test", False),
        ("*", "api.test", True),
        ("other.test, api.test", "api.test", True),
        ("api.test:8080", "api.test:8080", True),
        ("api.test:8080", "api.test:80", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("fd00::/8", "[fd00::1]", True),
        ("", "localhost", True),
        ("", "127.0.0.1:9", True),
        ("", "[::1]", True),
    ],
)
def test_what_no_proxy_names_and_this_machine_itself_are_asked_straight(entries: str, host: str, direct: bool) -> None:
    proxies = Proxies({"HTTP_PROXY": PROXY, "NO_PROXY": entries})
    assert proxies.of(f"http://{host}/x") == (None if direct else PROXY)
