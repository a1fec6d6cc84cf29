import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from service.db import Database
from service.desk import acts, revisions
from service.desk.acts import Act, Wanted
from service.desk.moves import By
from service.desk.revisions import NewText
from service.intake.importing import BadRow, Keeper, mistape
from service.models import (
    AnchorState,
    Article,
    Correction,
    Document,
    Event,
    Move,
    Report,
    Site,
    State,
    Tally,
)
from tests.conftest import ORIGIN
from tests.reporting import report

ROW = {
    "ID": "1", "blog_id": "1", "reporter_IP": "203.0.113.9", "date": "2025-03-01 14:00:00",
    "date_gmt": "2025-03-01 12:00:00", "selection": "wrold", "selection_word": None,
    "selection_replace_context": None, "selection_context": "hello wrold text",
    "comment": "It's \"world\";\nsee", "url": f"{ORIGIN}/city/a?utm_source=x",
    "agent": "a browser", "language": "uk_UA", "status": "pending",
}  # fmt: skip


def written(rows: list[dict[str, Any]]) -> str:
    """As a dump with named columns."""
    values = [
        ",".join(
            "NULL" if value is None else "'" + value.replace("'", "''") + "'"
            for value in (ROW | row).values()
        )
        for row in rows
    ]
    lines = ",\n".join(f"({value})" for value in values)
    return f"INSERT INTO `wp_mistape_reports` ({','.join(ROW)}) VALUES\n{lines};\n"


def keep(
    database: Database, site: Site, now: datetime, file: str | list[dict[str, Any]]
) -> tuple[tuple[int, int, int], list[tuple[int, str]]]:
    """Reports and corrections that are new, reports that were there; lines and reasons of the bad."""
    text = file if isinstance(file, str) else written(file)
    read = list(mistape.read(site, io.StringIO(text, newline="")))
    keeper = Keeper(site, now=now)
    with database.write() as session:
        keeper.keep(session, [row for row in read if not isinstance(row, BadRow)])
    kept = keeper.kept
    bad = [(row.line, str(row)) for row in read if isinstance(row, BadRow)]
    return (kept.reports, kept.corrections, kept.known), bad


def kept(database: Database) -> tuple[list[Correction], list[Report]]:
    with database.read() as session:
        return (
            list(session.scalars(select(Correction).order_by(Correction.id))),
            list(session.scalars(select(Report).order_by(Report.id))),
        )


def test_row_becomes_a_report_of_its_time_in_an_article(
    database: Database, site: Site, now: datetime
) -> None:
    assert keep(database, site, now, [{}]) == ((1, 1, 0), [])
    [correction], [found] = kept(database)
    at = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert (correction.exact, correction.prefix, correction.suffix) == ("wrold", "hello ", " text")
    assert (correction.state, correction.report_count, correction.created_at) == (State.NEW, 1, at)
    assert (found.comment, found.lang, found.created_at) == ('It\'s "world";\nsee', "uk-UA", at)
    assert (found.network, found.email, found.ordinal) == (None, None, 1)
    with database.read() as session:
        [article] = session.scalars(select(Article))
        assert (article.url, article.section) == (f"{ORIGIN}/city/a", "city")
        assert session.scalar(select(func.count()).select_from(Event)) == 0
        assert session.scalar(select(func.sum(Tally.new_count))) == 1
        assert set(session.scalars(select(Document.text))) == {
            f"wrold\n{ORIGIN}/city/a",
            'it\'s "world"; see',
        }


def test_states_are_kept(database: Database, site: Site, now: datetime) -> None:
    rows = [
        {
            "ID": str(number),
            "selection": f"word{number}",
            "selection_context": None,
            "status": status,
        }
        for number, status in enumerate(mistape.STATES)
    ]
    assert keep(database, site, now, rows) == ((4, 4, 0), [])
    found = {correction.exact: correction for correction in kept(database)[0]}
    assert [found[f"word{number}"].state for number in range(4)] == [
        State.NEW, State.FIXED, State.REJECTED, State.SPAM,
    ]  # fmt: skip
    assert [found[f"word{number}"].closed_at is None for number in range(4)] == [
        True, False, False, False,
    ]  # fmt: skip
    with database.read() as session:
        moves = session.scalars(select(Move)).all()
        assert {(move.from_state, move.to_state, move.by) for move in moves} == {
            (State.NEW, state, "mistape") for state in State if state in mistape.STATES.values()
            and state is not State.NEW
        }  # fmt: skip


def test_decided_ones_can_be_decided_on_from_the_queue(
    database: Database, site: Site, now: datetime
) -> None:
    keep(database, site, now, [{"status": "resolve"}])
    [correction], _ = kept(database)
    for wanted in (Act.NEW, Act.SPAM):
        with database.write() as session:
            names = list(acts.keys(session, [correction.id]).values())
            later = now + timedelta(minutes=1)
            [done] = acts.each(session, site.id, names, Wanted(wanted), by=By("me"), now=later)
            assert done.refusal is None


