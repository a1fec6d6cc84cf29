"""A news site with the widget on it, the real service behind, and every engine that is installed."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.accounts import sites, tokens
from service.db import Database, migrate
from tests.browser.engines import ENGINES, Chromium, Engine, EngineMissing, opened, required
from tests.browser.servers import Pages, Way, serving
from tests.processes import Serving, environment

PRIVACY = "https://news.example/privacy"
CONTACT = "https://news.example/contact"

ARTICLE = """
<article>
<h1>Bridge opens</h1>
<p>The new brigde was opened on <a href="/friday">Friday</a>. It is <em>120 m</em> long. Nobody knew why.</p>
<p>The mayor said: “We are proud.”</p>
</article>
<p id="outside">Read also: nothing.</p>
"""


@dataclass
class News:
    """The site as its readers meet it."""

    pages: Pages
    way: Way
    key: str
    token: str
    database_url: str

    def script(self, **data: str) -> str:
        """The script tag with optional attributes."""
        more = "".join(f' data-{name}="{value}"' for name, value in data.items())
        return f'<script src="{self.way.url}/static/widget.js" data-site="{self.key}"{more} async></script>'

    def publish(
        self,
        path: str,
        body: str = ARTICLE,
        *,
        head: str = "",
        lang: str = "en",
        headers: dict[str, str] | None = None,
        script: str | None = None,
        **data: str,
    ) -> str:
        """Put a page with the widget on the site; gives its address."""
        chosen = self.script(**data) if script is None else script
        page = (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Bridge opens</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}<body>{body}{chosen}'
        )
        return self.pages.put(path, page, headers)

    def sent(self) -> list[Any]:
        """The bodies of the reports that were posted."""
        return [json.loads(body) for body in self.way.posted("/reports")]


@contextmanager
def published(folder: Path) -> Iterator[News]:
    """The site, with a service whose data are in `folder`."""
    env = environment(folder, REPORT_LIMITS="10000/minute", HOLD_SECONDS="0")
    url = f"sqlite:///{folder}/corrigenda.db"
    pages = Pages()
    with ExitStack() as stack:
        pages.url = f"http://127.0.0.1:{stack.enter_context(serving(pages.handler()))}"
        key, token = settled(url, pages.url)
        service = stack.enter_context(Serving(env))
        way = Way(service.port)
        way.url = f"http://127.0.0.1:{stack.enter_context(serving(way.handler()))}"
        yield News(pages, way, key, token, url)


def settled(url: str, origin: str) -> tuple[str, str]:
    """A new database with the site in it; gives the site's key and a token."""
    database = Database(url)
    migrate.upgrade(database)
    now = datetime.now(UTC)
    with database.write() as session:
        site = sites.create(session, "The Daily", [origin], now=now)
        site.privacy_url, site.contact_url = PRIVACY, CONTACT
        _, token = tokens.create(session, site, ["read", "review", "publish"], now=now)
        key = site.key
    database.dispose()
    return key, token


@pytest.fixture(scope="session")
def news_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[News]:
    with published(tmp_path_factory.mktemp("service")) as site:
        yield site


@pytest.fixture
def news(news_site: News) -> News:
    news_site.way.reset()
    return news_site


@pytest.fixture(scope="session", params=sorted(ENGINES))
def browser(request: pytest.FixtureRequest, chromium_process: None) -> Iterator[Engine]:
    """Each engine in turn, started once."""
    try:
        with opened(request.param) as made:
            yield made
    except EngineMissing as missing:
        if required():
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
def engine(browser: Engine, news: News) -> Engine:
    """An engine that keeps nothing from an earlier test."""
    browser.open(news.pages.put("/empty", "<!doctype html><title>empty</title>"))
    browser.evaluate("localStorage.clear()")
    # The page before may have asked for something on its way out.
    news.way.reset()
    return browser


@pytest.fixture
def chromium(chromium_process: None) -> Iterator[Callable[..., Chromium]]:
    """Makes pages in Chromium with what only its driver can do: touch, no network, other media."""
    with ExitStack() as stack:

        def make(**options: Any) -> Chromium:
            try:
                engine = stack.enter_context(opened("chromium", **options))
            except EngineMissing as missing:
                if required():
                    pytest.fail(str(missing))
                pytest.skip(str(missing))
            assert isinstance(engine, Chromium)
            return engine

        yield make
