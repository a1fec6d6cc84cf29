"""What stands between a report and the queue: blocks, the spam score, a challenge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from service.db import Asking, Prepared
from service.errors import ChallengeRequired, Refusal
from service.intake import challenges, networks, spam
from service.intake.networks import Network
from service.intake.reports import Submission
from service.intake.spam import Reason


@dataclass(frozen=True, slots=True)
class Screened:
    """What is thought of a report that may come in."""

    reasons: list[Reason]
    score: int
    suspected: bool
    network: str | None


def screen(session: Asking, asked: Sequence[Submission]) -> list[Screened | Refusal]:
    """Score reports, and have a challenge solved where the site's threshold is reached.

    For each what is thought of it, or Blocked, ChallengeRequired.
    """
    keys = networks.Keys(session)
    known = [networks.find(keys, each.site.id, each.prefix, now=each.now) for each in asked]
    pairs = list(zip(asked, known, strict=True))
    before = _BEFORE.one_for(session, [_asked(each, network) for each, network in pairs])
    return [
        networks.refusal(found.until) if found.until else _scored(session, each, network, found)
        for (each, network), found in zip(pairs, before, strict=True)
    ]


_BEFORE = Prepared(select(networks.UNTIL, *spam.EARLIER))


def _asked(given: Submission, network: Network | None) -> dict[str, Any]:
    return {
        "site": given.site.id,
        "network": network.hash if network else None,
        "comment": given.comment_hash,
        "now": given.now,
        **spam.windows(given.now),
    }


def _scored(
    session: Asking, given: Submission, network: Network | None, earlier: Any
) -> Screened | ChallengeRequired:
    site = given.site
    reasons = spam.reasons(given.new, site, earlier)
    score = spam.score(reasons)
    if site.challenge_threshold is not None and score >= site.challenge_threshold:
        try:
            challenges.spend(session, site, given.new.altcha, secret=given.secret, now=given.now)
        except ChallengeRequired as refusal:
            return refusal
    return Screened(reasons, score, score >= site.spam_threshold, network.hash if network else None)
