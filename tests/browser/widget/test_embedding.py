"""Every way of docs/embedding.md, as it is printed there, tried in Chromium."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.engines import DIALOG, ROOT, Chromium
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_manners import call, visit
from tests.browser.widget.test_places import PLACE, correct
from tests.browser.widget.test_way import is_said, send
from tests.conftest import missing

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]

GUIDE = (ROOT / "docs/embedding.md").read_text(encoding="utf-8")
THEME = ROOT / "tests/browser/widget/theme.php"


def section(title: str) -> str:
    """The text of one section of the guide."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def blocks(text: str, language: str = "") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def filled(text: str, news: News) -> str:
    """A block with this service and site in it."""
    made = text.replace("https://HOST", news.way.url).replace("SITE_KEY", news.key)
    assert "HOST" not in made
    return made


def test_script_tag_as_printed(chromium: Make, news: News) -> None:
    tag = filled(blocks(GUIDE, "html")[0], news)
    page = chromium()
    visit(page, news.publish("/guide-tag", script=tag))
    call(page)


@pytest.mark.parametrize("way", ["host", "nonce"])
def test_policy_lines_as_printed(chromium: Make, news: News, way: str) -> None:
    text = section("Content Security Policy")
    [by_host] = blocks(text)
    nonced = re.search(r"By nonce: `(script-src 'nonce-…')`", text)
    names = re.search(r"`(trusted-types corrigenda)`", text)
    assert nonced
    assert names
    script = by_host.strip() if way == "host" else f"{nonced[1]}; connect-src https://HOST"
    policy = f"default-src 'none'; {script}; style-src 'self'; require-trusted-types-for 'script'; {names[1]}"
    tag = (
        news.script() if way == "host" else news.script().replace("<script", '<script nonce="abc"')
    )
    page = chromium()
    headers = {"Content-Security-Policy": filled(policy, news).replace("nonce-…", "nonce-abc")}
    visit(page, news.publish(f"/guide-{way}", script=tag, headers=headers))
    call(page)


def test_attributes_as_printed(chromium: Make, news: News) -> None:
    named = set(
        re.findall(r"^\| `data-(\w+)` \|", section("Attributes of the script"), re.MULTILINE)
    )
    sources = "".join(file.read_text() for file in (ROOT / "widget/src").glob("*.ts"))
    assert named == set(re.findall(r"\bdata\.(\w+)(?![\w(])", sources))
    # The script itself comes by its path; what it adds, by the nonce alone.
    policy = f"script-src {news.way.url}/static/widget.js 'nonce-abc'; connect-src {news.way.url}"
    canonical = f"{news.pages.url}/the-article"
    options = {"locale": "uk", "canonical": canonical, "nonce": "abc", "article": "#outside"}
    headers = {"Content-Security-Policy": policy}
    page = chromium()
    visit(page, news.publish("/guide-attributes", headers=headers, **options))
    page.select("#outside", "Read also")
    page.press("Control+Enter")
    assert page.inside_dialog("#send").text() == "Надіслати"
    page.inside_dialog("#suggestion").fill("Read as well")
    send(page)
    is_said(page, "Надіслано")
    assert news.sent()[0]["target"]["canonical"] == canonical


def test_single_page_apps_as_printed(chromium: Make, news: News) -> None:
    [code] = blocks(section("Single-page apps"), "js")
    address = news.publish("/guide-app", ARTICLE)
    correct(news, address)
    page = chromium()
    visit(page, address)
    page.evaluate(f"(document.body.insertAdjacentHTML('beforeend', `{PLACE}`), 0)")
    page.evaluate(f"(() => {{ {code} }})()")
    page.wait_for("document.querySelector('corrigenda-corrections')")


def test_pinning_as_printed(chromium: Make, news: News) -> None:
    shell, tag = blocks(section("Pinning the script (SRI)"), "(?:sh|html)")
    if not (shutil.which("curl") and shutil.which("openssl")):
        missing("curl or openssl is not installed (Debian: apt-get install curl openssl)")
    found = subprocess.run(
        ["sh", "-c", filled(shell, news)], capture_output=True, text=True, check=True
    ).stdout.strip()
    page = chromium()
    pinned = filled(tag, news).replace("sha384-…", f"sha384-{found}")
    visit(page, news.publish("/guide-pinned", script=pinned))
    call(page)


