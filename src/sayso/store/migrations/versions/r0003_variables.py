"""Add what agents name by default, and who called: agents.variables, conversations.caller_id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; agents that are there have no variables."""
    op.add_column("agents", sa.Column("variables", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("conversations", sa.Column("caller_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("conversations", "caller_id")

    op.drop_column("agents", "variables")
