"""Which hosts and addresses belong to the public web. Pure: names are resolved elsewhere.

The blocks are those of IANA's special-purpose registries
(https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry), in a
table of our own: what `ipaddress` calls global depends on the Python version and includes
multicast, site-local addresses and tunnels to IPv4.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_RESERVED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's metadata, though the block is public
            "169.254.0.0/16",  # link-local; most clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")  # all that IANA has allocated for public use
_RESERVED_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: any IPv4 address in disguise
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # how IPv6-only networks reach public IPv4

# Two labels at least, the last beginning with a letter: 127.1, 0x7f.1 and 2130706433 are no names.
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
# Top-level labels that are never resolved: they have a meaning in the local network only, or none.
_LOCAL_ENDINGS = frozenset(
    {"local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp"}
    | {"private", "arpa", "onion", "alt", "test", "invalid", "example"}
)


def is_public_name(host: str) -> bool:
    """Return whether a host may be looked up: ASCII, dotted, and of no local domain."""
    name = host.lower().rstrip(".")
    return bool(_HOST_NAME.fullmatch(name)) and name.rpartition(".")[2] not in _LOCAL_ENDINGS


def is_address(host: str) -> bool:
    """Return whether a host is an IP address in its usual form."""
    return _parse_address(host) is not None


def is_public_address(text: str) -> bool:
    """Return whether an IP address belongs to a host on the public internet."""
    match _parse_address(text):
        case IPv4Address() as address:
            return _is_public_v4(address)
        case IPv6Address(scope_id=None) as address if address in _NAT64:
            return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
        case IPv6Address(scope_id=None) as address:
            return address in _GLOBAL_V6 and not any(address in block for block in _RESERVED_V6)
        case _:
            return False


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in block for block in _RESERVED_V4)


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
