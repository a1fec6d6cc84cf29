from datetime import UTC, datetime
from functools import partial
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy import text as sql

from service import documents
from service.db import Database
from service.desk import changes, moves, revisions, splits, undo
from service.desk.moves import By, Decision
from service.desk.revisions import NewText
from service.documents import Order
from service.models import Correction, Document, Report, Site, State
from service.seed.sow import Plan, sow
from tests.reporting import report

BY = By("token:tests")
EMOJI = "👩🏽‍🚒"


def find(database: Database, asked: str) -> set[UUID]:
    """What the index leads to where it leads to few; the other ways find the same."""
    with database.read() as session:
        query = documents.Query(session, asked)
        ways = [query.each]
        ways += [query.all] * query.has_index + [query.few] * query.is_pointed
        for order in (Order(is_newest=True), Order(is_newest=False)):
            ways += [partial(query.among, query.near(order, 1_000, 1_000))] * query.has_index
        found, *others = (
            set(session.scalars(select(Correction.id).where(way(Correction)))) for way in ways
        )
    assert all(other == found for other in others)
    return found


@pytest.fixture
def scripts(database: Database, site: Site, now: datetime) -> dict[str, UUID]:
    """One correction in each script."""
    texts = {
        "uk": ("Її Величність ґречно", "Київська Обласна рада"),
        "ar": ("المصرف الجديدة", "المصرف الجديد"),
        "zh": ("记者漢字报道", "记者汉字报道"),
        "ja": ("東京スカイツリー", "とうきょうスカイツリー"),
        "emoji": (f"fire {EMOJI} 🚒 drill", "🔥🔥🔥"),
        "marks": ('100% sure_it\'s "so" \\ or', "50% of_it"),
        "de": ("STRASSE und Maß", "Straße"),
        "th": ("ภาษาไทยไม่มีช่องว่าง", "ภาษาไทย"),
    }
    return {
        name: report(database, site, now, exact=exact, suggestion=suggestion, title=f"Title of {name}",
                     start=None, source=f"https://news.example/{name}", comment=None)
        for name, (exact, suggestion) in texts.items()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("величн", ["uk"]), ("ОБЛАСНА РАДА", ["uk"]), ("її", ["uk"]), ("Ї", ["uk"]),
        ("المصرف", ["ar"]), ("جديدة", ["ar"]), ("漢字", ["zh"]), ("汉字报", ["zh"]), ("漢", ["zh"]),
        ("スカイツリー", ["ja"]), ("うきょ", ["ja"]), ("🔥🔥🔥", ["emoji"]), ("🔥", ["emoji"]), (EMOJI, ["emoji"]),
        ("100%", ["marks"]), ("%", ["marks"]), ("0% s", ["marks"]), ("_", ["marks"]), ("sure_it", ["marks"]),
        ("sureXit", []), ("it's \"so\"", ["marks"]), ("it’s “so”", ["marks"]), ("\\ or", ["marks"]), ("'", ["marks"]),
        ('" OR "', []), ("strasse", ["de"]), ("MASS", ["de"]), ("maß", ["de"]), ("ไทยไม่มี", ["th"]),
        ("title of zh", ["zh"]), ("news.example/uk", ["uk"]), ("  title   OF  uk ", ["uk"]), ("nowhere to be found", []),
        ("NEAR(a b)", []), ("*", []), ("col:abc", []), ("x" * 200, []),
    ],
)  # fmt: skip
def test_words_are_found_in_every_script(
    database: Database, scripts: dict[str, UUID], asked: str, names: list[str]
) -> None:
    assert find(database, asked) == {scripts[name] for name in names}


@pytest.mark.parametrize("is_newest", [True, False])
@pytest.mark.parametrize("region", [50, 100, 1_000])
def test_what_is_near_has_no_gaps(
    database: Database, site: Site, is_newest: bool, region: int
) -> None:
    until = datetime(2026, 2, 1, tzinfo=UTC)
    sow(database, site, Plan(80, until.timestamp(), random_seed=5), people=[], secret="a")
    with database.write() as session:
        columns = select(Document.correction_id, Document.report_id, Document.text)
        known = [dict(row) for row in session.execute(columns).mappings()]
        session.execute(delete(Document))
        # As where they did not come in the order of their corrections.
        session.execute(insert(Document), Random(3).sample(known, len(known)))
    has = {row["correction_id"] for row in known if "story" in row["text"]}
    expected, after = sorted(has, reverse=is_newest), None
    with database.read() as session:
        query, found = documents.Query(session, "story"), list[UUID]()
        for _ in expected:
            near = {UUID(each) for each in query.near(Order(is_newest, after), region, 1_000)}
            found += sorted(near, reverse=is_newest)
            after = found[-1]
    assert len(found) > 3
    assert found == expected[: len(found)]
    assert region < 1_000 or found == expected


