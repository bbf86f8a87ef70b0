"""Public addresses and names, and those that only look public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.tools.web.addresses import is_address, is_public_address, is_public_name

PUBLIC = (
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.15.255.255",
    "172.32.0.1", "169.253.1.1", "192.0.1.1", "198.17.1.1", "198.20.0.0", "223.255.255.254",
    "2606:4700:4700::1111", "2a00:1450:4001:80e::200e", "2001:4860:4860::8888",
    "64:ff9b::808:808",
)  # fmt: skip
NOT_PUBLIC = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "169.254.170.2",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "4000::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "ff0e::1", "2606:4700::1%eth0",
    "", "example.com", "1.1.1", "01.1.1.1", "1.1.1.1 ", "0x7f000001", "2130706433", "[::1]",
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_accepted(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_private_addresses_are_refused(address: str) -> None:
    assert not is_public_address(address)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_public_ipv4_addresses_are_global_in_python(address: IPv4Address) -> None:
    if is_public_address(str(address)):
        assert address.is_global
        assert not address.is_multicast


@settings(deadline=None)
@given(st.ip_addresses(v=6) | st.ip_addresses(network="2000::/3"))
def test_public_ipv6_addresses_are_global_in_python(address: IPv6Address) -> None:
    if is_public_address(str(address)):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_site_local
        assert address.sixtofour is None


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_ipv4_addresses_in_ipv6_are_checked(address: IPv4Address) -> None:
    number = int(address)
    for high in (0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96):
        if is_public_address(str(IPv6Address(high | number))):
            assert is_public_address(str(address))


@pytest.mark.parametrize(
    "host",
    ["example.com", "EXAMPLE.com.", "xn--bcher-kva.de", "a-b.c_d.co.uk", "1.example.com", "x.ai"],
)
def test_public_names_may_be_resolved(host: str) -> None:
    assert is_public_name(host)


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "..", "com", "com.", "localhost", "localhost.", "a.localhost", "metadata",
        "printer.local", "Printer.LOCAL.", "metadata.google.internal", "host.docker.internal",
        "db.svc.cluster.local", "router.lan", "nas.home.arpa", "1.0.0.127.in-addr.arpa",
        "x.onion", "127.1", "127.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001",
        "1.2.3.4.5", "a.0x10", "::1", "a..b.com", "-a.com", "a-.com", "a b.com", "a/b.com",
        "a@b.com", "ex%41mple.com", "bücher.de", "a.com\n", "a" * 64 + ".com", "a." * 130 + "com",
    ],
)  # fmt: skip
def test_local_names_are_never_resolved(host: str) -> None:
    assert not is_public_name(host)


def test_is_address_accepts_only_the_usual_forms() -> None:
    assert [is_address(host) for host in ("1.2.3.4", "::1", "127.1", "2130706433", "a.b")] == [
        True,
        True,
        False,
        False,
        False,
    ]