def test_words_stand_in_the_context_that_is_known() -> None:
    def quote(**values: str | None) -> tuple[str, str, str]:
        found = mistape._quote(ROW | {"selection_context": None, **values})
        return found["prefix"], found["exact"], found["suffix"]

    assert quote() == ("", "wrold", "")
    assert quote(
        selection="r", selection_word="wrold", selection_replace_context="big wrold",
        selection_context="a wrold, big wrold here",
    ) == ("a wrold, big w", "r", "old here")  # fmt: skip
    assert quote(selection_context="nothing like it") == ("", "wrold", "")
    assert quote(selection_context=f"{'a' * 200}wrold{'b' * 200}") == (
        "a" * 128, "wrold", "b" * 128,
    )  # fmt: skip


def test_same_words_in_the_same_state_are_one_correction(
    database: Database, site: Site, now: datetime
) -> None:
    known = report(
        database, site, now, exact="wrold", prefix="hello ", suffix=" text",
        source=f"{ORIGIN}/city/a", start=None,
    )  # fmt: skip
    rows = [{}, {"ID": "2"}, {"ID": "3", "status": "resolve"}, {"ID": "4", "status": "resolve"}]
    assert keep(database, site, now, rows) == ((4, 1, 0), [])
    with database.read() as session:
        found = {
            correction.state: (correction.report_count, correction.id)
            for correction in session.scalars(select(Correction))
        }
        ordinals = session.scalars(
            select(Report.ordinal).where(Report.correction_id == known).order_by(Report.ordinal)
        ).all()
    assert found[State.NEW] == (3, known)
    assert found[State.FIXED][0] == 2
    assert ordinals == [1, 2, 3]


def test_file_read_again_makes_no_doubles(database: Database, site: Site, now: datetime) -> None:
    rows = [{}, {"ID": "2", "selection": "thier"}, {"blog_id": "2", "selection": "buy"}, {}]
    assert keep(database, site, now, rows) == ((3, 3, 1), [])
    assert keep(database, site, now, [*rows, {"ID": "9", "selection": "new"}]) == ((1, 1, 4), [])
    before = kept(database)
    assert keep(database, site, now, rows) == ((0, 0, 4), [])
    assert [row.id for row in kept(database)[0]] == [row.id for row in before[0]]


def test_bad_rows_are_told_with_their_lines(database: Database, site: Site, now: datetime) -> None:
    rows = [
        {"url": "https://elsewhere.example/"},
        {"ID": "2", "url": None},
        {"ID": "3", "status": "lost"},
        {"ID": "4", "selection": " "},
        {"ID": "x"},
        {"ID": "6", "date_gmt": "2025-02-31 00:00:00"},
        {"ID": "7", "date_gmt": "0000-00-00 00:00:00", "date": None},
        {"ID": "8", "comment": "a\udcffb"},
        {"ID": "9", "comment": "c" * 2001},
        {"ID": "10"},
    ]
    assert keep(database, site, now, [{"comment": "a line", **row} for row in rows]) == (
        (1, 1, 0),
        [
            (2, "the address is not on one of this site's hosts"),
            (3, "there is no address"),
            (4, "the status lost is not one of pending, resolve, archive, trash"),
            (5, "no words were selected"),
            (6, "the ID is not a number"),
            (7, "the date 2025-02-31 00:00:00 is none"),
            (8, "there is no date"),
            (9, "the comment has characters that are not valid UTF-8"),
            (10, "the comment is longer than 2,000 characters"),
        ],
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_table_with_a_head_is_read_as_well(
    database: Database, site: Site, now: datetime, separator: str
) -> None:
    comment = "a\\nb" if separator == "\t" else '"a\nb ""c"""'
    rows = [
        ["ID", "selection", "url", "comment", "date_gmt", "status"],
        ["1", "wrold", f"{ORIGIN}/a", comment, "2025-03-01 12:00:00", "resolve"],
        ["2", "thier"],
        ["3", "thier", f"{ORIGIN}/a", "NULL", "2025-03-01 12:00:00", ""],
    ]
    file = "\n".join(separator.join(row) for row in rows)
    line = 3 if separator == "\t" else 4
    assert keep(database, site, now, file) == ((2, 2, 0), [(line, "2 values for 6 columns")])
    comments = {found.comment for found in kept(database)[1]}
    assert comments == {None, "a\nb" if separator == "\t" else 'a\nb "c"'}


def test_date_without_utc_is_by_the_sites_clock(
    database: Database, site: Site, now: datetime
) -> None:
    site.time_zone = "Europe/Kyiv"
    keep(database, site, now, [{"date_gmt": "0000-00-00 00:00:00"}])
    assert kept(database)[1][0].created_at == datetime(2025, 3, 1, 12, tzinfo=UTC)


def test_open_words_are_found_in_the_text_that_is_known(
    database: Database, site: Site, now: datetime
) -> None:
    with database.write() as session:
        words = "So: hello wrold text."
        revisions.push(session, site, NewText(f"{ORIGIN}/city/a", words, "A"), now=now)
    keep(database, site, now, [{}, {"ID": "2", "selection": "gone", "selection_context": None}])
    anchors = {found.exact: (found.anchor_state, found.anchor_start) for found in kept(database)[0]}
    assert anchors == {"wrold": (AnchorState.EXACT, 10), "gone": (AnchorState.ORPHANED, None)}
