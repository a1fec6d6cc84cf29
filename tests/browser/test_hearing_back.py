"""Readers hear back: by mail through a real SMTP server, on the receipt, in the article, in the record."""

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import feedparser
import pytest

from tests.browser.barriers import barriers
from tests.browser.engines import Chromium
from tests.browser.servers import Pages, serving
from tests.browser.test_spine import drag_over
from tests.conftest import PASSWORD
from tests.dispatch.mailbox import Mailbox, receiving
from tests.processes import Serving, environment, run, run_json
from tests.servers import PATIENCE, wait_until

pytestmark = pytest.mark.browser

READER = "reader@example.org"
EDITOR = "editor@news.example"
ARTICLE = """<!doctype html><html lang=en><title>Night buses</title><h1>Night buses</h1>
<article><p>The new buses accomodate sixty people. Teh first one leaves at one.</p></article>
<div data-corrigenda="corrections"></div>
<script src="{url}/static/widget.js" data-site="{key}" async></script>"""


@dataclass
class House:
    """A newsroom's service, its pages, and where its mail arrives."""

    server: Serving
    key: str
    bearer: dict[str, str]
    article: str
    mailbox: Mailbox

    def ask(self, path: str, method: str = "GET", sent: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.server.url}{path}",
            None if sent is None else json.dumps(sent).encode(),
            {"Content-Type": "application/json", **self.bearer},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def mail(self, count: int) -> EmailMessage:
        """The newest of so many messages, the last of which may still be on its way."""
        return self.mailbox.wait_for(count, seconds=60)[-1]


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    pages = Pages()
    with receiving() as mailbox, serving(pages.handler()) as port:
        pages.url = f"http://127.0.0.1:{port}"
        env = environment(
            tmp_path,
            DATABASE_URL=sqlite_url,
            SMTP_URL=mailbox.url,
            MAIL_FROM="desk@news.example",
            HOLD_SECONDS="1",
        )
        key = run_json(["site", "create", "The Daily", "--origin", pages.url], env)["key"]
        made = run(["editor", "create", EDITOR, "--site", key], env, stdin=PASSWORD + "\n")
        assert made.returncode == 0, made.stderr
        scopes = ["token", "create", "--site", key, "--scope", "read,review,publish"]
        bearer = {"Authorization": f"Bearer {run_json(scopes, env)['token']}"}
        with Serving(env) as server:
            article = pages.put("/night-buses", ARTICLE.format(url=server.url, key=key))
            yield House(server, key, bearer, article, mailbox)


def report(reader: Chromium, house: House, word: str, better: str, email: str = "") -> str:
    """Select a word, say how it should read; gives the receipt's address."""
    reader.open(house.article)
    reader.wait_for("window.Corrigenda")
    drag_over(reader, word)
    reader.press("Control+Enter")
    reader.inside_dialog("textarea[name=suggestion]").fill(better)
    if email:
        reader.inside_dialog("input[name=email]").fill(email)
    reader.inside_dialog("button[type=submit]").click()
    receipt = reader.inside_dialog("[role=status] a").attribute("href")
    assert receipt is not None
    return receipt


def sign_in(editor: Chromium, house: House) -> None:
    editor.open(f"{house.server.url}/login")
    editor.page.fill("[name=email]", EDITOR)
    editor.page.fill("[name=password]", PASSWORD)
    editor.page.click("button[type=submit]")
    editor.page.wait_for_url("**/review")


def newest(house: House) -> str:
    """The id of the correction that came last."""
    found: str = house.ask("/api/v1/corrections?state=new&sort=newest")["items"][0]["id"]
    return found


def link_in(message: EmailMessage, path: str) -> str:
    text = str(message.get_content()).replace("\r\n", "\n")
    found = re.search(rf"http\S*/{path}/\S+", text)
    assert found, text
    return found[0]


def linked_data(reader: Chromium) -> Any:
    return json.loads(reader.evaluate("document.querySelector('[type$=\"ld+json\"]').textContent"))


def test_reader_hears_back_and_everybody_sees_what_is_published(
    house: House, chromium: Chromium
) -> None:
    editor = chromium.another()
    sign_in(editor, house)
    reader_hears_of_a_rejection(house, chromium, editor)
    published_correction_is_seen_everywhere(house, chromium, editor)


