"""Which addresses are which, and which a source may reach."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from option_a.ingest.http.addresses import Kind, is_loopback, kind, refused


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("93.184.216.34", "public"), ("2606:2800:220:1::1", "public"), ("64:ff9b::5db8:d822", "public"),
        ("::ffff:93.184.216.34", "public"), ("2002:5db8:d822::", "public"),
        ("127.0.0.1", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"), ("2002:7f00:1::", "loopback"),
        ("10.0.0.1", "private"), ("100.64.0.1", "private"), ("169.254.1.1", "private"), ("fe80::1%eth0", "private"),
        ("fc00::1", "private"), ("fec0::1", "private"), ("192.0.2.1", "private"), ("fd12::1", "private"),
        ("169.254.169.254", "metadata"), ("::ffff:169.254.169.254", "metadata"), ("fd00:ec2::254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"), ("100.100.100.200", "metadata"),
        ("0.0.0.0", "unroutable"), ("::", "unroutable"), ("224.0.0.1", "unroutable"), ("ff02::1", "unroutable"),
        ("255.255.255.255", "unroutable"), ("::7f00:1", "unroutable"), ("64:ff9b:1::a00:1", "unroutable"),
    ],
)  # fmt: skip
def test_what_an_address_is(address: str, what: Kind) -> None:
    assert kind(address) == what


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"])
def test_this_machine_by_its_plain_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "localhost.evil.test", "api.test", "::ffff:127.0.0.1", ""])
def test_no_other_name_is_this_machine(host: str) -> None:
    assert not is_loopback(host)


def test_loopback_is_for_who_says_so_and_private_for_a_source_that_allows_it() -> None:
    assert refused("localhost", "127.0.0.1", private=False, loopback=True) is None
    assert refused("api.test", "127.0.0.1", private=False, loopback=True) == "a loopback address"
    assert refused("localhost", "127.0.0.1", private=False, loopback=False) == "a loopback address"
    assert refused("api.test", "127.0.0.1", private=True, loopback=False) is None
    assert refused("localhost", "10.0.0.1", private=False, loopback=True) == "a private address"
    assert refused("api.test", "10.0.0.1", private=True, loopback=False) is None


@given(st.ip_addresses(v=4))
def test_an_address_of_ipv6_that_stands_for_one_of_ipv4_is_what_that_one_is(ip: ipaddress.IPv4Address) -> None:
    for spelt in (f"::ffff:{ip}", f"64:ff9b::{ip}", str(ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80)))):
        assert kind(spelt) == kind(str(ip))


@given(st.ip_addresses())
def test_nothing_but_the_public_internet_is_reached_unless_it_is_allowed(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if refused("api.test", str(ip), private=False, loopback=True) is None:
        plain = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
        assert plain.is_global or str(ip).startswith("64:ff9b::")
