"""Accept and apply: the reference receiver on a real socket, its four answers, and none at all."""

import json
import re
import runpy
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.serving import make_server

from service.db import Database
from service.desk import acts, changes, moves, undo
from service.desk.moves import By, Decision
from service.dispatch import history, webhooks
from service.dispatch.applying import ANSWER_WITHIN, APPLY
from service.dispatch.webhooks import CheckedUrl
from service.models import (
    Attempt,
    Change,
    Correction,
    Delivery,
    Editor,
    Event,
    Site,
    State,
    Webhook,
)
from tests.conftest import Clock
from tests.dispatch import receivers
from tests.dispatch.receivers import Got, Receiver, misbehaving, running
from tests.reporting import report
from tests.web.test_pages import send, sign_in

EXAMPLE = Path(__file__).parents[2] / "examples" / "apply_receiver.py"
TEXT = "Good morning: hello wrold text.\n"
HIDDEN = re.compile(
    r'<input type="hidden" name="(version|seen_at|from|back|next)" value="([^"]*)">'
)

Content = Callable[[str], AbstractContextManager[str]]


@pytest.fixture
def article(tmp_path: Path) -> Path:
    file = tmp_path / "articles" / "a.txt"
    file.parent.mkdir()
    file.write_text(TEXT)
    return file


