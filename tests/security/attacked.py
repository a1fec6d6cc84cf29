"""A service whose every text is an attack: all ways by which words come in, all places that show them.

What is not named here is found by the routes themselves: a page without arguments is opened as it is, and
a route that takes words, or a page with an argument that is unknown here, fails the test until it is named.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

from werkzeug.routing import Map, Rule

from tests.demo import Demo
from tests.processes import run, run_json
from tests.security.payloads import SCRIPTS

EDITOR = "<svg/onload=alert(1)>@news.example"
PASSWORD = "a password for tests"


def call(url: str, method: str = "GET", sent: Any = None, **headers: str) -> tuple[int, Any, str]:
    """Status, parsed body, media type."""
    request = urllib.request.Request(
        url,
        json.dumps(sent).encode() if sent is not None else None,
        {"Content-Type": "application/json", **headers},
        method=method,
    )
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        text = answer.read().decode()
        kind = answer.headers["Content-Type"]
        return (
            answer.status,
            json.loads(text) if kind.partition(";")[0].endswith("json") else text,
            kind,
        )


def selector(payload: str) -> str:
    """A selector that holds a text: what cannot be one is refused."""
    letters = "".join(each for each in payload[:200] if each not in '"\\\n\r\f')
    return f'[title="{letters}"]'


def grouped(limit: int) -> list[str]:
    """The payloads, as many in one text as an excerpt may hold: fewer pages to open."""
    groups = [""]
    for payload in SCRIPTS:
        if len(groups[-1]) + len(payload) >= limit:
            groups.append("")
        groups[-1] += payload + "\n"
    return [group.strip() for group in groups]


GROUPS = grouped(400)


class Attacked:
    """A demo into which every payload was written by every way there is."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.given: dict[str, list[str]] = {
            "key": ["demo"],
            "correction_id": [],
            "publication_id": [],
            "token": [],
            "campaign_key": [],
            "delivery_id": [],
            "channel_id": [],
            "stop_token": [],
        }
        """For each argument of a route the values that lead to what was written."""
        for command, said in COMMANDS:
            done = run(command, demo.env, stdin=said)
            assert done.returncode == 0, done.stderr
        scopes = "read,review,publish,admin"
        token = run_json(
            ["token", "create", "--site", "demo", "--scope", scopes, "--name", SCRIPTS[15]],
            demo.env,
        )["token"]
        self.bearer = {"Authorization": f"Bearer {token}"}
        # The places of the demo's own campaign are for those that carry payloads.
        own = self.ask("GET", "/api/v1/campaigns/patrons", **self.bearer)
        off = {"name": own["name"], "variants": own["variants"], "enabled": False}
        self.ask("PUT", "/api/v1/campaigns/patrons", off, **self.bearer)
        webhooks = self.ask("GET", "/api/v1/webhooks", **self.bearer)["items"]
        self.given["webhook_id"] = [webhook["id"] for webhook in webhooks]
        self.desk = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        signed = urlencode({"email": demo.email, "password": demo.password}).encode()
        self.desk.open(demo.url + "/login", signed).close()
        for number, payload in enumerate(GROUPS):
            for write in WRITES.values():
                write(self, number, payload)

    def ask(self, method: str, path: str, sent: Any = None, **headers: str) -> Any:
        """What a request that must succeed was answered."""
        status, answer, _ = call(self.demo.url + path, method, sent, **headers)
        assert status in {200, 201, 204}, (method, path, answer)
        return answer

    def _report(self, number: int, payload: str) -> None:
        origin = self.demo.url
        quoted = {
            "type": "TextQuoteSelector",
            "exact": payload,
            "prefix": payload[:128],
            "suffix": payload[:128],
        }
        body = {
            "target": {
                "source": f"{origin}/demo/{number}",
                "canonical": self._article(payload),
                "title": payload,
                "lang": "en",
                "selector": [quoted] if number % 5 else None,
            },
            "suggestion": f"{payload} changed" if number % 5 else None,
            "comment": payload,
            "email": "a'onload=alert`1`@news.example",
        }
        key = {"Origin": origin, "Idempotency-Key": f"x{number}"}
        made = self.ask("POST", "/api/v1/sites/demo/reports", body, **key)
        self.given["token"].append(made["receipt_url"].rpartition("/")[2])
        self.given["correction_id"].append(made["correction_id"])

    def _article(self, payload: str) -> str:
        return f"{self.demo.url}/demo/{quote(payload, safe='')}"

    def _push(self, number: int, payload: str) -> None:
        """Now as text around the passage, now as markup in its place."""
        page: dict[str, str] = {"text": f"Before it stood more.\n\n{payload}\n\n{payload[:60]}"}
        if number % 2:
            page = {"html": f"<title>{payload}</title><p>{payload}</p>"}
        sent = {"url": self._article(payload), "title": payload, **page}
        self.ask("PUT", "/api/v1/articles", sent, **self.bearer)

    def _change(self, number: int, payload: str) -> None:
        changes: dict[str, object] = {"public_note": payload}
        if number == 0:
            changes["assignee"] = EDITOR
        path = f"/api/v1/corrections/{self.given['correction_id'][number]}"
        self.ask("PATCH", path, changes, **self.bearer)

    def _move(self, number: int, payload: str) -> None:
        """A fifth stays new, the others are moved about."""
        moves: list[dict[str, object]] = [
            {},
            {"to": "accepted", "suggestion": payload},
            {"to": "rejected"},
            {"to": "fixed", "suggestion": payload},
            {"to": "spam"},
        ]
        move = moves[number % len(moves)]
        if move:
            path = f"/api/v1/corrections/{self.given['correction_id'][number]}/moves"
            said = {**move, "reason": payload, "public_note": payload}
            self.ask("POST", path, said, **self.bearer)

    def _publish(self, number: int, payload: str) -> None:
        """What was accepted or fixed; one may be published."""
        if number % 5 in {1, 3}:
            path = f"/api/v1/corrections/{self.given['correction_id'][number]}/publication"
            words = {"said": payload, "says": f"{payload} changed", "note": payload}
            sent = {"kind": "retraction", **words, "thanks": payload[:200]}
            made = self.ask("PUT", path, sent, **self.bearer)
            self.given["publication_id"].append(made["publication"]["id"])

    def _withdraw(self, number: int, payload: str) -> None:
        if number % 10 == 3:
            path = f"/api/v1/corrections/{self.given['correction_id'][number]}/publication"
            self.ask("DELETE", f"{path}?{urlencode({'reason': payload})}", **self.bearer)

    def _campaign(self, number: int, payload: str) -> None:
        way = {"label": payload[:80], "url": f"{self.demo.url}/demo"}
        said = {"title": payload[:120], "text": payload, "ways": [way], "image_alt": payload[:250]}
        sent = {
            "name": payload[:200],
            "enabled": number == 0,
            "sections": [payload[:100]],
            "variants": [{"key": "a", "texts": {"en": said}}],
        }
        self.ask("PUT", f"/api/v1/campaigns/c{number}", sent, **self.bearer)
        self.given["campaign_key"].append(f"c{number}")

    def post(self, path: str, sent: dict[str, str]) -> str:
        """Send a form of the desk, as the demo's editor; the page that comes of it."""
        with self.desk.open(self.demo.url + "/review") as page:
            token = re.search(r'name="form_token" value="([^"]+)"', page.read().decode())
        assert token is not None
        data = urlencode({"form_token": token[1], **sent}).encode()
        with self.desk.open(self.demo.url + path, data) as answer:
            return f"{answer.url}\n{answer.read().decode()}"

    def form(self, path: str, sent: dict[str, str]) -> None:
        """Send a form that must be accepted."""
        answer = self.post(path, sent)
        assert "saved=" in answer.partition("\n")[0], (path, answer)

    def _call_oneself(self, number: int, payload: str) -> None:
        self.form("/review/settings/account", {"name": payload[:100]})

    def _note(self, number: int, payload: str) -> None:
        """A note that calls for the one who looks, so that it is listed as well."""
        path = f"/review/{self.given['correction_id'][number]}"
        words = payload.replace("@", "(at)")
        sent = {"note": f"@{self.demo.email} {words}", "next": f"{path}?saved=note"}
        self.form(f"{path}/notes", sent)

    def _lines(self, number: int, payload: str) -> None:
        # The demo has lines of its own: those are the first version.
        lines = {
            "version": str(number + 1),
            "appeal_to": "all",
            "quotes": "on",
            "quote_from": "500",
        }
        told = {f"{name}_texts/en": payload[:300] for name in ("appeal", "quote")}
        self.form("/review/settings/support", {**lines, **told})

    def _site(self, number: int, payload: str) -> None:
        """Lists of the settings; the version is that of the settings as they are now."""
        with self.desk.open(self.demo.url + "/review/settings/site") as page:
            version = re.search(r'name="version" value="([^"]+)"', page.read().decode())
        assert version is not None
        sent = {
            "version": version[1],
            "name": payload[:200].replace("\n", " "),
            "origins": self.demo.url,
            "article_selector": selector(payload),
            "language": "en",
            "time_zone": "UTC",
            "excerpt_limit": "500",
            "categories": "typo",
            "reject_reasons": payload[:200],
            "blocked_words": payload[:100],
            "spam_threshold": "50",
            "email_retention_days": "90",
            "network_retention_days": "30",
        }
        self.form("/review/settings/site", sent)

    def _channel(self, number: int, payload: str) -> None:
        sent = {"name": payload[:100], "address": "desk@news.example", "events": "*"}
        answer = self.post("/review/settings/channels", sent)
        place = re.search(r"/channels/([0-9a-f-]{36})\?saved=", answer)
        assert place is not None, answer
        self.given["channel_id"].append(place[1])

    def _webhook(self, number: int, payload: str) -> None:
        """One that is disabled at once; its ping stays, with nothing that was sent."""
        sent = {"url": f"{self.demo.url}/", "description": payload[:200], "events": "*"}
        page = self.post("/review/settings/webhooks", sent)
        place = re.search(r'action="([^"]+)/ping"', page)
        assert place is not None, page
        self.given["webhook_id"].append(place[1].rpartition("/")[2])
        page = self.post(f"{place[1]}/ping", {})
        delivery = re.search(r"/deliveries/([0-9a-f-]+)", page)
        assert delivery is not None, page
        self.given["delivery_id"].append(delivery[1])


