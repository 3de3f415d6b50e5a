"""Keep to whom agents may hand their callers on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; agents that are there go on without anybody."""
    op.add_column(
        "agents",
        sa.Column("transfer_destinations", sa.JSON(), nullable=False, server_default="[]"),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("agents", "transfer_destinations")
