"""Changes are kept, and editors leave each other notes

Revision ID: 0007
Revises: 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UNSEEN = sa.text("seen_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("was", sa.Text(), nullable=True),
        sa.Column("now", sa.Text(), nullable=True),
        *_made_by("changes"),
    )
    op.create_index("ix_changes_correction_id", "changes", ["correction_id"])
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        *_made_by("notes"),
    )
    op.create_index("ix_notes_correction_id", "notes", ["correction_id"])
    op.create_table(
        "mentions",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("editor_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name="fk_mentions_note_id_notes"),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editors.id"], name="fk_mentions_editor_id_editors"
        ),
        sa.PrimaryKeyConstraint("note_id", "editor_id", name="pk_mentions"),
    )
    op.create_index(
        "ix_mentions_unseen",
        "mentions",
        ["editor_id"],
        sqlite_where=UNSEEN,
        postgresql_where=UNSEEN,
    )


def _made_by(table: str) -> list[sa.Column[Any] | sa.Constraint]:
    return [
        sa.Column("by", sa.String(length=254), nullable=False),
        sa.Column("editor_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name=f"fk_{table}_correction_id_corrections"
        ),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editors.id"], name=f"fk_{table}_editor_id_editors"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def downgrade() -> None:
    for table in ("mentions", "notes", "changes"):
        op.drop_table(table)