WRITES: dict[str, Callable[[Attacked, int, str], None]] = {
    "public.create_report": Attacked._report,
    "articles.push_article": Attacked._push,
    "corrections.change_correction": Attacked._change,
    "corrections.move_correction": Attacked._move,
    "publications.put_publication": Attacked._publish,
    "publications.delete_publication": Attacked._withdraw,
    "campaigns.put_campaign": Attacked._campaign,
    "pages.add_note": Attacked._note,
    "pages.change_account": Attacked._call_oneself,
    "pages.save_site_settings": Attacked._site,
    "pages.change_support_lines": Attacked._lines,
    "pages.make_webhook": Attacked._webhook,
    "pages.make_channel": Attacked._channel,
}
"""Each route that takes words which somebody may read later, in the order in which they are used."""

SAME_VERB = {
    "pages.act": "corrections.move_correction",
    "corrections.move_corrections": "corrections.move_correction",
    "corrections.apply_correction": "corrections.move_correction",
    "pages.apply": "corrections.move_correction",
    "pages.change": "corrections.change_correction",
    "pages.change_campaign": "campaigns.put_campaign",
    "pages.save_channel": "pages.make_channel",
    "pages.save_webhook": "pages.make_webhook",
    "webhooks.change_webhook": "pages.make_webhook",
    "webhooks.create_webhook": "pages.make_webhook",
    "pages.move": "corrections.move_correction",
    "pages.publish": "publications.put_publication",
    "pages.send_report": "public.create_report",
    "pages.withdraw": "publications.delete_publication",
}
"""Forms and bulk moves that read the same schema and call the same verb as a route above."""