def test_theming_as_printed(chromium: Make, news: News) -> None:
    text = section("Make it look like yours")
    [css] = blocks(text, "css")
    page = chromium()
    style = f"<style>{css} corrigenda-dialog::part(blockquote) {{ border: 3px solid }}</style>"
    visit(page, news.publish("/guide-theme", head=style))
    call(page)
    root = "document.querySelector('corrigenda-dialog').shadowRoot"
    look = f"getComputedStyle({root}.querySelector('%s')).%s"
    assert page.evaluate(look % ("#send", "backgroundColor")) == "rgb(122, 31, 61)"
    assert page.evaluate(look % ("dialog", "fontFamily")) == "Georgia, serif"
    assert page.evaluate(look % ("dialog", "borderRadius")) == "0px"
    assert page.evaluate(look % ("blockquote", "borderTopWidth")) == "3px"
    named = set(re.findall(r"--corrigenda-[\w-]+", css))
    used = set(re.findall(r"--corrigenda-[\w-]+", (ROOT / "widget/src/styles.css").read_text()))
    assert named == used


def test_parts_as_printed_are_there(chromium: Make, news: News) -> None:
    page = chromium()
    visit(page, news.publish("/guide-parts"))
    call(page)
    parts = re.search(
        r"Every element is a part by its name(.*?)\(the button",
        section("Make it look like yours"),
        re.DOTALL,
    )
    assert parts
    for name in re.findall(r"`([\w-]+)`", parts[1]):
        if name != "a":  # There are links where the site has some.
            is_there = f"!!document.querySelector('corrigenda-dialog').shadowRoot.querySelector('[part~={name}]')"
            assert (name, page.evaluate(is_there)) == (name, True)


def test_own_scripts_as_printed(chromium: Make, news: News) -> None:
    [code] = blocks(section("From your own scripts"), "js")
    page = chromium()
    visit(page, news.publish("/guide-scripts"))
    page.evaluate(f"(() => {{ {code} }})()")
    # Closed before it had its words, it does not open once it has them.
    page.wait_for(f"{DIALOG}?.querySelector('label').textContent")
    assert not page.inside_dialog("dialog").is_seen()


@pytest.mark.parametrize("is_post", [True, False])
def test_wordpress_snippet_as_printed(
    chromium: Make, news: News, tmp_path: Path, is_post: bool
) -> None:
    php = shutil.which("php")
    if php is None:
        missing("PHP is not installed (Debian: apt-get install php-cli)")
    [snippet] = blocks(section("WordPress"), "php")
    functions = tmp_path / "functions.php"
    functions.write_text(f"<?php\n{filled(snippet, news)}")
    printed = subprocess.run(
        [php, str(THEME), str(functions)],
        capture_output=True,
        text=True,
        check=True,
        env={"IS_SINGULAR": "yes" if is_post else "no"},
    ).stdout
    assert "<script src='https://news.example/other.js' id='other-js'></script>" in printed
    assert ("widget.js" in printed) == is_post
    if is_post:
        page = chromium()
        own = printed.splitlines()[0]
        body = ARTICLE.replace("<article>", '<article><div class="entry-content">')
        visit(page, news.publish("/guide-wordpress", body, script=own))
        assert page.evaluate("document.querySelector('script[data-site]').async") is True
        call(page)


def test_link_to_the_page_of_ours_as_printed(chromium: Make, news: News) -> None:
    link, opener = blocks(section("AMP, and readers without JavaScript"), "html")
    page = chromium()
    address = f"{news.pages.url}/guide-amp"
    encoded = address.replace(":", "%3A").replace("/", "%2F")
    given = (
        filled(link, news)
        .replace("https%3A%2F%2Fnews.example%2Fa", encoded)
        .replace(' target="_blank"', "")
    )
    page.open(news.publish("/guide-amp", ARTICLE + given, script=""))
    page.page.click("text=Report a mistake")
    page.page.wait_for_url("**/report/**")
    assert page.page.text_content("h1") == "Write to the editors"
    assert page.page.get_attribute("main a", "href") == address
    with_script = filled(opener, news)
    visit(page, news.publish("/guide-opener", ARTICLE + with_script))
    page.page.click("text=Report a mistake")
    page.inside_dialog("form").wait()
    assert page.page.url.endswith("/guide-opener")
