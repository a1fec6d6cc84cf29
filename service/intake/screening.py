"""What stands between a report and the queue: blocks, the spam score, a challenge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.db import Asking
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
    blocked = networks.blocked(session, [(each.site.id, net, each.now) for each, net in pairs])
    earlier = spam.earlier(session, pairs)
    return [
        block or _scored(session, each, network, before)
        for (each, network), block, before in zip(pairs, blocked, earlier, strict=True)
    ]


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
