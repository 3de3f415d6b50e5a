"""Keep which functions were called in a conversation, and what they returned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; lines that are there had no functions."""
    op.add_column("lines", sa.Column("deeds", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Drop the column, and the lines that only hold what it held."""
    op.execute("DELETE FROM lines WHERE content = ''")
    op.drop_column("lines", "deeds")
