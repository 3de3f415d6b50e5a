"""Keep which built-in actions agents have, their time zone, and what callers left with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; agents that are there go on without any."""
    op.add_column(
        "agents", sa.Column("built_in_actions", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column("agents", sa.Column("time_zone", sa.String(100), nullable=True))
    op.add_column("conversations", sa.Column("messages", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the columns, and with them what callers left."""
    op.drop_column("conversations", "messages")
    op.drop_column("agents", "time_zone")
    op.drop_column("agents", "built_in_actions")
