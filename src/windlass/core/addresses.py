"""Which network addresses user-given names may lead to, and from which one a request came: the
rules that everybody uses."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from windlass.core.errors import BadRequest, IntegrationError
from windlass.core.settings import words

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
SockAddress = tuple[str, int]

# Not `ipaddress.is_global`: mirrors in isolated networks answer from documentation ranges.
_REFUSED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("an unspecified address", ("0.0.0.0/8", "::/128")),
    ("a loopback address", ("127.0.0.0/8", "::1/128")),
    ("a link-local address", ("169.254.0.0/16", "fe80::/10")),
    (
        "a private address",
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/24", "fc00::/7", "fec0::/10"),
    ),
    ("a carrier-grade NAT address", ("100.64.0.0/10",)),
    ("a multicast address", ("224.0.0.0/4", "ff00::/8")),
    ("a reserved address", ("240.0.0.0/4", "64:ff9b:1::/48", "100::/64")),
    ("a tunnel address", ("2001::/32",)),
)
_NETWORKS = tuple(
    (ipaddress.ip_network(network), kind) for kind, group in _REFUSED for network in group
)
# Addresses that carry an IPv4 address: where its last bit stands in the 128.
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)


class AddressRefused(BadRequest):
    """{host} leads to {address}, {kind}, which is not reachable from here. {fix}"""

    reason = "ADDRESS_REFUSED"


class NameNotFound(IntegrationError):
    """{host} has no address: {detail}"""

    reason = "NAME_NOT_FOUND"


class AddressPolicy(msgspec.Struct, frozen=True):
    """Exceptions to the rule, given by whoever runs the machine, never by a project."""

    hosts: frozenset[str] = frozenset()
    """`name:port` whose addresses are not looked at: company mirrors may be private."""
    networks: tuple[str, ...] = ()
    """Networks in CIDR form that are allowed although they are private."""
    fix: str = "The setting WINDLASS_ALLOW_ADDRESSES lists private networks that are allowed."


def refusal(ip: str) -> str | None:
    """Why no user-given name may lead to this address ("a loopback address"); None if it may."""
    try:
        address: IPAddress = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return "not an address"
    for network, kind in _NETWORKS:
        if address in network:
            return kind
    if isinstance(address, ipaddress.IPv6Address):
        for carrier, shift in _CARRIERS:
            if address in carrier:
                inner = ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
                return refusal(str(inner))
    return None


def own_addresses() -> frozenset[str]:
    """Every address of this machine's own interfaces, in the kernel's own words."""
    return frozenset(_own_v4() | _own_v6())


def _own_v4() -> set[str]:
    own: set[str] = set()
    leaf = ""
    for line in _lines("/proc/net/fib_trie"):
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words[:1] == ["/32"] and words[-1] == "LOCAL":
            own.add(leaf)
    return own


def _own_v6() -> set[str]:
    return {
        str(ipaddress.IPv6Address(int(line.split()[0], 16)))
        for line in _lines("/proc/net/if_inet6")
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


async def resolve_public(host: str, port: int, *, allow: AddressPolicy) -> list[SockAddress]:
    """The addresses of `host` that may be reached, as socket addresses to connect to.

    Connect to exactly these: asking for the name again would let its owner answer differently.
    Raises AddressRefused when none is left, NameNotFound when there is none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotFound(host=host, detail=str(error)) from None
    addresses = list(dict.fromkeys((str(found_at[0]), port) for *_, found_at in found))
    if f"{host.lower().rstrip('.')}:{port}" in allow.hosts:
        return addresses
    networks = [ipaddress.ip_network(network, strict=False) for network in allow.networks]
    own = own_addresses()
    refused: tuple[str, str] = ("", "")
    public: list[SockAddress] = []
    for address in addresses:
        kind = _refusal_here(address[0], own, networks)
        if kind is None:
            public.append(address)
        else:
            refused = (address[0], kind)
    if not public:
        raise AddressRefused(host=host, address=refused[0], kind=refused[1], fix=allow.fix)
    return public


def _refusal_here(ip: str, own: frozenset[str], networks: list[IPNetwork]) -> str | None:
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in networks):
        return None
    if str(address) in own:
        return "an address of this machine"
    return refusal(ip)


def client_address(scope: Mapping[str, Any], trusted: str) -> str:
    """Who sent this ASGI request: the right-most address that is no proxy of ours (B-068).

    X-Forwarded-For is read from its end, and only as far as `trusted` (networks, comma-separated)
    goes: what stands before was written by a stranger. A peer without an address is our own edge,
    on a socket that nobody else can open; "local" is somebody on it who named none.
    """
    peer = scope.get("client")
    address = _parsed(str(peer[0])) if peer else None
    is_believed = peer is None
    for hop in reversed(_forwarded(scope["headers"])):
        if not is_believed and not _is_within(address, _networks(trusted)):
            break
        before = _parsed(hop)
        if before is None:
            break
        address, is_believed = before, False
    return str(address) if address is not None else "local"


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What counts as one sender: an IPv4 address, or the /64 that a household gets in IPv6."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed or address)


def _forwarded(headers: Sequence[tuple[bytes, bytes]]) -> list[str]:
    lines = [value for name, value in headers if name == b"x-forwarded-for"]
    return b",".join(lines).decode("latin-1").split(",") if lines else []


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPAddress | None:
    """An address, also with a port or a zone; IPv4 in IPv6 as IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address: IPAddress = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_within(address: IPAddress | None, networks: tuple[IPNetwork, ...]) -> bool:
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=16)
def _networks(text: str) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(word) for word in words(text))
