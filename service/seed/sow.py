"""The verb: fill a site with corrections, batch by batch, every count and history in step."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

from sqlalchemy import func, select

from service import documents, hashing, text
from service.db import Database
from service.db.loading import loading
from service.models import Correction, Site
from service.seed import stories
from service.seed.ahead import ahead
from service.seed.bulk import Bulk
from service.seed.instead import gathering, index_documents, newest_document, tally
from service.seed.lives import REASONS, SUSPICIONS, Life, arrivals, live
from service.seed.stories import HOUR, Place, Quote, Story
from service.seed.values import hour, id_at, instant

BATCH = 5_000
REMADE_FROM = BATCH
"""So many corrections and more are worth it to make indexes anew."""
DAYS = 730
PER_STORY = 0.07
"""New articles per correction."""
ALIVE = 150
"""So many of the newest articles are still reported on."""

ARTICLE = ("id", "site_id", "url", "title", "lang", "created_at", "section", "tags")
REVISION = ("id", "article_id", "number", "text", "mark", "created_at")
CORRECTION = (
    "id", "site_id", "article_id", "state", "version", "suspected", "exact", "prefix", "suffix",
    "start", "end", "passage_hash", "anchor_state", "anchor_start", "anchor_end", "category",
    "wording", "public_note", "assignee_id", "duplicate_of", "report_count", "created_at",
    "updated_at", "first_decided_at", "decided_at", "fixed_at", "closed_at",
)  # fmt: skip
REPORT = (
    "id", "site_id", "correction_id", "idempotency_key", "body_hash", "receipt_hash", "ordinal",
    "source", "title", "lang", "exact", "prefix", "suffix", "start", "end", "suggestion",
    "proposal", "comment", "category", "email", "suspected", "spam_score", "spam_reasons",
    "already_fixed", "created_at",
)  # fmt: skip
MOVE = ("id", "correction_id", "from_state", "to_state", "by", "editor_id", "reason", "created_at")
DOCUMENT = ("correction_id", "report_id", "text")

NOTE = "Corrected, with thanks to our readers."
NO_QUOTE: Quote = (None, "", "", None, None)
AGAINST = [
    (min(100, sum(int(each["points"]) for each in told)), json.dumps(told)) for told in SUSPICIONS
]
"""The score and what it is made of, as it is kept."""

# Most words come from the same few sentences.
_spelled = lru_cache(4_096)(text.normalise)
_words = lru_cache(65_536)(documents.of_report)
_hash = lru_cache(65_536)(lambda exact: hashing.fingerprint(text.normalise(exact)))


@dataclass(frozen=True, slots=True)
class Person:
    """An editor of the site, as the history names them."""

    id: UUID
    email: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make up: how much, until when (seconds since 1970), and from which number."""

    corrections: int
    until: float
    random_seed: int = 1
    days: int = DAYS


def sow(
    database: Database,
    site: Site,
    plan: Plan,
    *,
    people: Sequence[Person],
    secret: str,
    on_batch: Callable[[int], None] = lambda _: None,
) -> int:
    """Fill the site in one transaction; returns how many rows it wrote, documents with them.

    `on_batch` hears how many corrections went in. No event is written: nobody is told.
    """
    field, written = Field(site, plan, people, secret), 0
    with database.write() as session:
        there = session.scalar(select(func.count()).select_from(Correction)) or 0
        names = [bulk.table for bulk in field.tables]
        remakes = plan.corrections > max(there, REMADE_FROM)
        with loading(session.connection(), names, remakes=remakes), gathering(session):
            batches = field.batches()
            # SQLite works in this process: two threads would only wait for each other.
            for count, bulks in batches if database.is_sqlite else ahead(batches):
                newest = newest_document(session)
                written += sum(bulk.write(session) for bulk in bulks)
                index_documents(session, newest)
                on_batch(count)
            tally(session, site.id, field.standing)
            Bulk("stale_hours", ("id", "site_id", "hour"), field.stale()).write(session)
    return written


