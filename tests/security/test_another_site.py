"""One site's editor and token against another site's things: every route there is, made from the URL map."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from service.accounts import editors
from service.db import Base, Database
from service.models import Delivery, Editor, Role, Site
from service.web.limits import limiter
from tests.conftest import PASSWORD
from tests.reporting import report
from tests.security.belongings import COMMENT, EXCERPT, HOOKS, READER, belongings
from tests.security.tally import Tally
from tests.web.test_pages import OURS, form_token, sign_in

ROW = "one site's editor reading another's"

# Anybody may ask these, or the address itself is the secret.
FOR_EVERYBODY = {
    "pages.agree",
    "pages.ask_to_stop_channel",
    "pages.ask_to_stop_mail",
    "pages.stop_channel",
    "pages.mail",
    "pages.stop_mail",
    "pages.forget",
    "pages.forgotten",
    "pages.invitation",
    "pages.join",
    "pages.new_password",
    "pages.reset_password",
    "pages.sign_in_by_code",
    "api-docs.openapi_json",
    "campaigns.note_support_event",
    "metrics.metrics",
    "ops.healthz",
    "ops.readyz",
    "pages.atom",
    "pages.entry",
    "pages.json_feed",
    "pages.login",
    "pages.oembed",
    "pages.receipt",
    "pages.record",
    "pages.sitemap",
    "pages.report",
    "pages.report_sent",
    "pages.send_report",
    "pages.sign_in",
    "pages.start",
    "public.create_report",
    "public.receipt",
    "public.places_script",
    "public.widget",
    "record.record",
    "reference.docs",
    "static",
}
# These show what is the asker's own: their bodies are searched for the other's.
OF_ONES_OWN = {
    "pages.audit",
    "pages.begin_second_step",
    "pages.change_password",
    "pages.confirm_second_step",
    "pages.editors",
    "pages.end_other_sessions",
    "pages.invite",
    "pages.make_token",
    "pages.make_webhook",
    "pages.channels",
    "pages.make_channel",
    "pages.new_channel",
    "pages.new_webhook",
    "pages.webhooks",
    "pages.renew_codes",
    "pages.save_site_settings",
    "pages.second_step",
    "pages.site_settings",
    "pages.tokens",
    "pages.turn_off_second_step",
    "articles.push_article",
    "campaigns.list_campaigns",
    "corrections.list_corrections",
    "exports.export_csv",
    "pages.articles",
    "pages.stats",
    "pages.table_of_stats",
    "pages.table_of_view",
    "pages.view_as_annotations",
    "pages.corrections_as_annotations",
    "pages.erase_reader",
    "pages.export_reader",
    "pages.find_reader",
    "pages.readers",
    "pages.table_of_corrections",
    "exports.export_jsonl",
    "corrections.move_corrections",
    "pages.act",
    "pages.live",
    "pages.logout",
    "pages.mentions",
    "pages.review",
    "pages.rows",
    "statistics.get_statistics",
    "webhooks.create_webhook",
    "webhooks.list_webhooks",
    "pages.account",
    "pages.change_account",
    "pages.change_support_lines",
    "pages.new_campaign",
    "pages.settings",
    "pages.campaigns_page",
    "pages.support",
    "pages.support_results",
    "pages.support_results_csv",
    "pages.switch_site",
}

SECRETS = (EXCERPT, COMMENT, HOOKS, READER)

BODIES: dict[str, list[dict[str, Any]]] = {
    "POST": [
        {},
        {"to": "accepted"},
        {"since": "2020-01-01T00:00:00Z"},
        {"to": "spam", "form_token": ""},
    ],
    "PATCH": [{}, {"public_note": "mine now"}, {"enabled": False}, {"suspected": True}],
    "PUT": [
        {},
        {"url": "https://other.example/a", "text": "mine now"},
        {"kind": "retraction", "note": "mine now"},
    ],
    "DELETE": [{}],
    "GET": [{}],
}


@pytest.fixture
def theirs(database: Database, other_site: Site, now: datetime) -> dict[str, str]:
    """Ids of the other site by the name that a route gives them."""
    with database.write() as session:
        owner = editors.create(
            session, "owner@other.example", PASSWORD, other_site, Role.ADMIN, now=now
        )
    return belongings(database, other_site, now, owner)


def state(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, but for when something was last used."""
    volatile = {"used_at", "seen_at"}
    with database.read() as session:
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in session.execute(
                    select(*[column for column in table.columns if column.name not in volatile])
                )
            )
            for table in Base.metadata.sorted_tables
        }


