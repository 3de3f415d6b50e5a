"""Keep where an agent's own retrieval server is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; agents that are there have none."""
    op.add_column("agents", sa.Column("knowledge", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("agents", "knowledge")
