"""What editors did to a correction besides moving it, and what they noted for each other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id
from service.models.accounts import Editor
from service.models.corrections import Correction


class Change(Base):
    """One change of one field: who, when, from what, to what."""

    __tablename__ = "changes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id"), index=True)
    field: Mapped[str] = mapped_column(String(20))
    """A changeable field, or `split_into`, `split_from`, `put_back`, with a correction's id."""
    was: Mapped[str | None] = mapped_column(Text)
    now: Mapped[str | None] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(254))
    editor_id: Mapped[UUID | None] = mapped_column(ForeignKey("editors.id"))
    created_at: Mapped[datetime]


class Note(Base):
    """What an editor noted for the others; readers never see it."""

    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id"), index=True)
    text: Mapped[str] = mapped_column(String(2000))
    by: Mapped[str] = mapped_column(String(254))
    editor_id: Mapped[UUID | None] = mapped_column(ForeignKey("editors.id"))
    created_at: Mapped[datetime]

    correction: Mapped[Correction] = relationship(lazy="raise")


class Mention(Base):
    """An editor named in a note; `seen_at` is when they ticked it off."""

    __tablename__ = "mentions"
    __table_args__ = (
        Index(
            "ix_mentions_unseen",
            "editor_id",
            sqlite_where=text("seen_at IS NULL"),
            postgresql_where=text("seen_at IS NULL"),
        ),
    )

    note_id: Mapped[UUID] = mapped_column(ForeignKey("notes.id"), primary_key=True)
    editor_id: Mapped[UUID] = mapped_column(ForeignKey("editors.id"), primary_key=True)
    seen_at: Mapped[datetime | None]

    note: Mapped[Note] = relationship(lazy="raise")
    editor: Mapped[Editor] = relationship(lazy="raise")
