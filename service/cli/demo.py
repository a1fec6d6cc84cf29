"""`corrigenda demo`: a newspaper, a desk and a webhook receiver to try everything with."""

import ipaddress
import logging
import os
import secrets
import signal
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import __version__, logs
from service import settings as settings_module
from service.accounts import editors, sites
from service.cli import demo_asks, serve
from service.db import Database, migrate
from service.dispatch import webhooks
from service.dispatch.applying import APPLY
from service.errors import NotFound, Unavailable
from service.models import Article, Editor, Role, Site
from service.settings import Settings
from service.support import campaigns
from service.web import demo as pages

HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
SITE_KEY = "demo"
SITE_NAME = "The Lantern"
EMAIL = "editor@lantern.example"
RECEIVER = "/demo/receiver"
APPLIER = "/demo/apply"
WEBHOOKS = {
    RECEIVER: ("The demo's own receiver", ["correction.*"]),
    APPLIER: ("The demo's own content system", [APPLY]),
}
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
THREADS = 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is in the database for the demo, and the editor's password of this start."""

    site_key: str
    webhook_id: UUID | None
    apply_webhook_id: UUID | None
    password: str


class Server(serve.Server):
    """The one process of `serve`, with the demo's pages."""

    def __init__(self, settings: Settings, options: dict[str, Any], prepared: Prepared) -> None:
        self.prepared = prepared
        super().__init__(settings, options, threads=THREADS, with_worker=True)

    def wire(self) -> Any:
        """Add the pages; log only what went wrong, the terminal is for the addresses."""
        app = super().wire()
        logs.set_up(logging.WARNING)
        ready = self.prepared
        pages.register(app, pages.Demo(ready.site_key, ready.webhook_id, ready.apply_webhook_id))
        return app


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    envvar="PORT",
    help="0 takes a free one.",
)
def demo(port: int) -> None:
    """Serve a demo: articles with mistakes, the desk, a webhook receiver."""
    logs.set_up(logging.WARNING)
    listener = serve.listen(HOST, port)
    port = listener.getsockname()[1]
    settings = _settings(port)
    database = Database(settings.database_url)
    migrate.upgrade(database)
    with database.write() as session:
        prepared = prepare(session, settings, port=port, now=datetime.now(UTC))
    database.dispose()
    options = {
        **serve.options(listener, workers=1),
        "loglevel": "warning",
        "when_ready": lambda _arbiter: _ready(settings, prepared),
        "post_worker_init": lambda _worker: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    }
    Server(settings, options, prepared).run()


def prepare(session: Session, settings: Settings, *, port: int, now: datetime) -> Prepared:
    """Make the demo's site, editor and webhook; those of an earlier start follow the port."""
    site = _site(session, settings, now)
    sites.change(
        site,
        origins=[f"http://{host}:{port}" for host in HOSTS],
        privacy_url=f"{settings.public_url}/demo/about#privacy",
        contact_url=f"{settings.public_url}/demo/about#contact",
    )
    for article in session.scalars(select(Article).where(Article.site_id == site.id)):
        article.url = _on_port(article.url, port)
    for campaign in campaigns.of_site(session, site.id):
        campaign.variants = [_linked(variant, port) for variant in campaign.variants]
    receiver_id = _webhook(session, site, f"{settings.public_url}{RECEIVER}", settings, now)
    apply_id = _webhook(session, site, f"{settings.public_url}{APPLIER}", settings, now)
    return Prepared(site.key, receiver_id, apply_id, _password(session, site, now))


def _site(session: Session, settings: Settings, now: datetime) -> Site:
    try:
        return sites.find(session, SITE_KEY)
    except NotFound:
        # The key is made of the name: this one stays the same whatever the site is called later.
        site = sites.create(session, SITE_KEY, [f"http://{HOST}"], now=now)
        sites.change(site, name=SITE_NAME)
        demo_asks.plant(session, site, settings.public_url, now=now)
        return site


def _password(session: Session, site: Site, now: datetime) -> str:
    """A new password of the demo's editor, who is made at the first start."""
    password = "".join(secrets.choice(LETTERS) for _ in range(12))
    if session.scalar(select(Editor.id).where(Editor.email == EMAIL)):
        editors.set_password(session, EMAIL, password, now=now)
    else:
        editors.create(session, EMAIL, password, site, Role.ADMIN, now=now)
    return password


def _webhook(
    session: Session, site: Site, url: str, settings: Settings, now: datetime
) -> UUID | None:
    """A webhook to the demo's own pages; None where somebody set up another for applying."""
    path = urlsplit(url).path
    description, events = WEBHOOKS[path]
    for known in webhooks.of_site(session, site.id):
        if known.url.endswith(path):
            known.url = url
            return known.id
        if known.events == events == [APPLY]:
            return None
    checked = webhooks.checked_url(url, settings.webhook_allow_networks)
    return webhooks.create(session, site.id, checked, events, now=now, description=description).id


def _linked(variant: dict[str, Any], port: int) -> dict[str, Any]:
    """A variant of a campaign whose links to the demo follow the port."""

    def moved(text: dict[str, Any]) -> dict[str, Any]:
        links = {
            kind: [{**link, "url": _on_port(link["url"], port)} for link in text[kind]]
            for kind in ("ways", "amounts")
        }
        return {**text, **links}

    return {**variant, "texts": {each: moved(text) for each, text in variant["texts"].items()}}


def _on_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    if parts.hostname not in HOSTS:
        return url
    return parts._replace(netloc=f"{parts.hostname}:{port}").geturl()


def _settings(port: int) -> Settings:
    """The settings of the environment, at this port, with loopback open to webhooks."""
    read = settings_module.read()
    if not read.database_url.startswith("sqlite"):
        raise Unavailable("The demo keeps its data in SQLite: unset CORRIGENDA_DATABASE_URL.")
    return replace(
        read,
        public_url=f"http://{HOST}:{port}",
        webhook_allow_networks=(*read.webhook_allow_networks, LOOPBACK),
    )


def _ready(settings: Settings, prepared: Prepared) -> None:
    # Gunicorn would reload on this signal; a demo whose terminal was closed should end.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    home = settings.public_url
    click.echo(
        f"""Corrigenda {__version__}, the demo. Press Ctrl+C to stop.

  Articles   {home}/demo
  Review     {home}/review
               E-mail:   {EMAIL}
               Password: {prepared.password}  (a new one at each start)
  Webhooks   {home}{RECEIVER}
  API        {home}/docs

  Site key: {prepared.site_key}. Data: {settings.data_dir}
"""
    )
