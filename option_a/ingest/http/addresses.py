"""Which addresses a request may reach: those of the public internet, unless a source says otherwise. Pure."""

from __future__ import annotations

import ipaddress
from typing import Literal

Kind = Literal["public", "loopback", "private", "metadata", "unroutable"]
_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # AWS, GCP, Azure and most others
            "169.254.170.2",  # credentials of ECS and of EKS
            "169.254.170.23",
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ),
    )
)
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOW = 2**32 - 1


def kind(address: str) -> Kind:
    """What an address is. One of IPv6 that stands for one of IPv4 is what that one is."""
    ip = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if ip in _METADATA:
        return "metadata"
    if ip.is_loopback:
        return "loopback"
    if ip.is_unspecified or ip.is_multicast or ip.is_reserved:
        return "unroutable"
    site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return "private" if site_local or ip.is_link_local or not ip.is_global else "public"


def refused(host: str, address: str, *, private: bool, loopback: bool) -> str | None:
    """Why the address behind a host may not be asked; None if it may.

    `private`: the source allows addresses of an inner network. `loopback`: this machine may ask itself, where the host
    is written so. Metadata services and what is nobody's address are never asked.
    """
    what = kind(address)
    if what == "public" or (what in ("private", "loopback") and private):
        return None
    if what == "loopback" and loopback and is_loopback(host):
        return None
    return {
        "loopback": "a loopback address",
        "private": "a private address",
        "metadata": "the address of a cloud's metadata service",
        "unroutable": "no address that an API can have",
    }[what]


def is_loopback(host: str) -> bool:
    """Whether a host is plainly this machine: `localhost`, `127.0.0.1`, `[::1]`, and no other spelling of them."""
    name = host.lower().strip("[]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _plain(ip: _Ip) -> _Ip:
    """The address of IPv4 that an IPv4-mapped, a 6to4 or a NAT64 address stands for; any other one as it is."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour
    if inner is None and ip in _NAT64:
        inner = ipaddress.IPv4Address(int(ip) & _LOW)
    return inner or ip