@pytest.fixture
def cms(
    database: Database, site: Site, article: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The reference receiver runs, and the site hands its corrections to it; its secret."""
    with serve_later() as (url, serve):
        made = endpoint(database, site, f"{url}/apply", clock)
        monkeypatch.setenv("SECRET", made.secret)
        monkeypatch.setenv("ARTICLES", str(article.parent))
        serve(runpy.run_path(str(EXAMPLE))["app"])
        yield made.secret


@contextmanager
def serve_later() -> Iterator[tuple[str, Callable[[Any], None]]]:
    """An address, and what serves an application there."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.05])

    def serve(app: Any) -> None:
        server.app = app
        thread.start()

    try:
        yield f"http://127.0.0.1:{server.server_port}", serve
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def endpoint(database: Database, site: Site, url: str, clock: Clock) -> Webhook:
    with database.write() as session:
        return webhooks.create(session, site.id, CheckedUrl(url), [APPLY], now=clock())


def kept(database: Database, correction_id: UUID) -> Correction:
    with database.read() as session:
        return session.get_one(Correction, correction_id)


def told(database: Database) -> list[str | None]:
    """What the timeline keeps of hand-overs."""
    with database.read() as session:
        lines = select(Change.now).where(Change.field == "handed_over").order_by(Change.id)
        return list(session.scalars(lines))


def ids(database: Database) -> list[str]:
    """The ids of all that was handed over, once for each attempt."""
    with database.read() as session:
        sent = session.scalars(select(Attempt).order_by(Attempt.id))
        return [each.request["webhook-id"] for each in sent if each.request]


@pytest.fixture
def ask(client: FlaskClient, bearer: dict[str, str]) -> Callable[..., Any]:
    def ask(correction_id: UUID, **body: Any) -> Any:
        path = f"/api/v1/corrections/{correction_id}/apply"
        return client.post(path, json=body, headers=bearer)

    return ask


@pytest.fixture
def desk(client: FlaskClient, editor: Editor) -> FlaskClient:
    sign_in(client, editor)
    return client


def press(desk: FlaskClient, correction_id: UUID, **changed: str) -> Any:
    """Press the button on the page, with what its form carries."""
    text = desk.get(f"/review/{correction_id}").text
    assert f'formaction="/review/{correction_id}/apply"' in text
    hidden = {name: unescape(value) for name, value in HIDDEN.findall(text)}
    back = f"/review/{correction_id}?next=/review"
    sent = {**hidden, "next": back, "wording": "world", **changed}
    return send(desk, f"/review/{correction_id}/apply", **sent)


def notice(desk: FlaskClient, correction_id: UUID) -> str:
    text = desk.get(f"/review/{correction_id}").text
    words = text.partition('id="handover"')[2].partition("</div>")[0]
    return " ".join(re.sub("<[^>]+>", " ", words.partition(">")[2]).split())


def test_system_that_applies_makes_it_fixed(
    ask: Callable[..., Any], cms: str, database: Database, site: Site, clock: Clock, article: Path
) -> None:
    correction_id = report(database, site, clock())
    answer = ask(correction_id, suggestion="world")
    assert (answer.status_code, answer.json.get("result")) == (200, "applied"), answer.json
    assert (answer.json["correction"]["state"], answer.json["correction"]["wording"]) == (
        "fixed", "world",
    )  # fmt: skip
    assert article.read_text() == TEXT.replace("wrold", "world")
    with database.read() as session:
        steps = [(each.from_state, each.to_state) for each in moves.history(session, correction_id)]
        kinds = session.scalars(select(Event.type).order_by(Event.id)).all()
        [event] = session.scalars(select(Event).where(Event.type == APPLY))
    assert steps == [(State.NEW, State.ACCEPTED), (State.ACCEPTED, State.FIXED)]
    assert kinds[-3:] == ["correction.accepted", APPLY, "correction.fixed"]
    assert event.data == {
        "id": str(correction_id),
        "article": {"url": "https://news.example/a", "title": "The bus is late", "lang": "en"},
        "exact": "wrold",
        "prefix": "hello ",
        "suffix": " text",
        "wording": "world",
    }
    assert told(database) == ["applied"]


@pytest.mark.parametrize(
    ("text", "result", "state"),
    [
        (TEXT.replace("wrold", "world"), "already_applied", State.FIXED),
        ("Another article.\n", "not_found", State.ACCEPTED),
        ("In this wrold of ours.\n", "conflict", State.ACCEPTED),
    ],
)
def test_verdict_becomes_a_state_and_words(
    desk: FlaskClient, cms: str, database: Database, site: Site, clock: Clock, article: Path,
    text: str, result: str, state: State,
) -> None:  # fmt: skip
    correction_id = report(database, site, clock())
    article.write_text(text)
    answer = press(desk, correction_id)
    found = kept(database, correction_id)
    assert (answer.status_code, found.state, found.wording) == (303, state, "world"), told(database)
    assert article.read_text() == text
    assert (told(database)[0] or "").partition(" ")[0] == result, told(database)
    if state is State.FIXED:
        assert answer.location == f"/review?done={correction_id}.{acts.mark(clock())}"
    else:
        assert answer.location.endswith("#handover")
        words = {
            "not_found": "The content system does not find these words in the article.",
            "conflict": "The content system refuses: the article is different in this place. "
            "These words stand in other surroundings now.",
        }[result]
        assert notice(desk, correction_id).startswith(words)
        assert "It stays accepted." in notice(desk, correction_id)
    page = desk.get(f"/review/{correction_id}").text
    assert "editor@news.example handed it to the content system" in page


def test_answer_that_is_no_verdict_leaves_it_accepted(
    ask: Callable[..., Any], database: Database, site: Site, clock: Clock
) -> None:
    no_result = "it answered 200 without one of the four results"
    cases = [
        (500, b"Oh", "it answered 500"),
        (302, b"", "it answered 302"),
        (200, b"<html>", no_result),
        (200, b'{"result": "done"}', no_result),
        (200, b"[" * 9000, no_result),
    ]
    correction_id = report(database, site, clock())
    answers = iter(cases)

    def say(server: Any, connection: Any) -> None:
        status, body, _ = next(answers)
        head = b"HTTP/1.1 %d Oh\r\nLocation: http://169.254.169.254/\r\n" % status
        server.send(connection, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    with misbehaving(say) as server:
        endpoint(database, site, server.url, clock)
        for _, _, why in cases:
            answer = ask(correction_id)
            assert answer.status_code == 502
            assert answer.json["type"].rpartition("/")[2] == "not-applied"
            assert answer.json["detail"] == (
                f"The correction stays accepted, and can be sent again: {why}."
            )
    assert kept(database, correction_id).state is State.ACCEPTED
    assert told(database) == [f"unanswered {why}" for _, _, why in cases]


def test_no_answer_is_asked_again_under_the_same_id_until_there_is_one(
    desk: FlaskClient, database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    answers = iter([(500, {}), (200, {}), (204, {})])
    with running(Receiver(lambda _got: next(answers))) as receiver:
        made = endpoint(database, site, receiver.url, clock)
        for _ in range(2):
            assert press(desk, correction_id).location.endswith("#handover")
            clock.advance(seconds=1)
        assert notice(desk, correction_id).startswith(
            "The content system gave no answer that counts. it answered 200 without one of the "
        )
        press(desk, correction_id, wording="World")
        first, second, third = receiver.verified(made.secret)
        assert first == second
        assert (first["data"]["wording"], third["data"]["wording"]) == ("world", "World")  # type: ignore[index]
    one, other, changed = ids(database)
    assert one == other != changed
    with database.read() as session:
        assert [each.attempt_count for each in session.scalars(select(Delivery).order_by(Delivery.id))] == [2, 1]  # fmt: skip


def test_undone_hand_over_is_a_new_one_and_the_page_says_what_stays(
    desk: FlaskClient, editor: Editor, cms: str, database: Database, site: Site, clock: Clock,
    article: Path,
) -> None:  # fmt: skip
    correction_id = report(database, site, clock())
    press(desk, correction_id)
    clock.advance(minutes=1)
    with database.write() as session:
        by = By(editor.email, editor.id)
        undo.undo(session, site.id, correction_id, by=by, now=clock())
    assert kept(database, correction_id).state is State.ACCEPTED
    assert "What you undo here stays in the article" in notice(desk, correction_id)
    article.write_text(TEXT)
    press(desk, correction_id)
    assert article.read_text() == TEXT.replace("wrold", "world")
    assert kept(database, correction_id).state is State.FIXED
    assert len({*ids(database)}) == 2


def test_two_at_once_are_one_hand_over(
    client: FlaskClient, bearer: dict[str, str], database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    path = f"/api/v1/corrections/{correction_id}/apply"
    second: list[Any] = []

    def answer(_got: Got) -> tuple[int, dict[str, str]]:
        another = client.application.test_client()
        second.append(another.post(path, json={}, headers=bearer))
        return 500, {}

    with running(Receiver(answer)) as receiver:
        endpoint(database, site, receiver.url, clock)
        assert client.post(path, json={}, headers=bearer).status_code == 502
        assert len(receiver.got) == 1
    assert (second[0].status_code, second[0].json["detail"]) == (
        409, "This correction is being handed over at this moment.",
    )  # fmt: skip
    assert second[0].headers["Retry-After"] == "18"


def test_answer_that_was_lost_is_told_and_asked_for_again(
    desk: FlaskClient, cms: str, database: Database, site: Site, clock: Clock, article: Path
) -> None:
    """As it is after a kill: applied over there, and nothing written down here."""
    correction_id = report(database, site, clock())
    press(desk, correction_id)
    with database.write() as session:
        session.execute(update(Correction).values(state=State.ACCEPTED))
        session.execute(
            update(Delivery).values(state="failed", leased_until=clock() + ANSWER_WITHIN)
        )
    told = notice(desk, correction_id)
    assert told.startswith("This is being handed to the content system at")
    assert told.endswith("you can try again in 18 s.")
    assert press(desk, correction_id).status_code == 409
    clock.advance(seconds=17, milliseconds=500)
    assert notice(desk, correction_id).endswith("you can try again in 1 s.")
    clock.advance(milliseconds=500)
    assert notice(desk, correction_id).startswith(
        "It was handed to the content system, and the answer was lost."
    )
    press(desk, correction_id)
    assert kept(database, correction_id).state is State.FIXED
    assert article.read_text() == TEXT.replace("wrold", "world")
    assert len({*ids(database)}) == 1


def test_what_cannot_be_applied_is_refused_with_what_was_typed(
    desk: FlaskClient, ask: Callable[..., Any], database: Database, site: Site, clock: Clock,
    editor: Editor,
) -> None:  # fmt: skip
    correction_id = report(database, site, clock(), suggestion=None, comment="Is this a word?")
    page_level = report(
        database, site, clock(), exact=None, start=None, suggestion=None, comment="?"
    )
    assert "Accept and apply" not in desk.get(f"/review/{correction_id}").text
    refused = ask(correction_id, suggestion="world")
    assert (refused.status_code, refused.json["detail"]) == (
        409, "This site has no address where corrections are applied.",
    )  # fmt: skip
    assert kept(database, correction_id).state is State.NEW
    with running(Receiver()) as receiver:
        endpoint(database, site, receiver.url, clock)
        assert ask(page_level).json["errors"][0]["detail"].startswith("This is about the whole")
        assert ask(correction_id).json["errors"][0]["detail"] == "Write the final wording first."
        answer = press(desk, correction_id, wording="wrold", public_note="Kept?")
        assert answer.status_code == 422
        assert "The final wording is what the article says already." in answer.text
        assert "Kept?" in answer.text
        assert 'formaction="/review/' not in desk.get(f"/review/{page_level}").text.replace(
            f'formaction="/review/{page_level}/moves"', ""
        )
        with database.write() as session:
            by = By(editor.email, editor.id)
            rejected = Decision(State.REJECTED)
            moves.decide(session, site.id, correction_id, rejected, by=by, now=clock())
        assert ask(correction_id, suggestion="world").status_code == 409
        assert receiver.got == []


def test_moved_meanwhile_it_stays_where_it_is(
    ask: Callable[..., Any], editor: Editor, database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())

    def say(server: Any, connection: Any) -> None:
        with database.write() as session:
            by = By(editor.email, editor.id)
            moves.decide(session, site.id, correction_id, Decision(State.SPAM), by=by, now=clock())
        body = json.dumps({"result": "applied"}).encode()
        server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with misbehaving(say) as server:
        endpoint(database, site, server.url, clock)
        assert ask(correction_id).json["correction"]["state"] == "spam"
    assert told(database) == ["applied"]


def test_moved_meanwhile_nobody_is_offered_to_undo_it(
    desk: FlaskClient, admin: Editor, database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())

    def say(server: Any, connection: Any) -> None:
        with database.write() as session:
            by = By(admin.email, admin.id)
            moves.decide(session, site.id, correction_id, Decision(State.FIXED), by=by, now=clock())
        body = json.dumps({"result": "applied"}).encode()
        server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with misbehaving(say) as server:
        endpoint(database, site, server.url, clock)
        answer = press(desk, correction_id)
    assert answer.location == f"/review/{correction_id}?next=/review#handover"


def test_broken_connection_is_told_and_a_later_decision_is_not_stale(
    desk: FlaskClient, editor: Editor, database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    with misbehaving(receivers.reset) as server:
        endpoint(database, site, server.url, clock)
        press(desk, correction_id)
    assert "the connection broke" in notice(desk, correction_id)
    before = kept(database, correction_id)
    assert before.updated_at == clock()
    with database.write() as session:
        by = By(editor.email, editor.id)
        changes.change(
            session, site.id, correction_id, {"public_note": "Soon"}, by=by, now=clock(),
            versions=frozenset({before.version}),
        )  # fmt: skip


def test_workers_and_catching_up_leave_hand_overs_alone(
    ask: Callable[..., Any], client: FlaskClient, bearer: dict[str, str], database: Database,
    site: Site, clock: Clock,
) -> None:  # fmt: skip
    correction_id = report(database, site, clock())
    with running(Receiver(lambda _got: (500, {}))) as receiver:
        made = endpoint(database, site, receiver.url, clock)
        ask(correction_id)
    with database.write() as session:
        webhook = webhooks.find(session, site.id, made.id)
        [sent] = history.deliveries(session, webhook, limit=9)
        assert history.redeliver_failed(session, webhook, since=clock(), now=clock()) == 0
        assert sent.delivery.next_attempt_at is None
    answer = client.post(f"/api/v1/deliveries/{sent.delivery.id}/redeliver", headers=bearer)
    assert (answer.status_code, answer.json["detail"]) == (
        409, "Hand the correction over again: somebody has to hear the answer.",
    )  # fmt: skip


def test_site_has_one_apply_endpoint_that_hears_of_nothing_else(
    client: FlaskClient, bearer: dict[str, str]
) -> None:
    def make(*events: str) -> Any:
        sent = {"url": "http://127.0.0.1:9/", "events": events}
        return client.post("/api/v1/webhooks", json=sent, headers=bearer)

    assert make(APPLY, "correction.fixed").json["errors"][0]["pointer"] == "/events"
    first = make(APPLY)
    assert (first.status_code, first.json["events"]) == (201, [APPLY])
    assert make(APPLY).json["errors"] == [
        {"pointer": "/events", "detail": "This site has an address where corrections are applied."}
    ]
    other = make("*")
    path = f"/api/v1/webhooks/{other.json['id']}"
    changed = client.patch(path, json={"events": [APPLY]}, headers=bearer)
    assert changed.status_code == 422
    again = f"/api/v1/webhooks/{first.json['id']}"
    assert client.patch(again, json={"events": [APPLY]}, headers=bearer).status_code == 200
