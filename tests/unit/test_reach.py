"""Where a webhook may lead: what is denied, and the tricks by which addresses hide."""

from __future__ import annotations

import pytest

from liaison.domain.reach import Unreachable, is_denied, read_url

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450:4001::1"]

INSIDE = """
127.0.0.1 127.8.9.1 0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.1 192.168.1.1 198.18.0.1 198.19.255.255 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
168.63.129.16
::1 :: ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::a9fe:a9fe
64:ff9b:1::7f00:1 2002:7f00:1:: 2002:a9fe:a9fe::1 2001:0:53aa:64c:0:0:80ff:fffe fec0::1 fe80::1
fe80::1%eth0 fc00::1 fd12::1 ff02::1 100::1 4000::1 8000::1 2001:db8::1
"""

NONE = ["", "localhost", "0x7f.1", "0177.0.0.1", "2130706433", "127.1", "①②⑦.0.0.1", "1.2.3.4 "]


@pytest.mark.parametrize("address", INSIDE.split())
def test_nothing_is_sent_inside(address: str) -> None:
    assert is_denied(address, loopback=False)


@pytest.mark.parametrize("address", NONE)
def test_what_is_no_address_is_denied(address: str) -> None:
    assert is_denied(address, loopback=True)


def test_public_addresses_are_reached() -> None:
    assert [a for a in PUBLIC if is_denied(a, loopback=False)] == []


def test_a_demo_reaches_itself_and_nothing_else_inside() -> None:
    let = [a for a in INSIDE.split() if not is_denied(a, loopback=True)]
    assert let == ["127.0.0.1", "127.8.9.1", "::1"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://hooks.example.net", "https://hooks.example.net/"),
        (" https://Hooks.Example.NET:443/a?b=c ", "https://hooks.example.net/a?b=c"),
        ("https://hooks.example.net:8443/x", "https://hooks.example.net:8443/x"),
        ("https://[2606:2800:220:1::1]/x", "https://[2606:2800:220:1::1]/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert read_url(typed, loopback=False).url == kept


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.net/",
        "ftp://hooks.example.net/",
        "//hooks.example.net/",
        "hooks.example.net",
        "https://",
        "https://user@hooks.example.net/",
        "https://user:pass@hooks.example.net/",
        "https://hooks.example.net/#x",
        "https://hooks.example.net:0/",
        "https://hooks.example.net:99999/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://a.localhost/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://127.1/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://hooks.example.net\\@127.0.0.1/",
        "https://hooks.example.net/a b",
        "https://hooks.example.net/\r\nHost: x",
        "https://hooks.example.net/é",
        "https://-x.example/",
        "https://a..example/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://hooks.example.net/" + "a" * 500,
    ],
)
def test_addresses_that_are_refused_as_they_are_typed(url: str) -> None:
    with pytest.raises(Unreachable):
        read_url(url, loopback=False)


def test_a_demo_takes_its_own_machine_by_http_and_no_other() -> None:
    for url in ("http://127.0.0.1:9999/x", "http://localhost:9999/x", "https://[::1]:9/x"):
        assert read_url(url, loopback=True).url == url
    with pytest.raises(Unreachable):
        read_url("http://hooks.example.net/", loopback=True)
    with pytest.raises(Unreachable):
        read_url("http://10.0.0.1/", loopback=True)
