"""The end of a channel's messages, by the link that each of its mails has."""

import hmac
from uuid import UUID

from service.dispatch import channel_settings, parcels
from service.errors import NotFound
from service.models import Channel, Site
from service.web import current
from service.web.cookies import Answer
from service.web.limits import limiter
from service.web.pages.frame import blueprint
from service.web.pages.links import secret


@blueprint.get("/channels/<uuid:channel_id>/stop/<stop_token>")
@limiter.limit("30/minute")
def ask_to_stop_channel(channel_id: UUID, stop_token: str) -> Answer:
    """Ask whether the messages are to stop; opening the page alone stops nothing."""
    return _page(channel_id, stop_token)


@blueprint.post("/channels/<uuid:channel_id>/stop/<stop_token>")
@limiter.limit("30/minute")
def stop_channel(channel_id: UUID, stop_token: str) -> Answer:
    """Stop them, by the page's button or by a mail program's one click (RFC 8058)."""
    # No check of the origin: mail programs send none, and nothing rides on a cookie here.
    _check(channel_id, stop_token)
    with current.database().write() as session:
        channel_settings.stop(session, channel_id, now=current.now())
    return _page(channel_id, stop_token)


def _check(channel_id: UUID, stop_token: str) -> None:
    wanted = parcels.stop_token(current.settings().secret_key, channel_id)
    if not hmac.compare_digest(stop_token.encode(), wanted.encode()):
        raise NotFound("This link is not one of ours, or it was cut off.")


def _page(channel_id: UUID, stop_token: str) -> Answer:
    _check(channel_id, stop_token)
    with current.database().read() as session:
        channel = session.get(Channel, channel_id)
        if channel is None:
            raise NotFound("This channel is gone: nothing is sent any more.")
        site = session.get_one(Site, channel.site_id)
    return secret("channel_stop.html", channel=channel, site=site)
