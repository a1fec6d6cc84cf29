"""Keeping what was found: a batch in one transaction, without what is there already."""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from service import addresses, documents, hashing, text
from service.db import Base, id_at, inserting, new_id
from service.intake.importing.finds import BadRow, Columns, Found, Sent
from service.models import (
    AnchorState,
    Article,
    Change,
    Correction,
    Document,
    Editor,
    Membership,
    Move,
    Publication,
    PublicationVersion,
    Report,
    Revision,
    Site,
    State,
)

BY = "import"
OPEN = frozenset({State.NEW, State.ACCEPTED})


@dataclass(slots=True)
class Kept:
    """What came of it: reports and corrections that are new, reports that were there."""

    reports: int = 0
    corrections: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What a correction repeats, and the line that says so."""

    of: UUID
    line: int


class Keeper:
    """Writes into one site what is not there yet, batch by batch."""

    def __init__(self, site: Site, *, now: datetime) -> None:
        self.site, self.now, self.kept = site, now, Kept()
        self.apart: dict[UUID, Duplicate] = {}
        """Duplicates of what has not come yet."""

    def keep(self, session: Session, found: Sequence[Found]) -> Sequence[BadRow]:
        """Keep a batch in the caller's transaction; returns duplicates that cannot be joined.

        A correction of which some reports are there gets the others. Of two processes that import
        at once one waits for the other's batch.
        """
        session.execute(
            select(Site.id).where(Site.id == self.site.id).with_for_update(key_share=True)
        )
        self.apart |= _Batch(session, self, found).keep()
        return list(self._join(session))

    def _join(self, session: Session) -> Iterator[BadRow]:
        """Join duplicates to those that are there by now."""
        there = session.scalars(
            select(Correction.id).where(
                Correction.site_id == self.site.id,
                Correction.id.in_([duplicate.of for duplicate in self.apart.values()]),
            )
        ).all()
        for one, duplicate in list(self.apart.items()):
            if duplicate.of not in there:
                continue
            del self.apart[one]
            if _leads_to(session, duplicate.of, one):
                yield BadRow("duplicate_of leads back to the correction itself", duplicate.line)
            else:
                joined = update(Correction).where(Correction.id == one)
                session.execute(joined.values(duplicate_of=duplicate.of))


def _leads_to(session: Session, start: UUID, end: UUID) -> bool:
    """Whether the first correction, or one that it repeats, is or repeats the other one."""
    at: UUID | None = start
    seen: set[UUID] = set()
    while at is not None and at != end and at not in seen:
        seen.add(at)
        at = session.scalar(select(Correction.duplicate_of).where(Correction.id == at))
    return at == end


@dataclass(slots=True)
class _Home:
    """A correction that reports join."""

    id: UUID
    state: State
    suspected: bool
    selector: text.Selector
    count: int
    row: Columns | None = None
    """Its columns where it is made in this batch."""
    joined: int = 0
    """How many reports it gets otherwise."""
    newest: float = 0.0
    """The time in the id of its last report."""

    def takes(self, found: Found, selector: text.Selector) -> bool:
        """Whether it stands where this one does, and is about the same words."""
        return (
            not self.suspected
            and self.state is found.correction["state"]
            and text.same_passage(self.selector, selector, same_text=False)
        )


class _Batch:
    """The rows of one batch, made up before any of them is written."""

    def __init__(self, session: Session, keeper: Keeper, batch: Sequence[Found]) -> None:
        self.session, self.batch = session, batch
        self.site, self.now, self.kept = keeper.site, keeper.now, keeper.kept
        self.rows: dict[type[Base], list[Columns]] = defaultdict(list)
        self.duplicates: dict[UUID, Duplicate] = {}
        self.homes: dict[UUID, _Home] = {}
        self.places: dict[tuple[UUID, str | None], list[_Home]] = defaultdict(list)
        self.articles, self.titles = self._articles()
        self.known = self._known()
        self._find_homes()
        self.unjoined = self._unjoined()
        self.texts = self._texts()
        self.people = self._people()

    def keep(self) -> Mapping[UUID, Duplicate]:
        """Write all; returns which corrections are duplicates of which."""
        for found in self.batch:
            self._keep(found)
        for table in (Correction, Report, Move, Publication, PublicationVersion, Document):
            if self.rows[table]:
                # Without its nulls, each row that has others would be a statement of its own.
                self.session.execute(
                    insert(table), self.rows[table], execution_options={"render_nulls": True}
                )
        for home in self.homes.values():
            if home.joined:
                self.session.execute(
                    update(Correction)
                    .where(Correction.id == home.id)
                    .values(
                        report_count=Correction.report_count + home.joined,
                        version=Correction.version + home.joined,
                        updated_at=self.now,
                    )
                )
        return self.duplicates

    def _keep(self, found: Found) -> None:
        there = {sent.key: self._home_of(sent) for sent in found.reports}
        fresh = [sent for sent in found.reports if there[sent.key] is None]
        self.kept.known += len(found.reports) - len(fresh)
        if fresh:
            standing = next((home for home in there.values() if home), None)
            home = standing or self._joinable(found) or self._add_correction(found)
            for sent in fresh:
                self._add_report(home, sent)
        if found.original and (kept := id_here(self.site.id, found.original)) in self.unjoined:
            self._add_duplicate(found, kept)

    def _home_of(self, sent: Sent) -> _Home | None:
        known = self.known.get(sent.key) or self.known.get(sent.original)
        return self.homes[known] if known else None

    def _joinable(self, found: Found) -> _Home | None:
        if not found.joins:
            return None
        place = self.articles[found.url], found.correction["passage_hash"]
        selector = _selector(found.correction)
        return next((home for home in self.places[place] if home.takes(found, selector)), None)

    def _add_correction(self, found: Found) -> _Home:
        article_id = self.articles[found.url]
        created_at = found.correction["created_at"]
        derived = id_here(self.site.id, found.original) if found.original else None
        correction_id = derived or id_at(created_at.timestamp())
        row: Columns = {
            "id": correction_id,
            "site_id": self.site.id,
            "article_id": article_id,
            "assignee_id": self.people.get(found.assignee or ""),
            "report_count": 0,
            **found.correction,
            **self._anchor(found, article_id),
        }
        self.rows[Correction].append(row)
        self._add_moves(found.moves, correction_id)
        if found.publication:
            self._add_publication(found.publication, correction_id, article_id)
        self._add_duplicate(found, correction_id)
        title = self.titles[found.url]
        own = documents.of_passage(row["exact"], row.get("wording"), title, found.url)
        self._add_document(correction_id, None, own)
        self.kept.corrections += 1
        home = _Home(
            correction_id, row["state"], row.get("suspected", False), _selector(row), 0, row
        )
        self.homes[correction_id] = home
        self.places[article_id, row["passage_hash"]].append(home)
        return home

    def _add_duplicate(self, found: Found, correction_id: UUID) -> None:
        if found.duplicate_of:
            of = id_here(self.site.id, found.duplicate_of)
            self.duplicates[correction_id] = Duplicate(of, found.line)

    def _add_moves(self, moves: Sequence[Columns], correction_id: UUID) -> None:
        made: list[Columns] = []
        newest = 0.0
        for move in moves:
            made_at = move.get("created_at", self.now)
            # As with reports: their ids keep their order.
            newest = max(made_at.timestamp(), newest + 0.001)
            known = {"id": id_at(newest), "correction_id": correction_id}
            made.append({"created_at": made_at, **move, **known})
        here = {move.get("id"): row["id"] for move, row in zip(moves, made, strict=True)}
        for row in made:
            row["undoes"] = here[row["undoes"]] if row.get("undoes") else None
        self.rows[Move] += made

    def _anchor(self, found: Found, article_id: UUID) -> Columns:
        """Where the newest text that is known has an open correction's words."""
        newest = self.texts.get(article_id)
        if newest is None or not found.joins or found.correction["state"] not in OPEN:
            return {}
        anchor = text.locate(_selector(found.correction), newest)
        # Nobody knows where they stood before: nothing has moved.
        state = "exact" if anchor.state == "moved" else anchor.state
        return {
            "anchor_state": AnchorState(state),
            "anchor_start": anchor.start,
            "anchor_end": anchor.end,
        }

    def _add_report(self, home: _Home, sent: Sent) -> None:
        home.count += 1
        if home.row is None:
            home.joined += 1
        else:
            home.row["report_count"] = home.count
        # Ids of one millisecond would not keep the order of their reports.
        home.newest = max(sent.columns["created_at"].timestamp(), home.newest + 0.001)
        report_id = id_at(home.newest)
        self.rows[Report].append(
            {
                "id": report_id,
                "site_id": self.site.id,
                "correction_id": home.id,
                "idempotency_key": sent.key,
                "body_hash": hashing.fingerprint(sent.key),
                # Nobody has the link to this one.
                "receipt_hash": hashing.fingerprint(secrets.token_urlsafe(32)),
                "ordinal": home.count,
                **sent.columns,
            }
        )
        words = documents.of_report(sent.columns.get("suggestion"), sent.columns.get("comment"))
        self._add_document(home.id, report_id, words)
        self.known[sent.key] = home.id
        self.kept.reports += 1

    def _add_document(self, correction_id: UUID, report_id: UUID | None, words: str) -> None:
        if words or report_id is None:
            self.rows[Document].append(
                {"correction_id": correction_id, "report_id": report_id, "text": words}
            )

    def _add_publication(self, said: Columns, correction_id: UUID, article_id: UUID) -> None:
        publication_id = new_id()
        self.rows[Publication].append(
            {
                "id": publication_id,
                "site_id": self.site.id,
                "article_id": article_id,
                "correction_id": correction_id,
                "announced_at": said["published_at"],
                "created_at": said["published_at"],
                **said,
            }
        )
        words = {name: said[name] for name in ("kind", "said", "says", "note", "thanks")}
        self.rows[PublicationVersion].append(
            {
                "id": new_id(),
                "publication_id": publication_id,
                "number": 1,
                "withdrawn": said["withdrawn_at"] is not None,
                "reason": said["withdrawn_reason"],
                "by": BY,
                "created_at": said["published_at"],
                **words,
            }
        )

    def _articles(self) -> tuple[dict[str, UUID], dict[str, str | None]]:
        """The articles and their titles by address; those that are not there yet are made."""
        first = {found.url: found for found in reversed(self.batch)}
        rows = [
            {
                "id": new_id(),
                "site_id": self.site.id,
                "url": url,
                "title": found.title,
                "lang": found.lang,
                "section": addresses.section_of(url),
                "created_at": found.correction["created_at"],
            }
            for url, found in sorted(first.items())
        ]
        add = inserting(self.session, Article).on_conflict_do_nothing()
        self.session.execute(add, rows)
        wanted = select(Article.url, Article.id, Article.title).where(
            Article.site_id == self.site.id, Article.url.in_(first)
        )
        there = self.session.execute(wanted).all()
        return {row.url: row.id for row in there}, {row.url: row.title for row in there}

    def _known(self) -> dict[object, UUID]:
        """The corrections of the reports that are there, by what these are known by."""
        sent = [sent for found in self.batch for sent in found.reports]
        of_site = select(Report.idempotency_key, Report.id, Report.correction_id).where(
            Report.site_id == self.site.id
        )
        known: dict[object, UUID] = {}
        for wanted in (
            Report.idempotency_key.in_([each.key for each in sent]),
            Report.id.in_([each.original for each in sent if each.original]),
        ):
            for row in self.session.execute(of_site.where(wanted)):
                known[row.idempotency_key] = known[row.id] = row.correction_id
        return known

    def _find_homes(self) -> None:
        """The corrections of reports that are there, and those that others may join."""
        joining = [found for found in self.batch if found.joins]
        place = and_(
            Correction.article_id.in_({self.articles[found.url] for found in joining}),
            Correction.passage_hash.in_({found.correction["passage_hash"] for found in joining}),
        )
        for wanted in (Correction.id.in_(set(self.known.values())), place):
            for row in self.session.execute(select(*_HOME).where(wanted).order_by(Correction.id)):
                selector = _selector(row._asdict())
                home = _Home(row.id, row.state, row.suspected, selector, row.report_count)
                if row.id not in self.homes:
                    self.homes[row.id] = home
                    self.places[row.article_id, row.passage_hash].append(home)

    def _unjoined(self) -> set[UUID]:
        """Duplicates that were kept before what they repeat, by an import that was broken off."""
        kept = [
            id_here(self.site.id, found.original)
            for found in self.batch
            if found.original and found.duplicate_of
        ]
        is_changed = exists().where(
            Change.correction_id == Correction.id, Change.field == "duplicate_of"
        )
        wanted = select(Correction.id).where(
            Correction.site_id == self.site.id,
            Correction.id.in_(kept),
            Correction.duplicate_of.is_(None),
            ~is_changed,
        )
        return set(self.session.scalars(wanted)) if kept else set()

    def _texts(self) -> dict[UUID, str]:
        """The newest texts of the articles of which one is known."""
        ids = set(self.articles.values())
        newest = (
            select(Revision.article_id, func.max(Revision.number))
            .where(Revision.article_id.in_(ids))
            .group_by(Revision.article_id)
        )
        rows = select(Revision.article_id, Revision.text).where(
            tuple_(Revision.article_id, Revision.number).in_(newest)
        )
        return dict(self.session.execute(rows).all())

    def _people(self) -> dict[str, UUID]:
        """The site's editors by address."""
        rows = (
            select(Editor.email, Editor.id)
            .join(Membership, Membership.editor_id == Editor.id)
            .where(Membership.site_id == self.site.id)
        )
        return dict(self.session.execute(rows).all())


_HOME = (
    Correction.id,
    Correction.article_id,
    Correction.passage_hash,
    Correction.state,
    Correction.suspected,
    Correction.exact,
    Correction.prefix,
    Correction.suffix,
    Correction.report_count,
)


def _selector(of: Mapping[str, Any]) -> text.Selector:
    return text.Selector(of["exact"] or "", of["prefix"], of["suffix"])


def id_here(site_id: UUID, original: UUID) -> UUID:
    """The id that a correction of elsewhere gets on a site: of the same time, always the same."""
    bits = int(hashing.fingerprint(f"{site_id} {original}")[:18], 16)
    return id_at((original.int >> 80) / 1000, bits)
