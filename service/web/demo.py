"""The demo: a newspaper with mistakes to find, and the newsroom's side of our webhooks."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, render_template, request
from standardwebhooks import Webhook as Signature
from standardwebhooks import WebhookVerificationError
from werkzeug.datastructures import Headers

from service.dispatch.applying import APPLY
from service.models import Webhook
from service.web import current
from service.web.demo_articles import Articles

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

NAME = "demo"
KEPT = 200
SHOWN_OF_REFUSED = 4096


@dataclass(frozen=True, slots=True)
class Story:
    """One article of the demo's newspaper; its text is the template of the same slug."""

    slug: str
    lang: str
    drawing: str
    title: str
    teaser: str


STORIES = (
    Story(
        "night-buses",
        "en",
        "bus.svg",
        "Night buses return to Solwick after three dark years",
        "Two routes will run until 2.40 in the morning. The town has paid for one year.",
    ),
    Story(
        "library",
        "uk",
        "library.svg",
        "Бібліотека на Прирічній відчинилася: утричі більше залів і майстерня в котельні",
        "Ремонт тривав чотирнадцять місяців. Читальню тепер видно з вулиці.",
    ),
    Story(
        "rain",
        "ar",
        "rain.svg",
        "ليلة مطر تُغلق ثلاثة شوارع في وادي النخيل، والمصرف الجديد يصمد",
        "بقي الحي الشرقي جافًّا هذه المرة، أما الثغرة الوحيدة فعند باب المدرسة.",
    ),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that reached the receiver, and whether its signature held."""

    number: int = 0
    at: str = ""
    verified: bool = False
    verdict: str = ""
    type: str = ""
    id: str = ""
    correction: str | None = None
    summary: str = ""
    payload: str = ""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo's pages need: the site's key, the webhook they receive, what has come."""

    site_key: str
    webhook_id: UUID | None
    apply_webhook_id: UUID | None
    arrivals: deque[Arrival] = field(default_factory=lambda: deque(maxlen=KEPT))
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    papers: Articles = field(default_factory=lambda: Articles(_draw))


def register(app: Flask, demo: Demo) -> None:
    """Add the demo's pages to an application."""
    app.extensions[NAME] = demo
    app.register_blueprint(blueprint)


def _demo() -> Demo:
    found: Demo = current_app.extensions[NAME]
    return found


def _page(template: str, lang: str = "en", **values: object) -> str:
    return render_template(
        f"demo/{template}.html",
        lang=lang,
        site_key=_demo().site_key,
        articles=STORIES,
        **values,
    )


@blueprint.get("", strict_slashes=False)
def index() -> str:
    """The front page, with what to try."""
    return _page("index")


@blueprint.get("/about")
def about() -> str:
    """What the articles' feet link to."""
    return _page("about")


@blueprint.get("/<slug>")
def article(slug: str) -> str:
    """One article, with what was put into it."""
    page = _demo().papers.shown(slug)
    if page is None:
        abort(404)
    return page


def _draw(slug: str) -> str | None:
    story = next((story for story in STORIES if story.slug == slug), None)
    return _page(slug, story.lang, story=story, slug=slug) if story else None


@blueprint.get("/receiver")
def receiver() -> str:
    """What came, the newest first."""
    return _page("receiver", arrivals=list(reversed(_demo().arrivals)), blank=Arrival())


@blueprint.get("/receiver/arrivals")
def arrivals() -> Response:
    """What came after a number, the oldest first, for the page to add to itself."""
    kept = _demo().arrivals
    after = request.args.get("after", default=0, type=int)
    if kept and after > kept[-1].number:
        # The page is older than this process, which counts from one again.
        after = 0
    return jsonify([asdict(arrival) for arrival in kept if arrival.number > after])


@blueprint.post("/receiver")
def receive() -> tuple[str, int]:
    """Take one webhook: 204 where its signature holds, 401 otherwise."""
    demo = _demo()
    arrival = _arrival(demo, demo.webhook_id)
    demo.arrivals.append(arrival)
    return "", 204 if arrival.verified else 401


@blueprint.post("/apply")
def apply() -> Response | tuple[str, int]:
    """Put a correction into its article, as a content system would, and say what came of it."""
    demo = _demo()
    arrival = _arrival(demo, demo.apply_webhook_id)
    answer = None
    if arrival.verified and arrival.type == APPLY:
        answer = demo.papers.apply(arrival.id, json.loads(arrival.payload)["data"])
        verdict = f"{arrival.verdict}, answered: {answer['result'].replace('_', ' ')}"
        arrival = replace(arrival, verdict=verdict)
    demo.arrivals.append(arrival)
    return jsonify(answer) if answer else ("", 204 if arrival.verified else 401)


def _arrival(demo: Demo, webhook_id: UUID | None) -> Arrival:
    return read(
        request.get_data(),
        request.headers,
        _secret(webhook_id),
        number=next(demo.numbers),
        at=current.now(),
    )


def _secret(webhook_id: UUID | None) -> str | None:
    """A webhook's secret as it is now: one that was changed at the desk is known at once."""
    with current.database().read() as session:
        webhook = session.get(Webhook, webhook_id) if webhook_id else None
    return webhook.secret if webhook else None


def read(
    body: bytes, headers: Headers, secret: str | None, *, number: int, at: datetime
) -> Arrival:
    """Check a webhook's signature (Standard Webhooks) and take out what the page shows."""
    identity = headers.get("webhook-id", "")
    moment = at.isoformat(timespec="seconds")
    if problem := _refusal(body, headers, secret):
        return Arrival(
            number, moment, False, f"refused: {problem}", "not read", identity, None, "", _raw(body)
        )
    event = json.loads(body)
    data = event["data"]
    return Arrival(
        number=number,
        at=moment,
        verified=True,
        verdict="verified",
        type=event["type"],
        id=identity,
        correction=data.get("id"),
        summary=_wanted(data) if event["type"] == APPLY else _summary(data),
        payload=json.dumps(event, ensure_ascii=False, indent=2),
    )


def _raw(body: bytes) -> str:
    return body[:SHOWN_OF_REFUSED].decode(errors="replace")


def _refusal(body: bytes, headers: Headers, secret: str | None) -> str | None:
    if secret is None:
        return "the webhook is not known any more"
    try:
        Signature(secret).verify(body, dict(headers))
    except WebhookVerificationError as error:
        return str(error)
    except ValueError:
        # The library splits and decodes what it is given before it compares.
        return "the signature or the body cannot be read"
    return None


def _wanted(data: dict[str, Any]) -> str:
    return f"{data['exact']} → {data['wording'] or '∅'}"


def _summary(data: dict[str, Any]) -> str:
    """`excerpt → first suggestion` where the event has both."""
    excerpt = next((part["exact"] for part in data.get("selector", []) if "exact" in part), "")
    suggestions = data.get("suggestions", [])
    return f"{excerpt} → {suggestions[0]['text'] or '∅'}" if excerpt and suggestions else excerpt
