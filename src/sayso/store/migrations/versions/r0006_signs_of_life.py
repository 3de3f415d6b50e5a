"""Keep when a conversation was last known to be alive, so that servers can share a database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is open without a sign of life was left by a server that is gone."""
    alive_at = sa.Column("alive_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("conversations", alive_at)


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("conversations", "alive_at")
