"""The audit log of a site."""

from uuid import UUID

import marshmallow as ma
from flask import request
from marshmallow import fields

from service import audits
from service.accounts.principals import Principal, Scope
from service.web import current
from service.web.bodies import Parser
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import show
from service.web.schemas import Text


class AuditIn(ma.Schema):
    """Which part of the log is asked for."""

    class Meta:
        """Other arguments are left alone."""

        unknown = ma.EXCLUDE

    by = Text(300, load_default="")
    action = Text(40, load_default="")
    before = fields.UUID(load_default=None)


@blueprint.get("/review/settings/audit")
@signed_in(Scope.ADMIN)
def audit(who: Principal) -> Answer:
    """What admins did, the newest first."""
    wanted = Parser().parse(AuditIn(), request, location="query", unknown=ma.EXCLUDE)
    before: UUID | None = wanted["before"]
    with current.database().read() as session:
        everybody, actions = audits.names(session, who.site_id)
        return show(
            session,
            who,
            "audit",
            page=audits.page(
                session, who.site_id, by=wanted["by"], action=wanted["action"], before=before
            ),
            everybody=everybody,
            actions=actions,
            asked=wanted,
        )
