"""The rule about addresses: what a user-given name may lead to."""

import pytest

from windlass.core.addresses import (
    AddressPolicy,
    AddressRefused,
    NameNotFound,
    own_addresses,
    refusal,
    resolve_public,
)

pytestmark = pytest.mark.anyio

REFUSED = (
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.8.9.1", "10.0.0.1", "10.255.255.255", "172.16.0.1"),
    *("172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "::", "::1"),
    *("fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "2001:0:1::1"),
    *("not-an-address", "1.2.3"),
)
ALLOWED = (
    *("1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1"),
    *("169.253.1.1", "203.0.113.80", "198.51.100.7", "192.0.2.77", "2606:4700::1111"),
    *("2a00:1450::1", "2001:db8::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"),
)


@pytest.mark.parametrize("ip", REFUSED)
def test_addresses_that_are_not_public_are_refused_with_a_reason(ip):
    assert refusal(ip)


@pytest.mark.parametrize("ip", ALLOWED)
def test_public_addresses_and_documentation_ranges_are_allowed(ip):
    assert refusal(ip) is None


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "::1"),
        *("::ffff:127.0.0.1", "0x7f000001", "017700000001", "169.254.169.254", "LOCALHOST"),
    ],
)
async def test_every_way_to_write_this_machine_is_refused(host):
    with pytest.raises(AddressRefused, match="not reachable"):
        await resolve_public(host, 80, allow=AddressPolicy())


async def test_own_addresses_of_the_machine_are_refused():
    own = own_addresses()
    assert "127.0.0.1" in own

    for address in own:
        with pytest.raises(AddressRefused):
            await resolve_public(address, 80, allow=AddressPolicy())


async def test_a_public_address_passes_and_is_exact():
    assert await resolve_public("1.1.1.1", 443, allow=AddressPolicy()) == [("1.1.1.1", 443)]


async def test_the_exceptions_of_the_machines_owner_hold():
    by_name = AddressPolicy(hosts=frozenset({"localhost:3141"}))
    by_network = AddressPolicy(networks=("127.0.0.0/8",))

    assert await resolve_public("LOCALHOST", 3141, allow=by_name)
    with pytest.raises(AddressRefused):
        await resolve_public("localhost", 3142, allow=by_name)
    assert await resolve_public("127.0.0.1", 1, allow=by_network) == [("127.0.0.1", 1)]
    with pytest.raises(AddressRefused):
        await resolve_public("10.0.0.1", 1, allow=by_network)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 300, "x\0y", ".."])
async def test_a_name_without_address_is_a_clear_error(host):
    with pytest.raises(NameNotFound, match="has no address"):
        await resolve_public(host, 80, allow=AddressPolicy())
