"""What the queue is counted by and searched by."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base


class Tally(Base):
    """How many corrections of a site stand where; kept by triggers, summed over the shards.

    On PostgreSQL a connection counts in a shard of its own, so that none waits for another.
    """

    __tablename__ = "tallies"

    site_id: Mapped[UUID] = mapped_column(
        ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True
    )
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    new_count: Mapped[int]
    accepted_count: Mapped[int]
    fixed_count: Mapped[int]
    rejected_count: Mapped[int]
    spam_count: Mapped[int]
    suspected_count: Mapped[int]
    """Of the suspected those that nobody has called spam."""
    changes: Mapped[int]
    """Goes up with every change of a correction."""


class Document(Base):
    """The words by which a correction is found, as `text.normalise` spells them.

    One of the passage, the wording and the article; one more for each report that has words.
    """

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_correction_id", "correction_id"),
        Index(
            "ix_documents_report_id",
            "report_id",
            sqlite_where=text("report_id IS NOT NULL"),
            postgresql_where=text("report_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id", ondelete="CASCADE"))
    report_id: Mapped[UUID | None] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
