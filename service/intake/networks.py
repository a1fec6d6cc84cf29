"""The network a report came from, known by a hash only, under a key that does not live long."""

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from service.db import Asking, Prepared
from service.errors import Blocked
from service.hashing import keyed
from service.models import Block, NetworkKey

PERIOD = timedelta(days=30)
"""A site's key is used for so long, and erased afterwards with what it hashed."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Network:
    """A network as one site knows it in one period."""

    period: int
    hash: str


def period_of(moment: datetime) -> int:
    """Which stretch of 30 days since 1970 the moment is in."""
    return (moment - _EPOCH) // PERIOD


def end_of(period: int) -> datetime:
    """When the period's key ends."""
    return _EPOCH + (period + 1) * PERIOD


def prefix(address: str) -> str | None:
    """The /24 of an IPv4 address, the /48 of an IPv6 one (mapped ones count as IPv4)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, ipaddress.IPv4Address):
        return f"{str(parsed).rpartition('.')[0]}.0/24"
    return str(ipaddress.ip_network((parsed, 48), strict=False))


class Keys:
    """The sites' keys, each asked for once, and made where there is none yet."""

    def __init__(self, session: Asking) -> None:
        self._session = session
        self._known: dict[tuple[UUID, int], str] = {}

    def of(self, site_id: UUID, period: int) -> str:
        """A site's key of a period."""
        if (site_id, period) not in self._known:
            self._known[site_id, period] = self._find(site_id, period)
        return self._known[site_id, period]

    def _find(self, site_id: UUID, period: int) -> str:
        wanted = {"site": site_id, "period": period}
        if known := _SECRET.one(self._session, wanted):
            return str(known.secret)
        made = {"site_id": site_id, "period": period, "secret": secrets.token_urlsafe(32)}
        _NEW_SECRET.run(self._session, made)
        return str(_SECRET.one(self._session, wanted).secret)


def find(keys: Keys, site_id: UUID, known: str | None, *, now: datetime) -> Network | None:
    """The network of this prefix under the site's key of this period; None without a prefix."""
    if known is None:
        return None
    period = period_of(now)
    return Network(period, keyed(keys.of(site_id, period), "network", known))


_SECRET = Prepared(
    select(NetworkKey.secret).where(
        NetworkKey.site_id == bindparam("site"), NetworkKey.period == bindparam("period")
    )
)
_NEW_SECRET = Prepared.insert(NetworkKey, "site_id period secret", or_leave=True)

UNTIL = (
    select(Block.until)
    .where(
        Block.site_id == bindparam("site"),
        Block.network == bindparam("network"),
        Block.until > bindparam("now"),
    )
    .scalar_subquery()
    .label("until")
)
"""When an editor's block of a site's network ends; null where none holds."""


def refusal(until: datetime) -> Blocked:
    """What a blocked network's reader is told."""
    return Blocked(
        "This site takes no reports from your network for now; it will again from %(when)s UTC.",
        values={"when": f"{until:%Y-%m-%d %H:%M}"},
    )