def requests(rule: Rule, ids: dict[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    path = rule.rule
    for name in rule.arguments:
        converted = path.replace(f"<uuid:{name}>", ids[name]).replace(f"<{name}>", ids[name])
        assert converted != path, f"{rule}: say what of the other site stands for {name}"
        path = converted
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        for sent in BODIES[method]:
            yield method, path, sent


def private(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in FOR_EVERYBODY]


def test_every_route_says_who_may_ask_it(app: Flask) -> None:
    names = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert names >= FOR_EVERYBODY | OF_ONES_OWN
    without_id = {rule.endpoint for rule in private(app) if not rule.arguments}
    assert without_id == OF_ONES_OWN


def test_token_of_another_site_finds_nothing(
    app: Flask,
    client: FlaskClient,
    database: Database,
    bearer: dict[str, str],
    theirs: dict[str, str],
    tally: Tally,
) -> None:
    before = state(database)
    for rule in private(app):
        if not rule.rule.startswith("/api/") or not rule.arguments:
            continue
        for method, path, sent in requests(rule, theirs):
            answer = client.open(path, method=method, headers=bearer, json=sent)
            unknown = client.open(
                path.replace(next(i for i in theirs.values() if i in path), str(uuid4())),
                method=method,
                headers=bearer,
                json=sent,
            )
            # What does not pass the schema is refused before anybody looks for the thing.
            held = answer.status_code in {404, 422} and (
                answer.status_code,
                answer.text,
            ) == (unknown.status_code, unknown.text)
            tally.add((method, rule.rule, sent, answer.status_code), held=held)
    assert state(database) == before


def test_session_of_another_site_finds_nothing(
    app: Flask,
    client: FlaskClient,
    database: Database,
    admin: Editor,
    theirs: dict[str, str],
    tally: Tally,
) -> None:
    sign_in(client, admin)
    token = form_token(client)
    before = state(database)
    for rule in private(app):
        if rule.rule.startswith("/api/") or not rule.arguments:
            continue
        for method, path, sent in requests(rule, theirs):
            form = {**sent, "form_token": token} if method == "POST" else None
            answer = client.open(path, method=method, headers=OURS, data=form)
            held = answer.status_code in {404, 422} and not any(
                secret in answer.text for secret in SECRETS
            )
            tally.add((method, rule.rule, sent, answer.status_code), held=held)
    assert state(database) == before


def test_lists_and_bulk_moves_keep_to_ones_own(
    client: FlaskClient,
    database: Database,
    site: Site,
    now: datetime,
    editor: Editor,
    bearer: dict[str, str],
    theirs: dict[str, str],
    tally: Tally,
) -> None:
    own = report(database, site, now)
    sign_in(client, editor)
    before = state(database)
    narrowed = [
        "",
        "?q=secret",
        "?q=%25",
        "?q=_",
        "?q='",
        "?suspected=true",
        "?assignee=editor@other.example",
        "?article=https://other.example/a",
        "?article=https://other.example/",
        f"?cursor=newest:0:{'f' * 32}",
        f"?cursor=newest:0:{UUID(theirs['correction_id']).hex}",
        "?limit=200&sort=most-reported",
        f"?done={theirs['correction_id']}",
        *[f"?state={state}" for state in ("new", "accepted", "fixed", "rejected", "spam")],
    ]
    for base, headers in (
        ("/api/v1/corrections", bearer),
        ("/review", {}),
        ("/review/articles", {}),
        ("/review/corrections.csv", {}),
        ("/review/corrections.jsonl", {}),
        ("/review/stats", {}),
        ("/api/v1/corrections.csv", bearer),
        ("/api/v1/corrections.jsonl", bearer),
        ("/api/v1/webhooks", bearer),
    ):
        for query in narrowed:
            answer = client.get(base + query, headers=headers)
            leaked = [
                each
                for each in (*SECRETS, *theirs.values())
                if each in answer.text and each not in query
            ]
            if base == "/api/v1/corrections" and answer.status_code == 200:
                leaked += [each for each in answer.json["items"] if each["id"] != str(own)]
            tally.add((base, query, leaked), held=not leaked)
    for ids in (
        [theirs["correction_id"]],
        [theirs["correction_id"].upper()],
        [UUID(theirs["correction_id"]).urn],
    ):
        answer = client.post(
            "/api/v1/corrections/moves", headers=bearer, json={"ids": ids, "to": "spam"}
        )
        tally.add(ids, held=[each["status"] for each in answer.json["outcomes"]] == [404])
    for changes in (
        {"duplicate_of": theirs["correction_id"]},
        {"assignee": "editor@other.example"},
    ):
        answer = client.patch(f"/api/v1/corrections/{own}", headers=bearer, json=changes)
        tally.add(changes, held=answer.status_code == 422)
    assert state(database) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_private_route_needs_a_token_or_a_session(
    app: Flask, client: FlaskClient, database: Database, theirs: dict[str, str], tally: Tally
) -> None:
    before = state(database)
    pretended: list[dict[str, str]] = [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer null"},
        {"Authorization": "Bearer corr_" + "a" * 43},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "Bearer corr_' OR '1'='1"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Cookie": "__Host-corrigenda=x"},
        {"Cookie": "__Host-corrigenda="},
        {"X-User": "admin", "X-Forwarded-User": "admin", "Remote-User": "admin"},
    ]
    for rule in private(app):
        for headers in pretended:
            limiter.reset()
            for method, path, sent in requests(rule, theirs):
                form = {"json": sent} if rule.rule.startswith("/api/") else {"data": sent}
                answer = client.open(path, method=method, headers=headers, **form)
                is_led_away = answer.status_code == 303 and answer.headers["Location"].startswith(
                    "/login"
                )
                held = answer.status_code == 401 or is_led_away
                tally.add((method, rule.rule, headers, answer.status_code), held=held)
    assert state(database) == before


def test_delivery_was_made_for_the_other_site(database: Database, theirs: dict[str, str]) -> None:
    """The corpus is real: what nobody finds is there."""
    with database.read() as session:
        assert session.get(Delivery, UUID(theirs["delivery_id"])) is not None
    assert json.dumps(state(database)).count("a secret excerpt") > 0