def reader_hears_of_a_rejection(house: House, chromium: Chromium, editor: Chromium) -> None:
    receipt = report(chromium, house, "accomodate", "accommodate", READER)
    question = house.mail(1)
    assert (question["To"], "accomodate" in question.get_content()) == (READER, False)

    inbox = chromium.another()
    inbox.open(link_in(question, "mail"))
    assert house.ask(f"/api/v1/receipts/{receipt.rpartition('/')[2]}")["mail"] == "asked"
    inbox.page.get_by_role("button", name="Yes, write to me").click()
    assert "The Daily will write to you when it is decided." in inbox.text("[role=status]")
    chromium.open(receipt)
    assert chromium.text("[aria-current=step]") == "Received"
    assert "You will get one e-mail when it is decided." in chromium.text("main")

    editor.open(f"{house.server.url}/review/{newest(house)}")
    editor.page.get_by_label("Public note").fill("Both spellings were agreed on.")
    editor.page.locator("form.fields button[value=rejected]").click()
    editor.page.wait_for_url("**/review?done=*")

    answer = house.mail(2)
    assert answer["To"] == READER
    assert answer["Subject"] == "The Daily: what became of your correction"
    assert "> Both spellings were agreed on." in answer.get_content()
    assert answer["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    chromium.open(link_in(answer, "r"))
    assert chromium.text("[aria-current=step]") == "Not changed"
    assert "Both spellings were agreed on." in chromium.text("blockquote")
    inbox.open(link_in(question, "mail"))
    assert "Nothing is waiting here" in inbox.text("main")


def published_correction_is_seen_everywhere(
    house: House, chromium: Chromium, editor: Chromium
) -> None:
    receipt = report(chromium, house, "Teh", "The")
    page, address = editor.page, f"{house.server.url}/review/{newest(house)}"
    page.goto(address)
    page.locator(".moves button[value=accepted]").click()
    page.wait_for_url("**/review?done=*")
    page.goto(address)
    entry = page.locator("section:has(#publish) form").first
    assert entry.locator("[name=said]").input_value() == "Teh"
    entry.locator("[name=said]").fill("Teh first one")
    entry.locator("[name=says]").fill("The first one")
    entry.get_by_role("button", name="Preview").click()
    assert page.locator(".entry del").inner_text() == "Teh"
    assert house.ask(f"/record/{house.key}.json")["items"] == []
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("button", name="Change the entry").wait_for()
    wait_until(
        lambda: house.ask(f"/record/{house.key}.json")["items"], PATIENCE, "the hold is over"
    )
    page.goto(address)
    page.get_by_role("link", name="Open the entry").click()
    permalink = page.url

    reader = chromium.another()
    reader.open(house.article)
    reader.wait_for("document.querySelector('corrigenda-corrections')")
    root = "document.querySelector('corrigenda-corrections').shadowRoot"
    assert reader.evaluate(f"{root}.querySelector('del').textContent") == "Teh first one"
    assert reader.evaluate(f"{root}.querySelector('ins').textContent") == "The first one"
    in_article = linked_data(reader)
    assert in_article["correction"][0]["url"] == permalink

    reader.open(f"{house.server.url}/record/{house.key}")
    assert "Teh first one" in reader.text("article.entry")
    assert reader.evaluate("document.querySelector('.entry ins').textContent") == "The"
    in_record = linked_data(reader)
    assert [each["@type"] for each in in_record["correction"]] == ["CorrectionComment"]
    reader.open(receipt)
    assert reader.text("[aria-current=step]") == "Corrected"
    reader.page.get_by_role("link", name="See it in the public record").click()
    assert reader.page.url == permalink

    atom = feedparser.parse(f"{house.server.url}/record/{house.key}.atom")
    assert (atom.bozo, [entry.link for entry in atom.entries]) == (False, [permalink])
    feed = house.ask(f"/record/{house.key}.json")
    assert [item["url"] for item in feed["items"]] == [permalink]


def test_axe_finds_nothing_in_the_readers_pages(house: House, chromium: Chromium) -> None:
    waiting = report(chromium, house, "accomodate", "accommodate", READER)
    mail = link_in(house.mail(1), "mail").partition("?")[0]
    decided = report(chromium, house, "Teh", "The")
    path = f"/api/v1/corrections/{newest(house)}"
    house.ask(f"{path}/moves", "POST", {"to": "fixed", "public_note": "Thank you, well seen."})
    entry = {
        "kind": "correction",
        "said": "Teh first one",
        "says": "The first one",
        "note": "Ours.",
    }
    made = house.ask(f"{path}/publication", "PUT", {**entry, "thanks": "a reader"})["publication"]
    record = f"{house.server.url}/record/{house.key}"
    places = (waiting, decided, mail, f"{mail}/stop", record, f"{record}/{made['id']}")
    found = []
    page = chromium.another(viewport={"width": 360, "height": 740}).page
    for locale in ("en", "ar"):
        for address in places:
            page.goto(f"{address}?locale={locale}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
            found += barriers(page)
    assert found == []
