from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service import audits
from service.accounts import sites, tokens
from service.db import Database
from service.errors import InvalidFields, StaleVersion
from service.models import Editor, Report, Site
from service.web.pages.settings import words
from tests.security.belongings import READER, belongings
from tests.web.test_pages import send, sign_in


def log(database: Database, site: Site, **narrowed: str) -> list[tuple[str, str, str]]:
    with database.read() as session:
        page = audits.page(session, site.id, **narrowed)
        return [(entry.by, entry.action, entry.subject) for entry in page.entries]


def test_log_has_who_did_what_with_before_and_after(
    database: Database, site: Site, now: datetime
) -> None:
    with database.write() as session:
        kept = session.get_one(Site, site.id)
        sites.save(
            session, kept, {"name": "The Weekly", "excerpt_limit": 500}, by="admin@a", now=now
        )
    with database.read() as session:
        [entry, made] = audits.page(session, site.id).entries
    assert (entry.by, entry.action, entry.created_at) == ("admin@a", "site.changed", now)
    assert (entry.before, entry.after) == ({"name": "The Daily"}, {"name": "The Weekly"})
    assert (made.by, made.action) == ("command line", "site.made")


def test_log_is_paged_and_narrowed_and_the_sites_own(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    with database.write() as session:
        for number in range(5):
            audits.note(session, site.id, "token.made", str(number), by="a", now=now)
        audits.note(session, other_site.id, "token.made", "theirs", by="a", now=now)
    assert [subject for _, _, subject in log(database, site, by="a")] == list("43210")
    assert [action for _, action, _ in log(database, site, action="site.made")] == ["site.made"]
    with database.read() as session:
        first = audits.page(session, site.id, by="a", limit=3)
        second = audits.page(session, site.id, by="a", limit=3, before=first.next)
        assert [each.subject for each in first.entries] == ["4", "3", "2"]
        assert [each.subject for each in second.entries] == ["1", "0"]
        assert second.next is None
        assert audits.names(session, site.id) == (
            ["a", "command line"],
            ["site.made", "token.made"],
        )


def test_log_has_no_tokens_secret(database: Database, site: Site, now: datetime) -> None:
    with database.write() as session:
        token, secret = tokens.create(session, site, ["read"], name="CMS", by="a", now=now)
        tokens.revoke(session, token.id, site_id=site.id, by="a", now=now)
    assert log(database, site, by="a") == [
        ("a", "token.revoked", "CMS"),
        ("a", "token.made", "CMS"),
    ]
    with database.read() as session:
        [_, made, _] = audits.page(session, site.id).entries
    assert made.after == {"scopes": ["read"]}
    assert secret not in str(vars(made))


def test_settings_that_somebody_else_changed_meanwhile_are_not_overwritten(
    database: Database, site: Site, now: datetime
) -> None:
    with database.write() as session:
        sites.save(session, site, {"name": "First"}, by="first@a", now=now, version=1)
    with pytest.raises(StaleVersion), database.write() as session:
        kept = session.get_one(Site, site.id)
        sites.save(session, kept, {"name": "Second"}, by="second@a", now=now, version=1)
    with database.read() as session:
        kept = session.get_one(Site, site.id)
        assert (kept.name, kept.version) == ("First", 2)
        [change] = sites.changes_since(session, kept, 1)
        assert (change.by, change.after) == ("first@a", {"name": "First"})


def test_every_bad_setting_is_told_at_once(database: Database, site: Site, now: datetime) -> None:
    bad = {
        "name": "",
        "origins": ["https://news.example", "no origin"],
        "article_selector": "x" * 501,
        "excerpt_limit": 501,
        "language": "",
        "categories": [],
        "reject_reasons": ["x" * 201],
        "blocked_words": ["x" * 101],
        "spam_threshold": 0,
        "challenge_threshold": 101,
        "email_retention_days": 0,
        "network_retention_days": 31,
        "time_zone": "Mars/North",
        "privacy_url": "javascript:alert(1)",
        "corrections_policy_url": "ftp://news.example",
        "colour": "red",
    }
    with pytest.raises(InvalidFields) as refusal, database.write() as session:
        sites.save(session, site, bad, by="a", now=now)
    told = [error["pointer"].split("/")[1] for error in refusal.value.errors]
    assert told == list(bad)
    assert log(database, site, action="site.changed") == []


OF_ONESELF = {
    "begin_second_step", "change_account", "change_password", "confirm_second_step",
    "end_other_sessions", "end_session", "renew_codes", "turn_off_second_step",
}  # fmt: skip
"""What somebody does to their own account."""

CHANGE_NOTHING = {"find_reader", "send_ping", "send_test_message"}

LOGGED = {
    "block_networks": "network.blocked",
    "change_campaign": "campaign.changed",
    "change_support_lines": "support_lines.changed",
    "erase_reader": "reader.erased",
    "export_reader": "reader.exported",
    "invite": "editor.invited",
    "lift_block": "network.freed",
    "make_channel": "channel.made",
    "make_password_link": "editor.password_link_made",
    "make_token": "token.made",
    "make_webhook": "webhook.made",
    "remove_campaign": "campaign.removed",
    "remove_channel": "channel.removed",
    "remove_editor": "editor.removed",
    "remove_webhook": "webhook.removed",
    "renew_secret": "webhook.secret_renewed",
    "replay_events": "webhook.replayed",
    "revoke_token": "token.revoked",
    "save_channel": "channel.changed",
    "save_site_settings": "site.changed",
    "save_webhook": "webhook.changed",
    "send_again": "webhook.redelivered",
    "send_failed_again": "webhook.redelivered",
    "set_role": "editor.role_changed",
    "switch_channel": "channel.changed",
    "switch_webhook": "webhook.changed",
    "withdraw_invitation": "invitation.withdrawn",
}
"""Forms of an admin, and what the log says of each."""


def test_every_form_of_the_settings_is_logged_and_named(app: Flask) -> None:
    forms = {
        rule.endpoint.removeprefix("pages.")
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or set())
        and rule.rule.startswith(("/review/settings", "/review/blocks"))
    }
    assert forms | {"block_networks"} == OF_ONESELF | CHANGE_NOTHING | LOGGED.keys()
    assert set(LOGGED.values()) <= words.ACTIONS.keys()


