"""What stands between a report and the queue: blocks, the spam score, a challenge."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from service.intake import challenges, networks, spam
from service.intake.reports import NewReport
from service.intake.spam import Reason
from service.models import Site


@dataclass(frozen=True, slots=True)
class Screened:
    """What is thought of a report that may come in."""

    reasons: list[Reason]
    score: int
    suspected: bool
    network: str | None


def screen(
    session: Session, site: Site, new: NewReport, address: str, *, secret: str, now: datetime
) -> Screened:
    """Score a report, and have a challenge solved where the site's threshold is reached.

    Raises Blocked, ChallengeRequired.
    """
    network = networks.find(session, site.id, address, now=now)
    if network:
        networks.refuse_blocked(session, site.id, network, now=now)
    reasons = spam.reasons(session, site, new, network, now=now)
    score = spam.score(reasons)
    if site.challenge_threshold is not None and score >= site.challenge_threshold:
        challenges.spend(session, site, new.altcha, secret=secret, now=now)
    return Screened(reasons, score, score >= site.spam_threshold, network.hash if network else None)