@pytest.mark.parametrize("is_newest", [True, False])
def test_nearest_are_those_of_the_few_that_come_next(
    database: Database, scripts: dict[str, UUID], is_newest: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "NEAR", 3)
    first, *others = sorted(scripts.values(), reverse=is_newest)
    with database.read() as session:
        query = documents.Query(session, "title of")
        begin, after = Order(is_newest), Order(is_newest, after=first)
        for order, expected in ((begin, [first, *others[:2]]), (after, others[:3])):
            assert [UUID(each) for each in query.nearest(order)] == expected
            assert [UUID(each) for each in query.near(order, 1_000, 3)] == expected
        monkeypatch.setattr(documents, "FEW", len(scripts) - 1)
        assert documents.Query(session, "title of").nearest(begin) == []


@pytest.mark.parametrize(
    "asked", ["величн", "漢字报", "100%", "sure_it", "🔥🔥🔥", "strasse", '" OR "']
)
def test_asking_each_row_finds_the_same(
    database: Database, scripts: dict[str, UUID], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find(database, asked)
    monkeypatch.setattr(documents, "FEW", -1)
    assert find(database, asked) == found


def test_later_reports_wordings_and_titles_are_found(
    database: Database, site: Site, now: datetime
) -> None:
    found = report(database, site, now)
    assert report(database, site, now, comment="Зовсім інші слова") == found
    assert find(database, "зовсім ІНШІ") == {found}
    with database.write() as session:
        decision = Decision(State.ACCEPTED, wording="Globus Magnus")
        moves.decide(session, site.id, found, decision, by=BY, now=now)
    assert find(database, "globus") == {found}
    with database.write() as session:
        undo.undo(session, site.id, found, by=BY, now=now)
    assert find(database, "globus") == set()
    with database.write() as session:
        new = NewText("https://news.example/a", "hello wrold text", title="Trams, not buses")
        revisions.push(session, site, new, now=now)
    assert find(database, "TRAMS, not") == {found}
    assert find(database, "the bus is late") == set()


def test_wording_is_found_without_a_move(database: Database, site: Site, now: datetime) -> None:
    found = report(database, site, now)
    for wording, expected in (("xylophone", {found}), (None, set())):
        with database.write() as session:
            changes.change(session, site.id, found, {"wording": wording}, by=BY, now=now)
        assert find(database, "xylophone") == expected


def test_what_was_split_off_is_found_by_all_of_its_words(
    database: Database, site: Site, now: datetime
) -> None:
    source = report(database, site, now)
    report(database, site, now, suggestion="word", comment="zebra")
    with database.write() as session:
        chosen = session.scalars(select(Report.id).where(Report.comment == "zebra")).all()
        made = splits.split(session, site.id, source, chosen, by=BY, now=now).id
    assert find(database, "zebra") == {made}
    for asked in ("wrold", "The bus is late", "https://news.example/a"):
        assert find(database, asked) == {source, made}
    with database.write() as session:
        moves.decide(
            session, site.id, made, Decision(State.ACCEPTED, wording="globus"), by=BY, now=now
        )
        new = NewText("https://news.example/a", "hello wrold text", title="Trams, not buses")
        revisions.push(session, site, new, now=now)
    assert find(database, "globus") == {made}
    assert find(database, "trams, not") == {source, made}


def test_own_document_that_is_missing_is_made_with_the_next_change(
    database: Database, site: Site, now: datetime
) -> None:
    found = report(database, site, now)
    with database.write() as session:
        session.execute(delete(Document).where(Document.report_id.is_(None)))
    assert find(database, "wrold") == set()
    for wording in ("globus", "world"):
        with database.write() as session:
            changes.change(session, site.id, found, {"wording": wording}, by=BY, now=now)
    assert find(database, "wrold") == {found}
    with database.read() as session:
        assert len(session.scalars(select(Document)).all()) == 2


def test_words_that_are_erased_are_not_found(database: Database, site: Site, now: datetime) -> None:
    found = report(database, site, now, comment="my secret address")
    with database.write() as session:
        session.execute(update(Report).values(comment=None))
    assert find(database, "secret") == set()
    assert find(database, "wrold") == {found}


def test_report_that_joins_another_correction_is_found_there(
    database: Database, site: Site, now: datetime
) -> None:
    first = report(database, site, now, comment="kept apart")
    second = report(database, site, now, exact="thier", start=40)
    with database.write() as session:
        session.execute(
            update(Report).where(Report.correction_id == first).values(correction_id=second)
        )
    assert find(database, "kept apart") == {second}


def test_index_is_there_and_follows(database: Database, site: Site, now: datetime) -> None:
    report(database, site, now)
    with database.write() as session:
        assert documents.has_index(session)
        if database.is_sqlite:
            session.execute(
                sql(
                    "INSERT INTO documents_index (documents_index, rank) VALUES ('integrity-check', 1)"
                )
            )


def test_search_without_an_index_finds_the_same(
    database: Database, scripts: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "INDEX", dict.fromkeys(documents.INDEX, "SELECT 1 WHERE 1 = 0"))
    assert find(database, "величн") == {scripts["uk"]}


def test_missing_documents_are_filled_in(database: Database, site: Site, now: datetime) -> None:
    made = {report(database, site, now, exact=f"word {each}", start=None) for each in range(5)}
    with database.write() as session:
        session.execute(delete(Document))
    assert find(database, "word") == set()
    with database.write() as session:
        assert documents.fill(session.connection()) == 10
        assert documents.fill(session.connection()) == 0
    assert find(database, "word") == made
    assert find(database, uuid4().hex) == set()
