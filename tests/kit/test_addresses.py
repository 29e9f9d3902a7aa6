"""The client behind proxies: a header is believed as far as trusted proxies wrote it."""

from __future__ import annotations

import pytest

from silkroom.kit.addresses import client_address, counted_address, read_networks

LOCAL = read_networks(["127.0.0.1", "::1"])
TWO = read_networks(["127.0.0.1", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "header", "trusted", "expected"),
    [
        ("203.0.113.5", "", (), "203.0.113.5"),
        ("203.0.113.5", "198.51.100.9", (), "203.0.113.5"),
        ("203.0.113.5", "198.51.100.9", LOCAL, "203.0.113.5"),
        ("127.0.0.1", "", LOCAL, "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9", (), "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9", LOCAL, "198.51.100.9"),
        ("::1", " 2001:db8::7 ", LOCAL, "2001:db8::7"),
        ("::ffff:127.0.0.1", "198.51.100.9", LOCAL, "198.51.100.9"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.9", LOCAL, "198.51.100.9"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.9, 10.1.2.3", TWO, "198.51.100.9"),
        ("127.0.0.1", "10.9.9.9, 10.1.2.3", TWO, "10.9.9.9"),
        ("127.0.0.1", "198.51.100.9, nonsense", LOCAL, "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9:55, 10.1.2.3", TWO, "10.1.2.3"),
        ("127.0.0.1", ",,,", LOCAL, "127.0.0.1"),
        ("", "198.51.100.9", LOCAL, ""),
    ],
)
def test_whom_limits_count(peer: str, header: str, trusted: tuple, expected: str) -> None:
    assert client_address(peer, header, trusted) == expected


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy"):
        read_networks(["proxy.example"])


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2::7", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::7", "2001:db8:1:2::"),
        ("2001:db8:1:3::7", "2001:db8:1:3::"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("203.0.113.5", "203.0.113.5"),
        ("::1", "::1"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_limits_count_a_household_of_ipv6_as_one(address: str, counted: str) -> None:
    assert counted_address(address) == counted
