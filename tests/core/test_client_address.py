"""From which address a request came: no visitor chooses their own (B-068)."""

import pytest

from windlass.core.addresses import client_address, network_of

Scope = dict[str, object]


def scope(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"host", b"panel"), *((b"x-forwarded-for", text.encode()) for text in forwarded)]
    return {"client": (peer, 40_000) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("found", "trusted", "address"),
    [
        # Directly: what the visitor says of themselves is not read.
        (scope("203.0.113.9"), "", "203.0.113.9"),
        (scope("203.0.113.9", "6.6.6.6"), "", "203.0.113.9"),
        (scope("203.0.113.9", "6.6.6.6"), "10.0.0.0/8", "203.0.113.9"),
        # On the edge's socket: the last address is the edge's word, the others are the visitor's.
        (scope(None, "203.0.113.9"), "", "203.0.113.9"),
        (scope(None, "6.6.6.6, 203.0.113.9"), "", "203.0.113.9"),
        (scope(None, "6.6.6.6", "203.0.113.9"), "", "203.0.113.9"),
        (scope(None), "", "local"),
        # Behind proxies of ours, as many as there are.
        (scope(None, "203.0.113.9, 10.0.0.2"), "10.0.0.0/8", "203.0.113.9"),
        (scope("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2"), "10.0.0.0/8", "203.0.113.9"),
        (scope("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.0/8", "10.0.0.3"),
        (scope("::ffff:10.0.0.1", "203.0.113.9"), "10.0.0.0/8, ::1/128", "203.0.113.9"),
        (scope("::1", "2001:db8::7"), "10.0.0.0/8, ::1/128", "2001:db8::7"),
        # What is no address ends the search at the last one that was ours.
        (scope(None, "203.0.113.9, unknown, 10.0.0.2"), "10.0.0.0/8", "10.0.0.2"),
        (scope(None, ""), "", "local"),
        (scope(None, "203.0.113.9, \x00"), "", "local"),
        (scope("10.0.0.1", "203.0.113.9,"), "10.0.0.0/8", "10.0.0.1"),
        # As proxies write them.
        (scope(None, "203.0.113.9:1234"), "", "203.0.113.9"),
        (scope(None, '"[2001:db8::7]:1234"'), "", "2001:db8::7"),
        (scope(None, "fe80::1%eth0"), "", "fe80::1"),
        (scope(None, "::ffff:203.0.113.9"), "", "203.0.113.9"),
    ],
)
def test_the_address_is_the_last_one_that_no_proxy_of_ours_has(
    found: Scope, trusted: str, address: str
) -> None:
    assert client_address(found, trusted) == address


def test_in_ipv6_a_household_is_one_sender() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1")
    assert network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("203.0.113.9") == "203.0.113.9"
    assert network_of("local") == "local"
