from datetime import datetime

import pytest

from service import audits
from service.accounts import sites, tokens
from service.db import Database
from service.errors import InvalidFields, StaleVersion
from service.models import Site


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