SENT: dict[str, dict[str, str]] = {
    "block_networks": {"days": "30"},
    "change_campaign": {"version": "1", "name": "Late autumn", "variants/0/key": "a"},
    "change_support_lines": {"version": "0", "quotes": "on", "quote_from": "500",
                             "quote_texts/en": "Name us."},
    "invite": {"email": "new@news.example", "role": "editor"},
    "make_channel": {"medium": "mail", "name": "desk", "address": "a@news.example", "events": "*"},
    "make_token": {"name": "cms", "scopes": "read"},
    "make_webhook": {"url": "https://cms.example/", "events": "*"},
    "replay_events": {"since": "2026-01-01"},
    "save_channel": {"name": "night", "address": "a@news.example", "events": "*"},
    "save_webhook": {"url": "https://cms.example/other", "events": "*"},
    "send_failed_again": {"since": "2026-01-01T00:00"},
    "set_role": {"role": "admin"},
    "switch_channel": {"enabled": "false"},
    "switch_webhook": {"enabled": "false"},
}  # fmt: skip


# What a form does on both databases is tested with its own page.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "endpoint", sorted(LOGGED.keys() - {"change_campaign", "save_site_settings"})
)
def test_what_a_form_does_is_logged(
    app: Flask, client: FlaskClient, database: Database, site: Site, now: datetime,
    admin: Editor, editor: Editor, endpoint: str,
) -> None:  # fmt: skip
    ids = belongings(database, site, now, editor)
    with database.read() as session:
        chosen = select(Report.id).where(Report.correction_id == UUID(ids["correction_id"]))
        sent = {"report": str(session.scalar(chosen)), "email": READER, **SENT.get(endpoint, {})}
    [rule] = app.url_map.iter_rules(f"pages.{endpoint}")
    path = rule.rule.replace("<uuid:", "<")
    for name, value in ids.items():
        path = path.replace(f"<{name}>", value)
    sign_in(client, admin)
    before = len(log(database, site))
    answer = send(client, path, **sent)
    assert answer.status_code in {200, 303}, answer.text
    written = log(database, site)[: len(log(database, site)) - before]
    assert [(by, action) for by, action, _ in written] == [(admin.email, LOGGED[endpoint])]