WITHOUT_WORDS = {
    "pages.erase_reader",
    "pages.export_reader",
    "pages.find_reader",
    "campaigns.delete_campaign",
    "campaigns.note_support_event",
    "pages.agree",
    "pages.begin_second_step",
    "pages.change_password",
    "pages.confirm_second_step",
    "pages.end_other_sessions",
    "pages.end_session",
    "pages.forget",
    "pages.invite",
    "pages.join",
    "pages.logout",
    "pages.block_networks",
    "pages.lift_block",
    "pages.put_back",
    "pages.split",
    "pages.stop_mail",
    "pages.tick_off",
    "pages.make_password_link",
    "pages.make_token",
    "pages.remove_campaign",
    "pages.remove_editor",
    "pages.remove_channel",
    "pages.remove_webhook",
    "pages.renew_codes",
    "pages.renew_secret",
    "pages.replay_events",
    "pages.reset_password",
    "pages.revoke_token",
    "pages.send_again",
    "pages.send_failed_again",
    "pages.send_ping",
    "pages.send_test_message",
    "pages.set_role",
    "pages.sign_in",
    "pages.sign_in_by_code",
    "pages.switch_site",
    "pages.stop_channel",
    "pages.switch_channel",
    "pages.switch_webhook",
    "pages.turn_off_second_step",
    "pages.withdraw_invitation",
    "webhooks.delete_webhook",
    "webhooks.ping_webhook",
    "webhooks.redeliver",
    "webhooks.redeliver_failed",
    "webhooks.replay",
    "webhooks.rotate_secret",
}
"""These keep nothing but addresses that were checked, choices and instants."""