class Field:
    """The rows of one site as they are made up."""

    def __init__(self, site: Site, plan: Plan, people: Sequence[Person], secret: str) -> None:
        self.site_id, self.origin = site.id.hex, site.origins[0]
        self.plan, self.people, self.secret = plan, people, secret
        self.rng = random.Random(plan.random_seed)  # noqa: S311
        self.articles, self.revisions = Bulk("articles", ARTICLE), Bulk("revisions", REVISION)
        self.corrections, self.reports = Bulk("corrections", CORRECTION), Bulk("reports", REPORT)
        self.moves, self.documents = Bulk("moves", MOVE), Bulk("documents", DOCUMENT)
        self.tables = (
            self.articles,
            self.revisions,
            self.corrections,
            self.reports,
            self.moves,
            self.documents,
        )
        self.alive: list[Story] = []
        self.written = 0
        self.standing: Counter[str] = Counter()
        """How many corrections stand under which tab."""
        self.hours: set[str] = set()
        """The hours, in UTC, in which something was made or decided."""

    def batches(self) -> Iterator[tuple[int, list[Bulk]]]:
        """Make up rows until all corrections are there: how many are in a batch, and its rows."""
        plan, waiting = self.plan, 0
        for at in arrivals(self.rng, plan.corrections, plan.until, plan.days):
            self._correction(at)
            waiting += 1
            if waiting == BATCH:
                yield waiting, [bulk.take() for bulk in self.tables]
                waiting = 0
        if waiting:
            yield waiting, [bulk.take() for bulk in self.tables]

    def stale(self) -> list[tuple[object, ...]]:
        """The rows that say of which hours the statistics know nothing yet."""
        return [(uuid4().hex, self.site_id, hour) for hour in sorted(self.hours)]

    def _id(self, at: float) -> str:
        return id_at(at, self.rng.getrandbits(74))

    def _story(self, at: float) -> Story:
        """A new article, or one of the newest: the newer, the likelier."""
        if len(self.alive) < 3 or self.rng.random() < PER_STORY:
            return self._new_story(at)
        return self.alive[-1 - int(len(self.alive) * self.rng.random() ** 2.5)]

    def _new_story(self, at: float) -> Story:
        self.written += 1
        number = f"{self.plan.random_seed}-{self.written}"
        story = stories.write(self.rng, self.origin, number, at - self.rng.uniform(60.0, 8 * HOUR))
        is_pushed = self.rng.random() < 0.7
        tags = f'["{story.section}", "{story.language.tag}"]' if is_pushed else "[]"
        article = story.row()
        self.articles.rows.append((article[0], self.site_id, *article[1:], story.section, tags))
        self.revisions.rows += story.revisions(self.plan.until)
        self.alive.append(story)
        del self.alive[:-ALIVE]
        return story

    def _correction(self, at: float) -> None:
        story = self._story(at)
        place = None if self.rng.random() < 0.06 else story.next_place(at)
        if place is None and self.rng.random() < 0.9:
            story = self._new_story(at)
            place = story.next_place(at)
        is_old = story.revised_at is not None and at <= story.revised_at
        fixed_at = story.revised_at if place and is_old and place.later[0] == "fixed" else None
        life = live(self.rng, at, self.plan.until, fixed_at)
        correction_id = self._id(at)
        self._row(correction_id, story, place, life)
        self._reports(correction_id, story, place, life)
        self._moves(correction_id, life)
        story.corrections.append(correction_id)

    def _row(self, correction_id: str, story: Story, place: Place | None, life: Life) -> None:
        rng, state = self.rng, life.state
        anchor = self._anchor(story, place, life)
        is_moved = place is not None and anchor[0] != "exact"
        is_told = rng.random() < 0.1 and state in {"fixed", "rejected"}
        is_taken = bool(self.people) and not life.is_suspected and rng.random() < 0.3
        is_duplicate = bool(story.corrections) and rng.random() < 0.01
        is_worded = place is not None and state == "fixed" and rng.random() < 0.3
        wording = place.right if place and is_worded else None
        last = max([life.reports[-1], *(step.at for step in life.steps)])
        began, *decided = (
            None if when is None else instant(when)
            for when in (
                life.reports[0],
                life.first_decided_at,
                life.decided_at,
                life.fixed_at,
                life.closed_at,
            )
        )
        exact = place.exact if place else None
        self.corrections.rows.append(
            (
                correction_id,
                self.site_id,
                story.id,
                state,
                len(life.reports) + len(life.steps) + is_moved + is_taken,
                life.is_suspected,
                *(place.quote if place else NO_QUOTE),
                _hash(exact) if exact else None,
                *anchor,
                place.category if place else None,
                wording,
                NOTE if is_told else None,
                rng.choice(self.people).id.hex if is_taken else None,
                rng.choice(story.corrections) if is_duplicate else None,
                len(life.reports),
                began,
                instant(last),
                *decided,
            )
        )
        words = documents.of_passage(exact, wording, story.title, story.url, _spelled)
        self.documents.rows.append((correction_id, None, words))
        self.standing["suspected" if life.is_suspected and state != "spam" else state] += 1
        self.hours.update(hour(when) for when in (began, *decided) if when)

    def _anchor(
        self, story: Story, place: Place | None, life: Life
    ) -> tuple[str, int | None, int | None]:
        """Where the words are in the newest text: a revision looks for the open ones only."""
        if place is None:
            return ("exact", None, None)
        revised_at = story.revised_at
        is_revised = revised_at is not None and life.reports[0] <= revised_at <= self.plan.until
        if not is_revised or revised_at is None:
            return ("exact", place.start, place.end)
        state, start, end = place.later
        if state == "fixed":
            return ("changed", start, end)
        is_open = life.state_at(revised_at) in {"new", "accepted"}
        return (state, start, end) if is_open else ("exact", place.start, place.end)

    def _moves(self, correction_id: str, life: Life) -> None:
        for step in life.steps:
            by, editor_id, reason = "token:newsroom", None, None
            if step.is_revision:
                by, reason = "revision", "Revision 2"
            elif self.people:
                person = self.people[int(len(self.people) * self.rng.random() ** 1.5)]
                by, editor_id = person.email, person.id.hex
            if step.to == "rejected":
                reason = self.rng.choice(REASONS)
            elif step.to == "new":
                reason = "Undone"
            self.moves.rows.append(
                (
                    self._id(step.at),
                    correction_id,
                    step.origin,
                    step.to,
                    by,
                    editor_id,
                    reason,
                    instant(step.at),
                )
            )

    def _reports(self, correction_id: str, story: Story, place: Place | None, life: Life) -> None:
        drawn, before = self.rng.random, 0.0
        quote, category = (place.quote, place.category) if place else (NO_QUOTE, None)
        score, against = self.rng.choice(AGAINST) if life.is_suspected else (0, "[]")
        for ordinal, at in enumerate(life.reports, 1):
            # Ids of one millisecond would not keep the order of their reports.
            before = max(at, before + 0.001)
            report_id, made_at = self._id(before), instant(before)
            token = hashing.receipt_token(self.secret, UUID(report_id))
            suggestion = self._suggestion(place)
            has_comment = suggestion is None or drawn() < 0.25
            comment = self._comment(story) if has_comment else None
            self.reports.rows.append(
                (
                    report_id,
                    self.site_id,
                    correction_id,
                    report_id,
                    report_id * 2,
                    hashing.receipt_marks(token)[0],
                    ordinal,
                    story.url,
                    story.title,
                    story.language.tag,
                    *quote,
                    suggestion,
                    suggestion,
                    comment,
                    category if drawn() < 0.6 else None,
                    f"reader{int(1e6 * drawn())}@reader.example" if drawn() < 0.2 else None,
                    life.is_suspected,
                    score,
                    against,
                    False,
                    made_at,
                )
            )
            self.hours.add(hour(made_at))
            if words := _words(suggestion, comment):
                self.documents.rows.append((correction_id, report_id, words))

    def _suggestion(self, place: Place | None) -> str | None:
        if place is None:
            return None
        drawn = self.rng.random()
        if drawn < 0.85:
            return place.right
        return "" if drawn < 0.88 else f"{place.right}…" if drawn < 0.93 else None

    def _comment(self, story: Story) -> str:
        comments, drawn = story.language.comments, self.rng.random
        comment = comments[int(len(comments) * drawn())]
        return comment.replace("{n}", str(1 + int(27 * drawn())))
