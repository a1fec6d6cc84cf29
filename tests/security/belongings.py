"""Things of a site, one of each kind that an address can name."""

from datetime import datetime
from uuid import uuid4

from service.accounts import invitations, sessions, tokens
from service.db import Database
from service.desk import notes
from service.desk.moves import By
from service.dispatch import channel_settings, webhooks
from service.dispatch.channel_settings import Wishes
from service.dispatch.webhooks import CheckedUrl
from service.intake import blocks
from service.models import Editor, Medium, Role, Site
from service.support import campaigns
from tests.reporting import report
from tests.support.conftest import asking

EXCERPT, COMMENT, HOOKS = "a secret excerpt", "a secret comment", "hooks-of-the-other"
READER = "reader@secret.example"


def belongings(database: Database, site: Site, now: datetime, owner: Editor) -> dict[str, str]:
    """Ids of new things of the site, by the name that a route gives them."""
    correction = report(
        database, site, now, exact=EXCERPT, comment=COMMENT, email=READER, address="198.51.100.7"
    )
    with database.write() as session:
        address = CheckedUrl(f"https://{HOOKS}.example/")
        webhook = webhooks.create(session, site.id, address, ["*"], now=now)
        sent = webhooks.ping(session, webhook, now=now)
        campaign = f"c-{uuid4().hex[:12]}"
        campaigns.put(
            session,
            site.id,
            campaign,
            asking(sections=[campaign]),
            by="admin@news.example",
            now=now,
        )
    with database.write() as session:
        token, _ = tokens.create(session, site, ["read"], now=now)
        signed_in = sessions.id_of(session, sessions.begin(session, owner, now=now))
        invited = f"{uuid4().hex[:12]}@news.example"
        invitations.invite(session, site, invited, Role.EDITOR, by=owner.email, now=now)
        link = next(
            link for link in invitations.of_site(session, site.id, now=now) if link.email == invited
        )
        by = By(owner.email, owner.id)
        senders = blocks.senders(session, site.id, correction, now=now)
        chosen = [each.report_id for each in senders]
        blocks.block(session, site.id, correction, chosen, 1, by=owner.email, now=now)
        kept_out = blocks.of_site(session, site.id, now=now)
        note = notes.add(session, site.id, correction, f"@{owner.email}?", by=by, now=now)
        wishes = Wishes("desk", ["*"])
        channel = channel_settings.create(
            session, site.id, Medium.MAIL, {"address": READER}, wishes, now=now
        )
    return {
        "block_id": str(kept_out[0].id),
        "channel_id": str(channel.id),
        "editor_id": str(owner.id),
        "token_id": str(token.id),
        "session_id": str(signed_in),
        "link_id": str(link.id),
        "correction_id": str(correction),
        "note_id": str(note.id),
        "webhook_id": str(webhook.id),
        "delivery_id": str(sent.delivery.id),
        "campaign_key": campaign,
    }
