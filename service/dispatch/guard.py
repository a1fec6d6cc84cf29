"""Where a webhook may go: public addresses on the web's ports, and networks opened by a setting.

Every DNS answer is held against our own table: `ipaddress.is_global` differs between releases of
Python. Sources: the IANA special-purpose address registries (RFC 6890) and RFC 3879, 3964, 6052.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from service import addresses
from service.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Iterable[str]]

PUBLIC_PORTS = frozenset({80, 443})

_DENIED_TEXT = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "a private network",
    "100.64.0.0/10": "a carrier's shared network",
    "127.0.0.0/8": "this machine",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "a private network",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "a name server sink",
    "192.52.193.0/24": "a multicast relay",
    "192.88.99.0/24": "a 6to4 relay",
    "192.168.0.0/16": "a private network",
    "192.175.48.0/24": "a name server sink",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "::1/128": "this machine",
    "::ffff:0:0/96": "an IPv4 address in disguise",
    "::/96": "an IPv4 address in disguise",
    "64:ff9b::/96": "an IPv4 address behind NAT64",
    "64:ff9b:1::/48": "an IPv4 address behind NAT64",
    "100::/64": "a sink",
    "2001::/32": "an IPv4 address behind Teredo",
    "2001::/23": "protocol assignments",
    "2001:db8::/32": "documentation",
    "2002::/16": "an IPv4 address behind 6to4",
    "2620:4f:8000::/48": "a name server sink",
    "3fff::/20": "documentation",
    "5f00::/16": "segment routing",
    "fc00::/7": "a private network",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
_DENIED = {ipaddress.ip_network(text): reason for text, reason in _DENIED_TEXT.items()}
_UNICAST = ipaddress.IPv6Network("2000::/3")

# The last label a number: an IPv4 address to most resolvers, however it is spelt (WHATWG URL).
_ENDS_IN_NUMBER = re.compile(r"(^|\.)(0x[0-9a-f]*|[0-9]+)$", re.IGNORECASE)


class NotAllowed(ValueError):
    """The address is malformed, or it leads where webhooks may not go."""


class NoSuchName(OSError):
    """The name has no address, or nobody answered in time."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An http or https URL taken apart; `host` is ASCII in lower case, without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @property
    def authority(self) -> str:
        """What the Host header says (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        standard = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == standard else f"{host}:{self.port}"


def parse(url: str) -> Endpoint:
    """Take a URL apart without asking anybody; raises NotAllowed."""
    try:
        parts = addresses.split(url)
        host = addresses.in_ascii(parts.hostname or "").lower()
    except addresses.BadAddress as error:
        raise NotAllowed(f"the address {error}") from None
    literal = _literal(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise NotAllowed("the path must be percent-encoded")
    port = {"http": 80, "https": 443}[parts.scheme] if parts.port is None else parts.port
    return Endpoint(parts.scheme, host, port, path, literal)


def _literal(host: str) -> Address | None:
    if ":" not in host and not _ENDS_IN_NUMBER.search(host.rstrip(".")):
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        # Decimal, hexadecimal, octal and shortened spellings.
        raise NotAllowed("the host is not a plain IP address") from None


def resolve(
    endpoint: Endpoint,
    allowed: Sequence[Network],
    *,
    seconds: float,
    resolver: Resolver | None = None,
) -> list[Address]:
    """Ask for the host's addresses once, and give them back if each of them may be reached.

    Raises NotAllowed, NoSuchName.
    """
    if endpoint.literal is not None:
        found: list[Address] = [endpoint.literal]
    else:
        found = _look_up(endpoint, seconds, resolver or system_resolver)
    for address in found:
        check(address, endpoint.port, allowed)
    return found


def check(address: Address, port: int, allowed: Sequence[Network]) -> None:
    """Raise NotAllowed unless this address may be reached on this port."""
    if any(address in network for network in allowed):
        return
    reason = _reason(address)
    if reason:
        raise NotAllowed(f"{address} is not a public address ({reason})")
    if port not in PUBLIC_PORTS:
        raise NotAllowed("only the ports 443 and 80 may be reached")


def _reason(address: Address) -> str | None:
    for network, reason in _DENIED.items():
        if address in network:
            return reason
    if address.version == 6 and (address.scope_id or address not in _UNICAST):
        return "not global unicast"
    return None


def system_resolver(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system's resolver orders them."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _look_up(endpoint: Endpoint, seconds: float, resolver: Resolver) -> list[Address]:
    answers: list[str] = []
    faults: list[Exception] = []

    def ask() -> None:
        try:
            answers.extend(resolver(endpoint.host, endpoint.port))
        except (OSError, UnicodeError) as error:
            faults.append(error)

    # getaddrinfo knows no timeout; a thread that outlives its lookup ends with the resolver's own.
    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if thread.is_alive():
        raise NoSuchName("the name server did not answer in time")
    if faults or not answers:
        raise NoSuchName("the name has no address")
    return [ipaddress.ip_address(text) for text in answers]
