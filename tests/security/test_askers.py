"""Who is asking against what is asked: every route there is, and the status that each asker gets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from service.accounts import tokens
from service.accounts.principals import Scope
from service.db import Database
from service.models import Editor, Role, Site
from service.web.limits import limiter
from tests.security.belongings import belongings
from tests.security.tally import Tally
from tests.web.test_pages import OURS, form_token, sign_in

ROW = "one site's editor reading another's"
EVERYBODY = "everybody"


@dataclass(frozen=True)
class Row:
    """Who may ask a route, and what an empty request of theirs is answered."""

    may_ask: Scope | Role | str
    status: int
    of_another_site: int | None = None
    """What an admin of another site is answered; None: 404 where the address names something."""


TABLE = {
    "api-docs.openapi_json": Row(EVERYBODY, 200),
    "articles.push_article": Row(Scope.PUBLISH, 422),
    "campaigns.delete_campaign": Row(Scope.PUBLISH, 204),
    "campaigns.get_campaign": Row(Scope.READ, 200),
    "campaigns.list_campaigns": Row(Scope.READ, 200),
    "campaigns.note_support_event": Row(EVERYBODY, 403),
    "campaigns.put_campaign": Row(Scope.PUBLISH, 422),
    "corrections.apply_correction": Row(Scope.REVIEW, 409),
    "corrections.change_correction": Row(Scope.REVIEW, 200),
    "corrections.get_correction": Row(Scope.READ, 200),
    "corrections.list_corrections": Row(Scope.READ, 200),
    "corrections.move_correction": Row(Scope.REVIEW, 422),
    "corrections.move_corrections": Row(Scope.REVIEW, 422),
    "exports.export_csv": Row(Scope.READ, 200),
    "exports.export_jsonl": Row(Scope.READ, 200),
    "metrics.metrics": Row(EVERYBODY, 200),
    "ops.healthz": Row(EVERYBODY, 200),
    "ops.readyz": Row(EVERYBODY, 200),
    "pages.account": Row(Role.EDITOR, 200),
    "pages.act": Row(Role.EDITOR, 422),
    "pages.add_note": Row(Role.EDITOR, 422),
    "pages.agree": Row(EVERYBODY, 200),
    "pages.apply": Row(Role.EDITOR, 409),
    "pages.ask_to_stop_channel": Row(EVERYBODY, 404),
    "pages.ask_to_stop_mail": Row(EVERYBODY, 200),
    "pages.atom": Row(EVERYBODY, 200),
    "pages.articles": Row(Role.EDITOR, 200),
    "pages.stats": Row(Role.EDITOR, 200),
    "pages.table_of_stats": Row(Role.EDITOR, 422),
    "pages.table_of_view": Row(Role.EDITOR, 200),
    "pages.view_as_annotations": Row(Role.EDITOR, 200),
    "pages.audit": Row(Role.ADMIN, 200),
    "pages.begin_second_step": Row(Role.EDITOR, 303),
    "pages.block_networks": Row(Role.EDITOR, 422),
    "pages.campaign": Row(Role.EDITOR, 200),
    "pages.change": Row(Role.EDITOR, 303),
    "pages.change_account": Row(Role.EDITOR, 303),
    "pages.change_campaign": Row(Role.EDITOR, 422),
    "pages.change_password": Row(Role.EDITOR, 422),
    "pages.change_support_lines": Row(Role.EDITOR, 303),
    "pages.channel": Row(Role.ADMIN, 200),
    "pages.channels": Row(Role.ADMIN, 200),
    "pages.confirm_second_step": Row(Role.EDITOR, 422),
    "pages.correction": Row(Role.EDITOR, 200),
    "pages.delivery": Row(Role.ADMIN, 200),
    "pages.edit_webhook": Row(Role.ADMIN, 200),
    "pages.corrections_as_annotations": Row(Role.ADMIN, 200),
    "pages.erase_reader": Row(Role.ADMIN, 200),
    "pages.export_reader": Row(Role.ADMIN, 200),
    "pages.find_reader": Row(Role.ADMIN, 200),
    "pages.readers": Row(Role.ADMIN, 200),
    "pages.table_of_corrections": Row(Role.ADMIN, 200),
    "pages.editors": Row(Role.ADMIN, 200),
    "pages.end_other_sessions": Row(Role.EDITOR, 303),
    "pages.end_session": Row(Role.EDITOR, 303),
    "pages.entry": Row(EVERYBODY, 404),
    "pages.forget": Row(EVERYBODY, 200),
    "pages.forgotten": Row(EVERYBODY, 200),
    "pages.invitation": Row(EVERYBODY, 404),
    "pages.invite": Row(Role.ADMIN, 422),
    "pages.join": Row(EVERYBODY, 404),
    "pages.json_feed": Row(EVERYBODY, 200),
    "pages.lift_block": Row(Role.EDITOR, 303),
    "pages.live": Row(Role.EDITOR, 200),
    "pages.login": Row(EVERYBODY, 200),
    "pages.logout": Row(EVERYBODY, 303),
    "pages.mail": Row(EVERYBODY, 200),
    "pages.make_channel": Row(Role.ADMIN, 422),
    "pages.make_password_link": Row(Role.ADMIN, 200),
    "pages.make_token": Row(Role.ADMIN, 422),
    "pages.make_webhook": Row(Role.ADMIN, 422),
    "pages.mentions": Row(Role.EDITOR, 200),
    "pages.move": Row(Role.EDITOR, 422),
    "pages.new_campaign": Row(Role.EDITOR, 200),
    "pages.new_channel": Row(Role.ADMIN, 200),
    "pages.new_password": Row(EVERYBODY, 404),
    "pages.new_webhook": Row(Role.ADMIN, 200),
    "pages.oembed": Row(EVERYBODY, 422),
    "pages.publish": Row(Role.EDITOR, 422),
    "pages.put_back": Row(Role.EDITOR, 409),
    "pages.receipt": Row(EVERYBODY, 404),
    "pages.record": Row(EVERYBODY, 200),
    "pages.remove_campaign": Row(Role.EDITOR, 303),
    "pages.remove_channel": Row(Role.ADMIN, 303),
    "pages.remove_editor": Row(Role.ADMIN, 409),
    "pages.remove_webhook": Row(Role.ADMIN, 303),
    "pages.renew_codes": Row(Role.EDITOR, 422),
    "pages.renew_secret": Row(Role.ADMIN, 200),
    "pages.replay_events": Row(Role.ADMIN, 422),
    "pages.report": Row(EVERYBODY, 200),
    "pages.report_sent": Row(EVERYBODY, 404),
    "pages.reset_password": Row(EVERYBODY, 404),
    "pages.review": Row(Role.EDITOR, 200),
    "pages.revoke_token": Row(Role.ADMIN, 303),
    "pages.rows": Row(Role.EDITOR, 200),
    "pages.save_channel": Row(Role.ADMIN, 422),
    "pages.save_site_settings": Row(Role.ADMIN, 422),
    "pages.save_webhook": Row(Role.ADMIN, 422),
    "pages.second_step": Row(Role.EDITOR, 200),
    "pages.send_again": Row(Role.ADMIN, 303),
    "pages.send_failed_again": Row(Role.ADMIN, 422),
    "pages.send_ping": Row(Role.ADMIN, 303),
    "pages.send_report": Row(EVERYBODY, 422),
    "pages.send_test_message": Row(Role.ADMIN, 200),
    "pages.set_role": Row(Role.ADMIN, 422, of_another_site=422),
    "pages.settings": Row(Role.EDITOR, 303),
    "pages.sign_in": Row(EVERYBODY, 401),
    "pages.sign_in_by_code": Row(EVERYBODY, 401),
    "pages.site_settings": Row(Role.ADMIN, 200),
    "pages.sitemap": Row(EVERYBODY, 200),
    "pages.split": Row(Role.EDITOR, 422),
    "pages.start": Row(EVERYBODY, 200),
    "pages.stop_channel": Row(EVERYBODY, 404),
    "pages.stop_mail": Row(EVERYBODY, 200),
    "pages.campaigns_page": Row(Role.EDITOR, 302),
    "pages.support": Row(Role.EDITOR, 200),
    "pages.support_results": Row(Role.EDITOR, 200),
    "pages.support_results_csv": Row(Role.EDITOR, 200, of_another_site=404),
    "pages.switch_channel": Row(Role.ADMIN, 422, of_another_site=422),
    "pages.switch_site": Row(Role.EDITOR, 404),
    "pages.switch_webhook": Row(Role.ADMIN, 422, of_another_site=422),
    "pages.tick_off": Row(Role.EDITOR, 303),
    "pages.tokens": Row(Role.ADMIN, 200),
    "pages.turn_off_second_step": Row(Role.EDITOR, 422),
    "pages.webhook": Row(Role.ADMIN, 200),
    "pages.webhooks": Row(Role.ADMIN, 200),
    "pages.withdraw": Row(Role.EDITOR, 404),
    "pages.withdraw_invitation": Row(Role.ADMIN, 303),
    "public.create_report": Row(EVERYBODY, 403),
    "public.receipt": Row(EVERYBODY, 404),
    "public.places_script": Row(EVERYBODY, 200),
    "public.widget": Row(EVERYBODY, 200),
    "publications.delete_publication": Row(Scope.PUBLISH, 404),
    "publications.put_publication": Row(Scope.PUBLISH, 422),
    "record.record": Row(EVERYBODY, 200),
    "reference.docs": Row(EVERYBODY, 200),
    "static": Row(EVERYBODY, 200),
    "statistics.get_statistics": Row(Scope.READ, 200),
    "webhooks.change_webhook": Row(Scope.ADMIN, 200),
    "webhooks.create_webhook": Row(Scope.ADMIN, 422),
    "webhooks.delete_webhook": Row(Scope.ADMIN, 204),
    "webhooks.get_webhook": Row(Scope.READ, 200),
    "webhooks.list_deliveries": Row(Scope.READ, 200),
    "webhooks.list_webhooks": Row(Scope.READ, 200),
    "webhooks.ping_webhook": Row(Scope.ADMIN, 202),
    "webhooks.redeliver": Row(Scope.ADMIN, 202),
    "webhooks.redeliver_failed": Row(Scope.ADMIN, 422),
    "webhooks.replay": Row(Scope.ADMIN, 422),
    "webhooks.rotate_secret": Row(Scope.ADMIN, 200),
}

ASKERS = [
    "nobody",
    "stranger",
    "editor of the site",
    "admin of the site",
    *[f"token of another site: {scope}" for scope in Scope],
    *[f"token: {scope}" for scope in Scope],
]
# What ends a thing comes after what looks at it, and signing out after everything.
ORDER = {"GET": 0, "PUT": 1, "PATCH": 2, "POST": 3, "DELETE": 4}
LAST = {
    "pages.remove_channel": 4,
    "pages.remove_webhook": 4,
    "pages.switch_site": 5,
    "pages.logout": 6,
}


def in_order(app: Flask) -> list[tuple[str, Rule]]:
    found = [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    return sorted(
        found, key=lambda each: (LAST.get(each[1].endpoint, ORDER[each[0]]), each[1].rule)
    )


def address(rule: Rule, ids: dict[str, str]) -> str:
    path = rule.rule
    for name in rule.arguments:
        for kind in ("uuid:", "path:", ""):
            path = path.replace(f"<{kind}{name}>", ids[name])
    return path


def expected(asker: str, method: str, rule: Rule) -> int:
    """The status that the table promises; 303 stands for being led to the sign-in too."""
    row = TABLE[rule.endpoint]
    if row.may_ask == EVERYBODY:
        return row.status
    kind, _, scope = asker.partition(": ")
    if isinstance(row.may_ask, Scope):
        if not scope:
            return 401
        if scope != row.may_ask:
            return 403
        is_theirs = kind == "token" or not set(rule.arguments)
        return row.status if is_theirs or row.status == 422 else 404
    if scope or asker == "nobody":
        return 303
    if asker == "stranger" and (rule.arguments or row.of_another_site):
        return row.of_another_site or 404
    if asker == "editor of the site" and row.may_ask is Role.ADMIN:
        return 403
    return row.status


@pytest.fixture
def signed(
    app: Flask,
    database: Database,
    site: Site,
    other_site: Site,
    now: datetime,
    editor: Editor,
    admin: Editor,
    other_site_editor: Editor,
) -> Any:
    """For an asker: a client, the headers, and the token of its forms."""
    people = {
        "stranger": other_site_editor,
        "editor of the site": editor,
        "admin of the site": admin,
    }

    def sign(asker: str) -> tuple[FlaskClient, dict[str, str], str]:
        client = app.test_client()
        if asker in people:
            sign_in(client, people[asker])
            return client, OURS, form_token(client)
        kind, _, scope = asker.partition(": ")
        if not scope:
            return client, OURS, ""
        of = site if kind == "token" else other_site
        with database.write() as session:
            _, secret = tokens.create(session, of, [scope], now=now)
        return client, {**OURS, "Authorization": f"Bearer {secret}"}, ""

    return sign


def test_every_route_has_a_row(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(TABLE)


# What somebody may do does not depend on the database; the routes run on both in tests of their own.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("asker", ASKERS)
def test_each_asker_gets_what_the_table_says(
    app: Flask,
    database: Database,
    site: Site,
    now: datetime,
    editor: Editor,
    admin: Editor,
    asker: str,
    signed: Any,
    tally: Tally,
) -> None:
    owner = editor if asker.startswith("editor") else admin
    ids = belongings(database, site, now, owner)
    ids |= {"key": site.key, "token": "x" * 43, "stop_token": "x" * 43, "filename": "widget.js"}
    ids["publication_id"] = str(uuid4())
    limiter.reset()
    client, headers, token = signed(asker)
    for method, rule in in_order(app):
        path = address(rule, ids)
        sent: dict[str, Any] = {}
        if path.startswith("/api/"):
            sent = {"json": {}}
        elif method == "POST":
            sent = {"data": {"form_token": token}}
        with client.open(path, method=method, headers=headers, **sent) as answer:
            wanted = expected(asker, method, rule)
            is_right = answer.status_code == wanted
            tally.add((method, rule.rule, answer.status_code, wanted), held=is_right)
