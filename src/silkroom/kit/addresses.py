"""Where a client is, seen past the proxies in front. Only what a trusted proxy says about its own peer counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_networks(words: Iterable[str]) -> tuple[Network, ...]:
    """Addresses ("127.0.0.1") and networks ("10.0.0.0/8"). Raises ValueError."""
    return tuple(ip_network(word, strict=False) for word in words)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address that limits count: the nearest one that is not a trusted proxy's.

    ``peer`` is the other end of the connection; ``forwarded_for`` the X-Forwarded-For header, to which each proxy adds
    its own peer at the end. What stands before the first stranger there is that stranger's own claim.
    """
    address = _read(peer)
    if address is None:
        return peer
    hops = forwarded_for.split(",")
    while hops and any(address in network for network in trusted):
        before = _read(hops.pop())
        if before is None:
            break
        address = before
    return str(address)


NET_OF_IPV6 = 64
"""Bits: one household gets so many addresses of its own."""


def counted_address(text: str) -> str:
    """What limits count an address as: IPv6 by its household's network, all else as it is."""
    address = _read(text)
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return str(IPv6Address(int(address) >> NET_OF_IPV6 << NET_OF_IPV6))
    return text if address is None else str(address)


def is_loopback(host: str) -> bool:
    """Whether a host name or address leads to this machine alone."""
    address = _read(host)
    return host == "localhost" if address is None else address.is_loopback


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    # A socket for both kinds names IPv4 peers this way.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
