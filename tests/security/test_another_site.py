"""One site's editor and token against another site's things: every route there is, made from the URL map."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from service.accounts import tokens
from service.accounts.principals import Scope
from service.db import Base, Database
from service.dispatch import webhooks
from service.dispatch.webhooks import CheckedUrl
from service.models import Delivery, Editor, Site
from tests.reporting import report
from tests.security.tally import Tally
from tests.web.test_pages import OURS, form_token, sign_in

ROW = "one site's editor reading another's"

# Anybody may ask these, or the address itself is the secret.
FOR_EVERYBODY = {
    "api-docs.openapi_json",
    "ops.healthz",
    "ops.readyz",
    "pages.login",
    "pages.receipt",
    "pages.sign_in",
    "pages.start",
    "public.create_report",
    "public.receipt",
    "public.widget",
    "reference.docs",
    "static",
}
# These show what is the asker's own: their bodies are searched for the other's.
OF_ONES_OWN = {
    "articles.push_article",
    "corrections.list_corrections",
    "corrections.move_corrections",
    "pages.logout",
    "pages.review",
    "webhooks.create_webhook",
    "webhooks.list_webhooks",
}

SECRETS = ("a secret excerpt", "a secret comment", "hooks-of-the-other", "reader@secret.example")

BODIES: dict[str, list[dict[str, Any]]] = {
    "POST": [
        {},
        {"to": "accepted"},
        {"since": "2020-01-01T00:00:00Z"},
        {"to": "spam", "form_token": ""},
    ],
    "PATCH": [{}, {"public_note": "mine now"}, {"enabled": False}, {"suspected": True}],
    "PUT": [{}, {"url": "https://other.example/a", "text": "mine now"}],
    "DELETE": [{}],
    "GET": [{}],
}


@pytest.fixture
def theirs(database: Database, other_site: Site, now: datetime) -> dict[str, str]:
    """Ids of the other site by the name that a route gives them."""
    correction = report(
        database,
        other_site,
        now,
        exact="a secret excerpt",
        comment="a secret comment",
        email="reader@secret.example",
    )
    with database.write() as session:
        webhook = webhooks.create(
            session,
            other_site.id,
            CheckedUrl("https://hooks-of-the-other.example/"),
            ["*"],
            now=now,
        )
        sent = webhooks.ping(session, webhook, now=now)
    return {
        "correction_id": str(correction),
        "webhook_id": str(webhook.id),
        "delivery_id": str(sent.delivery.id),
    }


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
    editor: Editor,
    theirs: dict[str, str],
    tally: Tally,
) -> None:
    sign_in(client, editor)
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
            for method, path, sent in requests(rule, theirs):
                form = {"json": sent} if rule.rule.startswith("/api/") else {"data": sent}
                answer = client.open(path, method=method, headers=headers, **form)
                is_led_away = answer.status_code == 303 and answer.headers["Location"].startswith(
                    "/login"
                )
                held = answer.status_code == 401 or is_led_away
                tally.add((method, rule.rule, headers, answer.status_code), held=held)
    assert state(database) == before


def test_each_scope_opens_no_more_than_its_own_routes(
    app: Flask,
    client: FlaskClient,
    database: Database,
    site: Site,
    theirs: dict[str, str],
    scoped: Callable[[Scope], dict[str, str]],
    tally: Tally,
) -> None:
    """For each route exactly one scope is the one; the three others are refused."""
    for rule in private(app):
        if not rule.rule.startswith("/api/"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = next(path for found, path, _ in requests(rule, theirs) if found == method)
            let_in = [
                scope
                for scope in Scope
                if client.open(path, method=method, headers=scoped(scope), json={}).status_code
                not in {401, 403}
            ]
            tally.add((method, rule.rule, let_in), held=len(let_in) == 1)


@pytest.fixture
def scoped(database: Database, site: Site, now: datetime) -> Callable[[Scope], dict[str, str]]:
    made: dict[Scope, dict[str, str]] = {}
    with database.write() as session:
        for scope in Scope:
            _, secret = tokens.create(session, site, [scope], now=now)
            made[scope] = {"Authorization": f"Bearer {secret}"}
    return made.__getitem__


def test_delivery_was_made_for_the_other_site(database: Database, theirs: dict[str, str]) -> None:
    """The corpus is real: what nobody finds is there."""
    with database.read() as session:
        assert session.get(Delivery, UUID(theirs["delivery_id"])) is not None
    assert json.dumps(state(database)).count("a secret excerpt") > 0