COMMANDS: list[tuple[list[str], str]] = [
    (["site", "set", "demo", "--name", '"><img src=x onerror=alert(1)>'], ""),
    (["editor", "create", EDITOR, "--site", "demo"], f"{PASSWORD}\n"),
]

UNSHOWN = {
    "api-docs.openapi_json",
    "ops.healthz",
    "ops.readyz",
    "static",
    "metrics.metrics",
    "pages.support_results_csv",
    "pages.corrections_as_annotations",
    "pages.table_of_corrections",
    "pages.table_of_stats",
    "pages.table_of_view",
    "pages.view_as_annotations",
}
"""Nothing that was written is in these, or they are files to save."""

FOR_MACHINES = {"pages.atom", "pages.json_feed", "pages.oembed", "pages.sitemap"}
"""Pages that no browser shows."""

QUERIES: dict[str, list[str]] = {
    "pages.articles": ["state=open", "state=all"],
    "pages.review": [
        f"limit=200&state={state}" for state in ("new", "accepted", "fixed", "rejected", "spam")
    ],
    "pages.correction": ["next=/review"],
    "pages.rows": [],
    "pages.record": ["limit=200", "locale=ar"],
    "pages.oembed": [],
}
"""Pages that show only a part unless asked for the rest."""


def unnamed_writes(routes: Map) -> set[str]:
    """Routes that change something, and of which nobody said what words they take."""
    changing = {
        rule.endpoint
        for rule in routes.iter_rules()
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
    }
    return changing ^ (set(WRITES) | set(SAME_VERB) | WITHOUT_WORDS)


def addresses(rule: Rule, attacked: Attacked) -> Iterator[str]:
    """The addresses of a route that lead to what was written."""
    names = sorted(rule.arguments)
    assert set(names) <= set(attacked.given), f"{rule}: say what stands for its arguments"
    for values in product(*(attacked.given[name] for name in names)):
        path = rule.rule
        for name, value in zip(names, values, strict=True):
            path = path.replace(f"<uuid:{name}>", value).replace(f"<{name}>", value)
        for query in QUERIES.get(rule.endpoint, [""]):
            yield f"{path}?{query}" if query else path


def readable(routes: Map, *, api: bool) -> list[Rule]:
    """Every page's route, or every one of the API that can be read."""
    return [
        rule
        for rule in sorted(routes.iter_rules(), key=lambda rule: rule.rule)
        if "GET" in (rule.methods or set())
        and rule.endpoint not in UNSHOWN
        and (rule.rule.startswith("/api/") or rule.endpoint in FOR_MACHINES) == api
    ]


def pages(routes: Map, attacked: Attacked, *, api: bool = False) -> Iterator[str]:
    """All that can show what was written."""
    for rule in readable(routes, api=api):
        yield from addresses(rule, attacked)


def echoes() -> Iterator[str]:
    """Pages that show what the address says."""
    for payload in GROUPS:
        asked = {"q": payload[:200], "article": payload, "assignee": payload[:254]}
        yield "/review?" + urlencode(asked)
        yield "/review?" + urlencode({"state": payload})
        yield "/review/articles?" + urlencode({"q": payload[:200], "state": "all"})
        yield "/login?" + urlencode({"next": "/" + payload})
        yield "/report/demo?" + urlencode({"url": payload, "locale": payload[:35]})
        yield "/record/demo?" + urlencode({"q": payload[:200], "locale": payload[:35]})
        yield "/record/demo?" + urlencode({"url": payload, "limit": "1"})
        yield "/r/" + quote(payload, safe="")
        yield "/" + quote(payload, safe="")
