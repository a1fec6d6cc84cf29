import ipaddress
import threading

import pytest

from service.dispatch import guard

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)

DENIED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:2::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd12:3456::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "feff::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.20.0.1",
    "2606:4700:4700::1111", "2a00:1450:4001:80f::200e", "2001:4860:4860::8888",
]  # fmt: skip


@pytest.mark.parametrize("text", DENIED)
def test_check_special_address_is_not_allowed(text: str) -> None:
    with pytest.raises(guard.NotAllowed):
        guard.check(ipaddress.ip_address(text), 443, ())


@pytest.mark.parametrize("text", PUBLIC)
def test_check_public_address_on_the_webs_ports_only(text: str) -> None:
    address = ipaddress.ip_address(text)
    guard.check(address, 443, ())
    guard.check(address, 80, ())
    for port in (22, 25, 5432, 8080):
        with pytest.raises(guard.NotAllowed, match="ports"):
            guard.check(address, port, ())


def test_check_opened_network_on_any_port() -> None:
    guard.check(ipaddress.ip_address("127.0.0.1"), 8000, LOOPBACK)
    with pytest.raises(guard.NotAllowed):
        guard.check(ipaddress.ip_address("10.0.0.1"), 80, LOOPBACK)
    with pytest.raises(guard.NotAllowed, match="disguise"):
        guard.check(ipaddress.ip_address("::ffff:127.0.0.1"), 80, LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://0x7f.1/",
        "http://127.1/", "http://0177.0.0.1/", "http://127.0.0.0x1/", "http://127.0.0.1./",
        "http://a.b.c.4/", "ftp://hooks.example/", "file:///etc/passwd",
        "gopher://hooks.example/", "https://user@hooks.example/", "https://user:pass@hooks.example/",
        "https://hooks.example\\@127.0.0.1/", "https:///path", "//hooks.example/", "hooks.example",
        "https://hooks.example:99999/", "https://hooks.example/é", "https://[::1%25eth0]/",
        "https://[fe80::1%eth0]/", "https://hooks.example/\r\nX: y", "https://hooks .example/",
    ],
)  # fmt: skip
def test_parse_strange_address_is_not_allowed(url: str) -> None:
    with pytest.raises(guard.NotAllowed):
        guard.resolve(guard.parse(url), LOOPBACK, seconds=1, resolver=lambda *_: ["127.0.0.1"])


def test_parse_takes_an_address_apart() -> None:
    assert guard.parse("https://Hooks.Example:443/a?b=c#d") == guard.Endpoint(
        "https", "hooks.example", 443, "/a?b=c", None
    )
    assert guard.parse("http://[2606:4700::1]:8080").authority == "[2606:4700::1]:8080"
    assert guard.parse("https://Bücher.example/").host == "xn--bcher-kva.example"
    assert guard.parse("https://faß.example/").host == "xn--fa-hia.example"


def test_resolve_one_bad_answer_among_good_ones_is_not_allowed() -> None:
    endpoint = guard.parse("https://hooks.example/")
    for answers in (["8.8.8.8", "10.0.0.1"], ["8.8.8.8", "::1"], ["::ffff:8.8.8.8"]):
        with pytest.raises(guard.NotAllowed):
            guard.resolve(endpoint, (), seconds=1, resolver=lambda *_, found=answers: found)
    assert guard.resolve(endpoint, (), seconds=1, resolver=lambda *_: ["8.8.8.8", "1.1.1.1"]) == [
        ipaddress.ip_address("8.8.8.8"),
        ipaddress.ip_address("1.1.1.1"),
    ]


def test_resolve_digits_in_circles_are_no_host() -> None:
    with pytest.raises(guard.NotAllowed, match="no valid host"):
        guard.resolve(guard.parse("http://①②⑦.⓪.⓪.①/"), (), seconds=1)


def test_resolve_localhost_by_the_systems_own_resolver_is_not_allowed() -> None:
    with pytest.raises(guard.NotAllowed, match="this machine"):
        guard.resolve(guard.parse("http://localhost/"), (), seconds=5)


def test_resolve_hanging_name_server_is_left_behind() -> None:
    stuck = threading.Event()

    def never(_host: str, _port: int) -> list[str]:
        stuck.wait(60)
        return ["8.8.8.8"]

    with pytest.raises(guard.NoSuchName, match="in time"):
        guard.resolve(guard.parse("https://hooks.example/"), (), seconds=0.05, resolver=never)
    stuck.set()
